"""A feed of an own server at whose rooms a player may look, where it is not clear how they stand."""

from collections.abc import Iterator
from typing import ClassVar, Literal
from urllib.parse import quote, urlsplit

from .collector import FeedRow
from .placeholders import filled, named

PROBE_SCHEMES = ("rtmp", "rtmps", "http", "https")
PROBE_MARK = "livemon-probe"
"""What our player calls itself wherever a protocol lets it: flashVer and pageUrl of RTMP, Referer and User-Agent."""

KEPT_S = 1.0  # a connection that is closed is gone at once; the server's list may be so much older
Protocol = Literal["rtmp", "hls", "http"]  # the last is one answer that does not end: FLV, or the sound of an Icecast


class ProbedRow(FeedRow, frozen=True, kw_only=True):
    """`probe_url`: where players find a room. In it stand `{room}`, the room's id with its slashes, or the two parts of
    that, `{app}` and `{name}`. Left out: no room is ever looked at.
    """

    probe_url: str = ""

    PROBES_COUNTED: ClassVar[tuple[Protocol, ...]] = (
        "rtmp",
        "http",
        "hls",
    )  # players of these are viewers to the server
    HLS_KEPT_S: ClassVar[float] = 60.0  # so long after his last request it may count one who asked for segments

    @property
    def probe_kept_s(self) -> float | None:
        """So long after it has gone a player may still be among the viewers; None: it never is."""
        protocol = self.probe_protocol
        if protocol not in self.PROBES_COUNTED:
            return None
        return self.HLS_KEPT_S if protocol == "hls" else KEPT_S

    @property
    def probe_protocol(self) -> Protocol:
        parts = urlsplit(self.probe_url)
        if parts.scheme.startswith("rtmp"):
            return "rtmp"
        return "hls" if parts.path.endswith(".m3u8") else "http"

    def probe_address(self, room: str) -> str:
        """Where a player finds this room. RTMP names streams by what stands there, as it stands."""
        app, _, name = room.rpartition("/")
        values = {"room": room, "app": app, "name": name}
        if self.probe_protocol != "rtmp":
            values = {word: quote(value, safe="/") for word, value in values.items()}
        return filled(self.probe_url, values)

    def tells_probes(self, frame: bytes) -> bool:
        """Does this answer name its viewers, so that `parse` has left our player out?"""
        return False

    def complaints(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Settings that cannot be meant."""
        if self.probe_url and not named(self.probe_url) & {"room", "name"}:
            todo = "put {room} into it, as rtmp://10.0.0.7/{room}, or {app} and {name}"
            yield ("probe_url",), "probe_url does not name the room", todo
