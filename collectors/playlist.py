"""Reads HLS playlists, and says of one room what each look at its playlist adds to what was known. Pure.

Format: RFC 8216. A list bears no time of its server, so that it moves is seen only from one look to the next.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from .collector import BadFrame

NUMBERED = re.compile(r"#(EXT-X-MEDIA-SEQUENCE|EXT-X-TARGETDURATION)(?::|$)")
NUMBER = re.compile(r"\s*(\d{1,20})(?:\.\d{1,9})?", re.ASCII)  # as many digits as RFC 8216, 4.2 allows
BEHIND_S_MIN = 3.0
TWICE = 2  # new segments that make a list a live one: a server may flush a single one long after its publisher froze


class Playlist(msgspec.Struct, frozen=True):
    """What matters of a media playlist. `edge` is the number that the next segment will have."""

    first: int
    edge: int
    target_s: float
    ended: bool
    breaks_at: tuple[int, ...] | None = (
        None  # the numbers that segments after an EXT-X-DISCONTINUITY have; None: not told
    )


class Lower(msgspec.Struct, frozen=True):
    """A list with lower numbers than the one that is known: an older copy of it, or one that began anew."""

    edge_from: int  # when it was first seen, at `since`
    edge: int
    since: datetime


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """What earlier looks at a room have shown. `live` None: not yet whether its list is a live one.

    `moved_at` is the last look by which the list moved as a live one does.
    """

    live: bool | None = None
    playlist: Playlist | None = None  # None: there was none when we looked last, or we did not look yet
    moves: int = 0  # new segments since it was found, or since it stood still
    changed_at: datetime | None = None
    still: bool = False
    moved_at: datetime | None = None
    lower: Lower | None = None  # seen since the list itself was seen last


class Look(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line of a frame: whose playlist follows, what was known of it before, or why there is none."""

    room: str
    known: Known
    missing: bool = False
    failed: str = ""  # a word of monitor/live/failure.py

    def understood(self, body: bytes, at: datetime) -> Known:
        """What is known after it. Raises BadFrame."""
        return looked(self.known, None if self.missing else media_playlist(body), at)


def variant(body: bytes) -> str | None:
    """The address of the first variant of a master playlist; None of all else."""
    _, found, rest = body.partition(b"#EXT-X-STREAM-INF:")
    lines = [line.strip() for line in rest.decode("utf-8", "replace").splitlines()[1:]] if found else []
    return next((line for line in lines if line and not line.startswith("#")), None)


def media_playlist(body: bytes) -> Playlist:
    """Raises BadFrame."""
    try:
        lines = [line.strip() for line in body.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise BadFrame("not_hls: not UTF-8") from error
    if not lines or lines[0] != "#EXTM3U":
        raise BadFrame("not_hls: it does not begin with #EXTM3U")
    if any(line.startswith("#EXT-X-STREAM-INF:") for line in lines):
        raise BadFrame("not_media: its variant is on another server, or none: give the variant's own address as url")
    told = {tag[1]: number_of(line[tag.end() :]) for line in lines if (tag := NUMBERED.match(line))}
    target_s = told.get("EXT-X-TARGETDURATION")
    if target_s is None:
        raise BadFrame("not_hls: a media playlist without EXT-X-TARGETDURATION")
    first, segments = (
        told.get("EXT-X-MEDIA-SEQUENCE", 0),
        sum(bool(line) and not line.startswith("#") for line in lines),
    )
    return Playlist(first, first + segments, float(target_s), "#EXT-X-ENDLIST" in lines, tuple(breaks_in(lines, first)))


def number_of(text: str) -> int:
    """Raises BadFrame: one that cannot be read is not one that is missing, which would be 0."""
    found = NUMBER.fullmatch(text)
    if found is None:
        raise BadFrame("not_hls: an EXT-X-MEDIA-SEQUENCE or EXT-X-TARGETDURATION that is no number")
    return int(found[1])


def breaks_in(lines: list[str], first: int) -> Iterator[int]:
    number = first
    for line in lines:
        if line == "#EXT-X-DISCONTINUITY":
            yield number
        number += bool(line) and not line.startswith("#")


def looked(known: Known, seen: Playlist | None, at: datetime) -> Known:
    """What is known after a look at `at`; `seen` None: the server says that there is no such list."""
    if seen is None:
        return Known(False)
    before = known.playlist
    if seen.ended:
        return Known(False, seen, changed_at=at)
    if before is None:  # of one that was missing a moment ago the first segment is a new one
        return Known(known.live, seen, int(known.live is False), at, moved_at=known.moved_at)
    if before.ended or began_anew(before, seen):
        return Known(False, seen, 1, at)
    if seen.edge < before.edge:
        return lower(known, before, seen, at)
    if seen.edge == before.edge:
        return unmoved(known, before, at)
    moves = (0 if known.still else known.moves) + seen.edge - before.edge
    if moves >= TWICE:
        return Known(True, seen, moves, at, moved_at=at)
    return Known(known.live, seen, moves, at, moved_at=known.moved_at)


def unmoved(known: Known, before: Playlist, at: datetime) -> Known:
    """The same list, or an older copy of it: for the time of two segments it is as live as it was."""
    still = (at - (known.changed_at or at)).total_seconds() > patience_s(before)
    live = False if still and known.live is None else known.live  # left behind by somebody who was gone before we came
    moves_on = bool(live) and not still and known.moves >= TWICE
    return Known(live, before, known.moves, known.changed_at, still, at if moves_on else known.moved_at)


def lower(known: Known, before: Playlist, seen: Playlist, at: datetime) -> Known:
    """Numbers went back by less than the list is long. An older copy of another cache, or one that began anew?

    It began anew if it moves by itself and the list that was known does not come back. Either way somebody publishes
    while it moves: that is no stall, but it does not end one, which a copy that lags behind would.
    """
    so_far = known.lower or Lower(seen.edge, seen.edge, at)
    given_up = (at - so_far.since).total_seconds() > patience_s(before)
    if given_up and seen.edge > so_far.edge:
        return Known(True, seen, 1 + seen.edge - so_far.edge_from, at, moved_at=at)
    if seen.edge > so_far.edge and not known.still:
        known = msgspec.structs.replace(known, changed_at=at)
    now_known = Lower(so_far.edge_from, max(seen.edge, so_far.edge), so_far.since)
    return msgspec.structs.replace(unmoved(known, before, at), lower=now_known)


def elsewhere(known: Known) -> Known:
    """What is known of a list that is at another address from now on; where it stood still the numbers are others."""
    return Known(known.live, moved_at=known.moved_at) if known.still else known


def patience_s(playlist: Playlist) -> float:
    return max(BEHIND_S_MIN, 2 * playlist.target_s)


def began_anew(before: Playlist, seen: Playlist) -> bool:
    """Its numbers went back by more than its own length, or to a break where the list that was known had none.

    A break at its first segment is no sign: packagers drop the tag there, and a copy that is older still has it.
    """
    if seen.edge >= before.edge or before.breaks_at is None:
        return seen.edge <= before.first
    known = before.breaks_at
    return seen.edge <= before.first or any(at > before.first and at not in known for at in seen.breaks_at or ())
