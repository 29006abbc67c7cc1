"""Whether a client has begun its next request before the last one was answered, told from counting its bytes alone.

aiohttp reads what comes and does not say how far it is; a head that was begun in the same packet as the request
before it would otherwise have no deadline.
"""

from aiohttp import web

END = b"\r\n\r\n"
KEPT_BYTES_MAX = 4_096


class Outline:
    """The bytes of one connection: where the head of the present request ended, how many followed, the last of them."""

    __slots__ = ("_after_head", "_is_lost", "_last")

    def __init__(self) -> None:
        self._after_head: int | None = None
        self._last = b""
        self._is_lost = False

    def take(self, data: bytes) -> None:
        seen = self._last + data
        if self._after_head is not None:
            self._after_head += len(data)
        elif (end := seen.find(END)) >= 0:
            self._after_head = len(seen) - end - len(END)
        self._last = seen[-KEPT_BYTES_MAX:]

    def runs_on(self, request: web.BaseRequest) -> bool:
        """Asked when a request has been answered. Where the count is lost it says yes from then on."""
        beyond = b""
        if request.headers.get("Transfer-Encoding"):
            self._is_lost |= not self._last.endswith(END)  # of the last chunk, or of what trails it
        elif self._after_head is None:
            self._is_lost = True
        elif (count := self._after_head - (request.content_length or 0)) > 0:
            beyond = self._last[-count:]
            self._is_lost |= len(beyond) < count
        self._after_head, self._last = None, b""
        self.take(beyond)
        return self._is_lost or bool(beyond)
