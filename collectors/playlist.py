"""Reads HLS playlists, and says of one room what each look at its playlist adds to what was known. Pure.

Format: RFC 8216. A list bears no time of its server, so that it moves is seen only from one look to the next.
"""

import re
from datetime import datetime

import msgspec

from .collector import BadFrame

NUMBER = re.compile(r"#(EXT-X-MEDIA-SEQUENCE|EXT-X-TARGETDURATION):\s*(\d{1,15})(?:\.\d{1,9})?", re.ASCII)
BEHIND_S_MIN = 3.0
TWICE = 2  # new segments that make a list a live one: a server may flush a single one long after its publisher froze


class Playlist(msgspec.Struct, frozen=True):
    """What matters of a media playlist. `edge` is the number that the next segment will have."""

    first: int
    edge: int
    target_s: float
    breaks: int  # EXT-X-DISCONTINUITY
    ended: bool


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
    told = {found[1]: int(found[2]) for line in lines if (found := NUMBER.fullmatch(line))}
    target_s = told.get("EXT-X-TARGETDURATION")
    if target_s is None:
        raise BadFrame("not_hls: a media playlist without EXT-X-TARGETDURATION")
    first, segments = (
        told.get("EXT-X-MEDIA-SEQUENCE", 0),
        sum(bool(line) and not line.startswith("#") for line in lines),
    )
    breaks, ended = lines.count("#EXT-X-DISCONTINUITY"), "#EXT-X-ENDLIST" in lines
    return Playlist(first, first + segments, float(target_s), breaks, ended)


def looked(known: Known, seen: Playlist | None, at: datetime) -> Known:
    """What is known after a look at `at`; `seen` None: the server says that there is no such list."""
    if seen is None:
        return Known(False)
    before = known.playlist
    if seen.ended:
        return Known(False, seen, changed_at=at)
    if before is None:  # of one that was missing a moment ago the first segment is a new one
        return Known(known.live, seen, int(known.live is False), at)
    if before.ended or began_anew(before, seen):
        return Known(False, seen, 1, at)
    if seen.edge <= before.edge:
        return unmoved(known, before, at)
    moves = (0 if known.still else known.moves) + seen.edge - before.edge
    if moves >= TWICE:
        return Known(True, seen, moves, at, moved_at=at)
    return Known(known.live, seen, moves, at, moved_at=known.moved_at)


def unmoved(known: Known, before: Playlist, at: datetime) -> Known:
    """The same list, or an older copy of it: for the time of two segments it is as live as it was."""
    behind_s = (at - (known.changed_at or at)).total_seconds()
    still = behind_s > max(BEHIND_S_MIN, 2 * before.target_s)
    live = False if still and known.live is None else known.live  # left behind by somebody who was gone before we came
    moves_on = bool(live) and not still and known.moves >= TWICE
    return Known(live, before, known.moves, known.changed_at, still, at if moves_on else known.moved_at)


def began_anew(before: Playlist, seen: Playlist) -> bool:
    """Its numbers went back; but by less than its own length it may be an older copy, of another cache."""
    return seen.edge <= before.first or (seen.edge < before.edge and seen.breaks > before.breaks)
