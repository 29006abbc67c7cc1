"""The figures of a report in boxes and tables: key figures, a day's three figures, platforms, lists, blind spans."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from .content import Content, Money, Sums, total
from .definitions import DEFINITIONS
from .markup import Markup, joined, named, table, tag
from .spoken import NOTHING, Speech, seconds_of

SPANS_MAX = 30
CUT = time(0, 15)  # of the next day


def key_figures(content: Content, speech: Speech) -> Markup:
    money, rooms = total(content.own_money()), everything(content)
    word, peak = speech.word, content.peak
    lost = sum(drop.outcome == "lost" for drop in content.drops)
    tiles = (
        ("gmv", speech.money(money.gmv_minor), f"{word('created')} {speech.number(money.created_orders)}"),
        ("orders", speech.number(money.orders), f"{word('gifts')} {speech.money(money.gifts_minor)}"),
        ("refunds", speech.money(money.refunds_minor), word("of_gmv").format(_rate(speech, money))),
        ("net", speech.money(money.gmv_minor - money.refunds_minor), ""),
        ("sessions", speech.number(rooms.sessions), f"{word('rooms')} {speech.number(rooms.rooms)}"),
        ("airtime", speech.hours(rooms.air_s), f"{word('broadcasters_count')} {speech.number(rooms.broadcasters)}"),
        ("watch_hours", speech.hours(rooms.watch_hours * 3600), f"{word('average')} {_average(speech, rooms)}"),
        ("peak", speech.number(peak.viewers if peak else None), speech.moment(peak.at)[:-3] if peak else ""),
        ("drops", speech.number(rooms.drops), word("lost_of").format(speech.number(lost))),
        ("blind", speech.hours(rooms.blind_s), word("blind_of").format(_dark(speech, rooms))),
    )  # fmt: skip
    boxes = [
        tag("div", tag("span", word(key)), tag("b", value), tag("small", below), class_="tile", id=f"key-{key}")
        for key, value, below in tiles
    ]
    return joined([tag("div", *boxes, class_="tiles"), _apart(content, speech, money, rooms)])


def everything(content: Content) -> Sums:
    """What all rooms did; nothing, where there were none."""
    found = content.of("all")
    return found[0] if found else Sums(kind="all")


def three_figures(content: Content, speech: Speech) -> Markup:
    """For each day: as it was cut, what came late, and as it is now."""
    word = speech.word
    cuts = {cut.day: cut for cut in content.cuts}
    rows: list[tuple[object, ...]] = []
    for day in content.period.days():
        now = total([row for row in content.own_money() if row.day == day])
        cut = cuts.get(day)
        figures = (
            ("gmv", now.gmv_minor, cut.gmv_minor if cut else None, speech.money),
            ("orders", now.orders, cut.orders if cut else None, speech.number),
            ("refunds", now.refunds_minor, cut.refunds_minor if cut else None, speech.money),
        )
        for key, known, stood, shown in figures:
            late = NOTHING if stood is None else speech.added(shown(known - stood), known - stood)
            at_cut = word(_uncut(content, day)) if stood is None else shown(stood)
            rows.append((day if key == "gmv" else "", word(key), at_cut, late, tag("b", shown(known))))
    heads = (word("day"), "", word("cut_at"), word("late"), word("now"))
    return joined([tag("p", word("cut_text"), class_="faint"), table(heads, rows, "three", words=2)])


def _uncut(content: Content, day: date) -> str:
    """Which word is said of a day without a cut: its time has not come, or nothing was there when it had."""
    cut_at = datetime.combine(day + timedelta(days=1), CUT, content.zone)
    return "no_cut" if content.period.as_of < cut_at else "nothing_cut"


def platforms(content: Content, speech: Speech) -> Markup:
    """Money by platform, also of sales without a room; people from its rooms."""
    people = {row.platform: row for row in content.of("platform")}
    rows = []
    for name in content.platforms():
        money = total([row for row in content.own_money() if row.platform == name])
        rows.append(_platform(speech, speech.platform(name), money, people.get(name, Sums(kind="platform"))))
    if not rows:
        return tag("p", speech.word("nothing"), class_="faint")
    rows.append(_platform(speech, speech.word("all"), total(content.own_money()), everything(content)))
    keys = ("platform", "gmv", "orders", "refunds", "refund_rate", "sessions", "airtime", "watch_hours", "average",
            "drops", "blind")  # fmt: skip
    return table(map(speech.word, keys), rows, "totalled")


def leaderboards(content: Content, speech: Speech) -> Markup:
    word = speech.word
    rooms = [
        (
            named(row.anchor or row.external_id), speech.platform(row.platform), named(row.hall),
            *_leader(speech, row, drops=True),
        )
        for row in content.of("room")
    ]  # fmt: skip
    broadcasters = [
        (named(row.broadcaster), speech.number(row.rooms), *_leader(speech, row)) for row in content.of("broadcaster")
    ]
    halls = [
        (named(row.hall), speech.number(row.rooms), *_leader(speech, row, drops=True)) for row in content.of("hall")
    ]
    items = [
        (
            named(row.title or row.item_id), speech.platform(row.platform), speech.money(row.gmv_minor),
            speech.number(row.orders), speech.number(row.units),
        )
        for row in content.items
    ]  # fmt: skip
    figures = ("gmv", "orders", "average", "peak", "watch_hours")
    lists = (
        ("top_rooms", rooms, ("room", "platform", "hall", *figures, "drops"), 3),
        ("top_broadcasters", broadcasters, ("broadcaster", "rooms", *figures), 1),
        ("top_items", items, ("item", "platform", "gmv", "orders", "units"), 2),
        ("top_halls", halls, ("hall", "rooms", *figures, "drops"), 1),
    )
    return joined(
        joined([tag("h3", word(title)), _ranked(speech, rows, [word(key) for key in keys], words)])
        for title, rows, keys, words in lists
    )


def blind_spans(content: Content, speech: Speech) -> Markup:
    word = speech.word
    if not content.blind:
        return tag("p", word("nothing"), class_="faint")
    longest = sorted(content.blind, key=lambda span: span.from_at - span.to_at)[:SPANS_MAX]
    rows = [
        (
            span.feed, speech.platform(span.platform), named(span.hall), speech.moment(span.from_at),
            word("still") if span.still_open else speech.moment(span.to_at), span.cause,
            speech.span(seconds_of(span.to_at - span.from_at)),
        )
        for span in longest
    ]  # fmt: skip
    told = [word("blind_text")]
    if len(content.blind) > SPANS_MAX:
        told.append(word("more_spans").format(len(longest), len(content.blind)))
    heads = [word(key) for key in ("feed", "platform", "hall", "from", "to", "cause", "length")]
    return joined([tag("p", " ".join(told), class_="faint"), table(heads, rows, words=6)])


def definitions(speech: Speech) -> Markup:
    rows = [(speech.word(key), formula, note) for key, formula, note in DEFINITIONS[speech.language]]
    return table([speech.word(key) for key in ("figure", "formula", "note")], rows, "definitions", words=3)


def _apart(content: Content, speech: Speech, money: Money, rooms: Sums) -> Markup:
    """What is in the totals and in no room, and what is in none of the totals."""
    told = []
    if roomless := money.gmv_minor - rooms.gmv_minor:
        told.append(tag("p", speech.word("without_room").format(speech.money(roomless)), class_="faint", id="roomless"))
    others = sorted({row.currency for row in content.money} - {content.currency})
    sums = [total([row for row in content.money if row.currency == code]) for code in others]
    shown = [f"{speech.money(row.gmv_minor, row.currency)} ({speech.number(row.orders)})" for row in sums if row.orders]
    if shown:
        told.append(tag("p", speech.word("other_currency").format(", ".join(shown)), class_="faint", id="apart"))
    return joined(told)


def _platform(speech: Speech, name: str, money: Money, people: Sums) -> tuple[object, ...]:
    return (
        name, speech.money(money.gmv_minor), speech.number(money.orders), speech.money(money.refunds_minor),
        _rate(speech, money), speech.number(people.sessions), speech.hours(people.air_s),
        speech.hours(people.watch_hours * 3600), _average(speech, people), speech.number(people.drops),
        speech.hours(people.blind_s),
    )  # fmt: skip


def _leader(speech: Speech, row: Sums, *, drops: bool = False) -> tuple[object, ...]:
    told = (
        speech.money(row.gmv_minor), speech.number(row.orders), _average(speech, row), speech.number(row.peak_viewers),
        speech.number(row.watch_hours, 1),
    )  # fmt: skip
    return (*told, speech.number(row.drops)) if drops else told


def _ranked(speech: Speech, rows: Iterable[tuple[object, ...]], heads: list[str], words: int) -> Markup:
    numbered = [(place, *row) for place, row in enumerate(rows, 1)]
    if not numbered:
        return tag("p", speech.word("nothing"), class_="faint")
    return table(("#", *heads), numbered, "ranked", words=words + 1)


def _rate(speech: Speech, money: Money) -> str:
    return speech.share(money.refunds_minor, money.gmv_minor)


def _average(speech: Speech, row: Sums) -> str:
    return speech.number(row.average_viewers, 1)


def _dark(speech: Speech, row: Sums) -> str:
    """In thousandths of a second, as the views give them: a share needs integers."""
    return speech.share(int(row.blind_s * 1000), int(row.air_s * Decimal(1000)))
