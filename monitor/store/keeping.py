"""Bad rows, kept whole for a person, and brought back when that person says so."""

from datetime import datetime, timedelta

import msgspec

from collectors.tick import Sale, Tick
from monitor.facts import AccountFact, AlertAction, AlertEpisode, BlindSpan, Change, Heard, PlatformTotal, Quarantined
from monitor.store.batch import BOOKED, FACTS, NAMES, PG_EPOCH, TICK_COLUMNS, BookKind, Fact

SAMPLE_MAX = 8_000
FRAME_SAMPLE_BYTES = 2_000
REASON_MAX = 500


class CannotRevive(Exception):
    """The kept bytes are not a row: only a person can make something of them."""


def keep_frame(feed: str, frame: bytes, reason: str, at: datetime) -> Quarantined:
    """What a feed was sent and could not be read."""
    sample = as_text(frame[:FRAME_SAMPLE_BYTES].decode("utf-8", "backslashreplace"), bare=True)
    return Quarantined(feed, "frame", as_text(reason, bare=True)[:REASON_MAX], at, sample, frame)


def keep_tick(room_id: int, tick: Tick, reason: str, at: datetime) -> Quarantined:
    """A tick that cannot be a row."""
    try:
        payload = msgspec.msgpack.encode(("tick", (room_id, tick)))
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError):
        payload = as_text(tick).encode()
    return Quarantined(as_text(tick.feed, bare=True), "tick", reason, at, as_text(tick), payload)


def keep_fact(fact: Fact, reason: str, at: datetime) -> Quarantined:
    """A fact that cannot go in. Of a sale, account, alert or total the sample is its id: no buyer, money or name."""
    name = NAMES[type(fact)]
    try:
        payload = msgspec.msgpack.encode((name, fact))
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError):
        payload = as_text(fact).encode()
    sample = _sample(fact)
    feed = as_text(getattr(fact, "feed", ""), bare=True)
    kind: BookKind = BOOKED.get(name, "change")
    return Quarantined(feed, kind, reason, at, sample, payload)


def _sample(fact: Fact) -> str:
    match fact:
        case Sale():
            return as_text(fact.event_id, bare=True)
        case AccountFact():
            return as_text(f"{fact.app} {fact.shop} {fact.anchor}".rstrip(), bare=True)
        case AlertEpisode():
            return as_text(f"{fact.name} #{fact.number}", bare=True)
        case AlertAction():
            return as_text(f"{fact.action} {fact.fingerprint}".rstrip(), bare=True)
        case PlatformTotal():
            return as_text(f"{fact.platform} {fact.room}", bare=True)
    return as_text(fact)


def as_text(value: object, bare: bool = False) -> str:
    """Anything as text that any table can hold: escaped, at most 8,000 characters."""
    text = str(value) if bare else repr(value)
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")[:SAMPLE_MAX]


def revive(payload: bytes) -> Heard:
    """The row again, as a new receipt. Raises CannotRevive for what never was one."""
    try:
        name, raw = msgspec.msgpack.decode(payload, type=tuple[str, msgspec.Raw])
        if name == "tick":
            return Heard(ticks=[msgspec.msgpack.decode(raw, type=tuple[int, Tick])])
        fact = msgspec.msgpack.decode(raw, type=FACTS[name])
    except (msgspec.MsgspecError, KeyError) as error:
        raise CannotRevive(str(error)) from error
    match fact:
        case Change():
            return Heard(changes=[msgspec.structs.replace(fact, state=b"")])  # the room has moved on since
        case BlindSpan():
            return Heard(spans=[fact])
        case Sale():
            return Heard(sales=[fact])
        case AccountFact():
            return Heard(accounts=[fact])
        case AlertEpisode():
            return Heard(alerts=[fact])
        case AlertAction():
            return Heard(actions=[fact])
        case PlatformTotal():
            return Heard(totals=[fact])
    raise CannotRevive(f"a row of kind {name} has no way back")


def tick_of(row: bytes) -> tuple[int, Tick]:
    """A row of COPY as the tick it was; feed and evidence did not travel with it."""
    values: dict[str, int | None] = {}
    at = 2
    for column in TICK_COLUMNS:
        width = int.from_bytes(row[at : at + 4], signed=True)
        values[column] = None if width < 0 else int.from_bytes(row[at + 4 : at + 4 + width], signed=True)
        at += 4 + max(width, 0)
    instant = PG_EPOCH + timedelta(microseconds=values["at"] or 0)
    live = None if values["live"] is None else bool(values["live"])
    numbers = (values["viewers"], values["views_total"], values["likes_total"], values["kbps"])
    return values["room_id"] or 0, Tick("", "", instant, "status", live, *numbers)
