"""One alert as a page for a phone: what, since when, how the room stands, who holds it, and three buttons."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from html import escape

import msgspec

from monitor.alerts.alert import Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.duty import Outcome
from monitor.alerts.hold import Hold
from monitor.alerts.notice import Language
from monitor.alerts.page_words import COLOURS, OUTCOMES, SEVERITIES, STATES, WORDS
from monitor.alerts.sight import STOPPED, RoomSight
from monitor.http.figures import age, number
from monitor.http.style import style_of
from monitor.purpose import Purpose, marked

STYLE, STYLE_POLICY = style_of(__package__, "page.css")
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; {STYLE_POLICY}; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser names no origin when it posts, and we ask for it
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
NAME_MAX = 64
SEVERITY_COLOURS = {"critical": "bad", "warning": "warn"}


class Card(msgspec.Struct, frozen=True):
    """All that the page shows of an alert."""

    episode: Episode
    now: datetime
    zone: tzinfo
    room: RoomSight | None = None
    hold: Hold | None = None
    contact: Contact | None = None
    name: str = ""
    outcome: Outcome | None = None
    unnamed: bool = False
    purpose: Purpose = "event"
    runbook: str = ""  # where it is; '' if there is none


def render(card: Card, speak: Language) -> str:
    words, alert = WORDS[speak], card.episode.alert
    summary = alert.annotations.get("summary", "").strip() or alert.name
    title = marked(f"#{card.episode.number} {summary}", card.purpose)
    standing = ("bad", words["goes_on"]) if card.episode.open else ("dim", words["over"])
    colour, severity = (
        SEVERITY_COLOURS.get(alert.severity, "dim"),
        SEVERITIES[speak].get(alert.severity, alert.severity),
    )
    parts = (
        f'<div class="top"><span class="pill {colour}">{escape(severity or "-")}</span>'
        f'<span class="pill {standing[0]}">{standing[1]}</span>{_other(speak)}</div>',
        f"<h1>{escape(title)}</h1>",
        _said(card, speak),
        f'<div class="card"><dl>{"".join(_facts(card, speak))}</dl></div>',
        _form(card, speak) if card.episode.open else "",
        f'<p><a href="{escape(card.runbook)}">{words["runbook"]}</a></p>' if card.runbook else "",
        f'<p class="faint">{words["as_of"]} {_local(card.now, card.zone)} · {words["expires"]}</p>',
    )
    return page(title, "".join(parts), speak)


def plain(word: str, speak: Language) -> str:
    """A page that shows no alert, and says why."""
    words = WORDS[speak]
    body = f'<div class="top">{_other(speak)}</div><h1>{words[word]}</h1><p>{words[f"{word}_what"]}</p>'
    return page(words[word], body, speak)


def page(title: str, body: str, speak: Language) -> str:
    """A whole page; `body` is HTML, `title` is not."""
    return f"""<!doctype html>
<html lang="{"zh-CN" if speak == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>{body}</body>
</html>
"""


def _other(speak: Language) -> str:
    return f'<a class="right" href="?lang={"en" if speak == "zh" else "zh"}">{WORDS[speak]["other"]}</a>'


def _said(card: Card, speak: Language) -> str:
    if card.unnamed:
        return f'<div class="card said bad"><p>{WORDS[speak]["unnamed"]}</p></div>'
    if card.outcome is None:
        return ""
    until = "" if card.outcome.until is None else _local(card.outcome.until, card.zone)
    text = OUTCOMES[speak][card.outcome.word].format(by=escape(card.outcome.by), until=until)
    return f'<div class="card said {"good" if card.outcome.done else "bad"}"><p>{text}</p></div>'


def _facts(card: Card, speak: Language) -> Iterable[str]:
    words, room, alert = WORDS[speak], card.room, card.episode.alert
    if alert.room is not None:
        named = room.anchor if room is not None and room.anchor else alert.labels.get("anchor", "")
        yield _fact(words["room"], escape(" · ".join(filter(None, (named, *alert.room)))))
    if room is not None:
        state = f'<span class="{COLOURS[room.state]}">{STATES[speak][room.state]}</span>'
        yield _fact(words["now"], state)
    stopped = room is not None and room.state in STOPPED and room.since is not None
    since = room.since if stopped and room is not None and room.since is not None else alert.starts_at
    ago = words["ago"].format(age(card.now, since, words))
    yield _fact(words["stopped" if stopped else "since"], f"{_local(since, card.zone)} ({ago})")
    if room is not None:
        if room.viewers_before is not None:
            yield _fact(words["viewers"], number(room.viewers_before))
        places = (("hall", room.hall), ("city", room.city), ("tier", str(room.tier or "")))
        yield from (_fact(words[name], escape(text)) for name, text in places if text)
    if card.contact is not None:
        yield _fact(words["contact"], _contact(card.contact))
    yield from _holder(card, words)


def _holder(card: Card, words: dict[str, str]) -> Iterable[str]:
    hold = card.hold
    if hold is None:
        yield _fact(words["holder"], f'<span class="bad">{words["nobody"]}</span>' if card.episode.open else "-")
        return
    shown = words["holds"] if hold.acknowledged else words["wanted_quiet"]
    since, until = (_local(at, card.zone) for at in (hold.since, hold.until))
    yield _fact(words["holder"], shown.format(by=escape(hold.by), since=since, until=until))
    if hold.reason:
        yield _fact(words["reason"], escape(hold.reason))


def _contact(contact: Contact) -> str:
    name = escape(contact.name or contact.id)
    mobile = escape(contact.mobile)
    return f'{name} <a href="tel:{mobile}">{mobile}</a>' if mobile else name


def _form(card: Card, speak: Language) -> str:
    words = WORDS[speak]
    buttons = [("take", "first"), ("silence", "")]
    if card.episode.alert.room is not None and (card.room is None or card.room.state in STOPPED):
        buttons.append(("end", ""))
    shown = "".join(f'<button class="{kind}" name="do" value="{do}">{words[do]}</button>' for do, kind in buttons)
    return (
        f'<form method="post" action="?lang={speak}"><label for="name">{words["name"]}</label>'
        f'<input id="name" name="name" value="{escape(card.name)}" maxlength="{NAME_MAX}" autocomplete="name" required>'
        f"{shown}</form>"
    )


def _fact(name: str, value: str) -> str:
    return f"<dt>{name}</dt><dd>{value}</dd>"


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%m-%d %H:%M:%S}"
