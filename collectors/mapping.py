"""What the values of one room mean, by the paths and words of a feed's settings: one tick, or the reason why not."""

import re
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec

from .collector import BadFrame
from .finding import Find, Unfit, finder
from .instants import instant
from .tick import Evidence, Tick

INT_MAX, BIGINT_MAX = 2**31 - 1, 2**63 - 1
TEXT_CHARS_MAX = 128
DIGITS = re.compile(r"\d{1,19}", re.ASCII)
WORDS = {"true": True, "1": True, "false": False, "0": False}


class Fields(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`[feed.fields]`: where each value of a tick stands in what is told of one room. Left out: nobody tells."""

    room: str = ""
    live: str = ""
    viewers: str = ""
    views_total: str = ""
    likes_total: str = ""
    kbps: str = ""
    session_key: str = ""
    at: str = ""


class Words(msgspec.Struct, frozen=True):
    """Which words of `fields.live` mean on air, and which that the broadcaster ended it."""

    live: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    unsaid: bool | None = None  # what a room is of which `fields.live` is not given


class Reader(msgspec.Struct, frozen=True):
    """Reads one room of one feed."""

    feed: str
    evidence: Evidence
    words: Words
    zone: tzinfo | None
    finds: tuple[Find | None, ...]  # in the order of Fields
    viewers: bool

    def room(self, item: object) -> str | None:
        """Its id, None where none is told. Raises Unfit."""
        return None if self.finds[0] is None else text(self.finds[0](item), "room")

    def tick(self, room: str, item: object, at: datetime) -> Tick:
        """Raises Unfit."""
        _, live, viewers, views, likes, kbps, key, stamp = self.finds
        told, end = liveness(live(item), self.words) if live else (self.words.unsaid, None)
        return Tick(
            self.feed, room, self._stamp(stamp(item), at) if stamp else at, self.evidence, told,
            whole(viewers(item), INT_MAX, "viewers") if viewers and self.viewers else None,
            whole(views(item), BIGINT_MAX, "views_total") if views else None,
            whole(likes(item), BIGINT_MAX, "likes_total") if likes else None,
            rounded(kbps(item), INT_MAX, "kbps") if kbps else None,
            None, text(key(item), "session_key") if key else None, end,
        )  # fmt: skip

    def _stamp(self, told: object, at: datetime) -> datetime:
        if told is None or told == "":
            return at
        try:
            return instant(told, self.zone)
        except BadFrame as error:
            raise Unfit(f"at is no time: {error}") from error


@lru_cache(maxsize=1024)
def reader(
    feed: str, fields: Fields, words: Words, zone: tzinfo | None, viewers: bool, evidence: Evidence = "status"
) -> Reader:
    """Made once of a feed's settings. Raises ValueError for a path that is none."""
    paths = (str(getattr(fields, name)) for name in Fields.__struct_fields__)
    return Reader(feed, evidence, words, zone, tuple(finder(path) if path else None for path in paths), viewers)


def liveness(told: object, words: Words) -> tuple[bool | None, Literal["ended"] | None]:
    """On air or not, and whether the broadcaster ended it; a number other than 0 and 1 needs its words."""
    word = str(told).lower() if isinstance(told, bool) else text(told, "live")
    if word is None:
        return None, None
    if word in words.ended:
        return False, "ended"
    if words.live:
        return word in words.live, None
    live = WORDS.get(word.lower())
    if live is None:
        raise Unfit("live is neither true nor false: live_when says which words are")
    return live, None


def text(told: object, name: str, chars_max: int = TEXT_CHARS_MAX) -> str | None:
    """A text, or a whole number as one. Empty is none."""
    if isinstance(told, int) and not isinstance(told, bool):
        told = str(told)
    if told is None or told == "":
        return None
    if not isinstance(told, str) or len(told) > chars_max or not told.isprintable():
        raise Unfit(f"{name} is no text of at most {chars_max} characters")
    return told


def whole(told: object, most: int, name: str) -> int | None:
    """A count, as a number or in digits. Empty is none, 3.0 is 3."""
    if told is None or told == "":
        return None
    if isinstance(told, str) and DIGITS.fullmatch(told):
        told = int(told)
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told <= most:
        raise Unfit(f"{name} is no whole number from 0 to {most}")
    return told


def rounded(told: object, most: int, name: str) -> int | None:
    """A measure, to the nearest whole number."""
    if isinstance(told, float | Decimal) and 0 <= told <= most:
        return round(told)
    return whole(told, most, name)
