"""The landing page: one self-contained page for a person who opens the address to see whether all is well."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from monitor.platform_words import platform_name

from .figures import COLOURS, age, number, size
from .landing_words import WORDS, Language
from .status import FeedStatus, RoomsStatus, Status
from .style import style_of
from .sums import STATES
from .witness_word import NONE

STYLE, STYLE_POLICY = style_of(__package__, "landing.css")
POLICY = "; ".join(
    (
        "default-src 'none'",
        STYLE_POLICY,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
REFRESH_S = 5

LINKS = (
    ("/metrics", "link_metrics"), ("/metrics/rooms", "link_rooms"), ("/healthz", "link_health"),
    ("/readyz", "link_ready"), ("/api/status", "link_status"),
)  # fmt: skip

Words = dict[str, str]


def language(asked: str, accepted: str) -> Language:
    """What the address asks for, else what the browser speaks; a fixed word whatever was sent."""
    if asked in ("en", "zh"):
        return "zh" if asked == "zh" else "en"
    first = accepted.partition(",")[0].strip().lower()
    return "zh" if first.startswith("zh") else "en"


def render(status: Status, speak: Language) -> str:
    words = WORDS[speak]
    other = "en" if speak == "zh" else "zh"
    parts = (
        tiles(status, words),
        reasons(status.reasons),
        heading(words["rooms"], rooms_table(status.rooms, words, speak)),
        heading(words["feeds"], feeds_table(status, words, speak)),
        heading(words["books"], books_table(status, words) + pipeline(status, words)),
        heading(words["links"], links(words)),
    )
    pill = ("good", words["ready"]) if status.ready else ("bad", words["not_ready"])
    return f"""<!doctype html>
<html lang="{"zh-CN" if speak == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{REFRESH_S}">
<title>{escape(" · ".join(word for word in (status.event, "livemon") if word))}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>livemon</h1><span class="event">{escape(status.event)}</span><span class="pill {pill[0]}">{pill[1]}</span>
<span class="right"><a href="/?lang={other}">{words["other"]}</a></span>
<p class="what">{words["what"]}</p>
</header>
<main>{"".join(parts)}</main>
<footer>{words["as_of"]} {status.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC · livemon {escape(status.version)}</footer>
</body>
</html>
"""


def heading(title: str, body: str) -> str:
    return f"<h2>{title}</h2>{body}"


def tiles(status: Status, words: Words) -> str:
    def rooms_in(*states: str) -> int:
        return sum(of_platform.states[state] for of_platform in status.rooms for state in states)

    up = sum(feed.up for feed in status.feeds)
    stopped, unseen = rooms_in("dropped", "lost"), rooms_in("blind", "unwatched")
    shown = (
        (words["live"], number(rooms_in("live")), "good"),
        (words["viewers"], number(sum(of_platform.viewers for of_platform in status.rooms)), ""),
        (f"{words['dropped']} / {words['lost']}", number(stopped), "bad" if stopped else ""),
        (f"{words['blind']} / {words['unwatched']}", number(unseen), "warn" if unseen else ""),
        (words["feeds"], f"{up} / {len(status.feeds)}", "warn" if up < len(status.feeds) else ""),
    )
    return f'<div class="tiles">{"".join(tile(*each) for each in shown)}</div>'


def tile(name: str, value: str, colour: str) -> str:
    long = " long" if len(value) > 10 else ""
    return f'<div class="tile"><b class="{colour}{long}">{value}</b><span>{name}</span></div>'


def reasons(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ul class="card reasons">{items}</ul>' if items else ""


def table(head: Iterable[tuple[str, str]], rows: Iterable[str]) -> str:
    columns = "".join(f'<th class="{kind}">{title}</th>' for title, kind in head)
    return f'<div class="card"><table><tr>{columns}</tr>{"".join(f"<tr>{row}</tr>" for row in rows)}</table></div>'


def word_cell(text: str, colour: str = "") -> str:
    return f'<td class="word {colour}">{text}</td>'


def number_cell(value: int, colour: str = "") -> str:
    return f'<td class="{colour if value else "zero"}">{number(value)}</td>'


def platform(name: str, speak: Language) -> str:
    """As people call it, with the name by which SQL and the config know it where that is another."""
    called = platform_name(name, speak)
    return escape(called) if name in called else f"{escape(called)} <small>{escape(name)}</small>"


def empty(text: str) -> str:
    return f'<div class="card empty">{text}</div>'


def rooms_table(rooms: list[RoomsStatus], words: Words, speak: Language) -> str:
    if not any(any(of_platform.states.values()) for of_platform in rooms):
        return empty(words["no_rooms"])
    head = [(words["platform"], "word"), *((words[state], "") for state in ("live", "dropped", "lost", "blind"))]
    head += [(words["unwatched"], ""), (words["offline"], ""), (words["expected"], ""), (words["viewers"], "")]
    order = ("live", "dropped", "lost", "blind", "unwatched", "offline")
    assert set(order) == set(STATES)  # noqa: S101 - a state without a column would hide rooms
    rows = [
        word_cell(platform(of_platform.platform, speak))
        + "".join(number_cell(of_platform.states[state], COLOURS[state]) for state in order)
        + number_cell(of_platform.expected)
        + number_cell(of_platform.viewers)
        for of_platform in rooms
    ]
    return table(head, rows)


def feeds_table(status: Status, words: Words, speak: Language) -> str:
    if not status.feeds:
        return empty(words["no_feeds"])
    head = [(words["feed"], "word"), (words["platform"], "word"), (words["hall"], "word"), (words["state"], "word")]
    head += [(words[name], "") for name in ("last_message", "rooms", "unlisted", "failures")]
    return table(head, (feed_row(feed, status.at, words, speak) for feed in status.feeds))


def feed_row(feed: FeedStatus, now: datetime, words: Words, speak: Language) -> str:
    last = (
        words["never"] if feed.last_message_at is None else words["ago"].format(age(now, feed.last_message_at, words))
    )
    detail = f'<span class="detail">{escape(feed.detail)}</span>' if feed.detail else ""
    pill = f'<span class="pill {COLOURS[feed.state]}">{words[feed.state]}</span>{detail}'
    pill += f' <span class="pill dim">{words["unwitnessed"]}</span>' if feed.witness == NONE else ""
    named = "".join(map(word_cell, (escape(feed.name), platform(feed.platform, speak), escape(feed.hall))))
    counts = number_cell(feed.rooms) + number_cell(feed.unlisted, "warn") + number_cell(feed.failures, "bad")
    return f"{named}{word_cell(pill)}<td>{last}</td>{counts}"


def books_table(status: Status, words: Words) -> str:
    columns = ("received", "written", "duplicates", "quarantined", "shed", "spooled", "difference")
    colours = {"quarantined": "warn", "shed": "bad", "difference": "bad"}
    head = [(words["kind"], "word"), *((words[column], "") for column in columns)]
    rows = [
        word_cell(words.get(book.kind, escape(book.kind)))
        + "".join(number_cell(getattr(book, column), colours.get(column, "")) for column in columns)
        for book in status.books
    ]
    return table(head, rows)


def pipeline(status: Status, words: Words) -> str:
    """The spool and the writer in one line below their books."""
    balance = all(not book.difference for book in status.books)
    books = ("good", words["balance"]) if balance else ("bad", words["no_balance"])
    deliveries = sum(frames.waiting + frames.pending for frames in status.frames)
    too = words["frames_too"].format(number(deliveries)) if deliveries else ""
    spool = f"{words['spool']}: {too}{number(status.spool.batches)} {words['batches']}, {size(status.spool.bytes)}"
    if status.spool.oldest_sealed_at is not None:
        oldest = age(status.at, datetime.fromtimestamp(status.spool.oldest_sealed_at, UTC), words)
        spool += f", {words['oldest']} {words['ago'].format(oldest)}"
    writer = ("good", words["writing"]) if status.writer.connected else ("warn", words["connecting"])
    if status.writer.blocked_since is not None:
        blocked = f"{words['blocked']} {age(status.at, status.writer.blocked_since, words)}"
        writer = ("bad", f"{blocked}: {escape(status.writer.blocked_by)}")
    return (
        f'<p class="below"><span class="{books[0]}">{books[1]}</span> · {spool} · {words["writer"]}: '
        f'<span class="{writer[0]}">{writer[1]}</span></p>'
    )


def links(words: Words) -> str:
    items = (f'<a href="{path}"><code>{path}</code></a><span>{words[text]}</span>' for path, text in LINKS)
    return f'<div class="card links">{"".join(items)}</div>'
