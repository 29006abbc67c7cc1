"""`POST /alertmanager`: what Alertmanager tells is in the book, on disk, before it is answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from monitor.alerts.book_file import BookRefused
from monitor.alerts.webhook import BYTES_MAX, Group, Unacceptable, read
from monitor.alerts.whole import Incomplete

log = logging.getLogger(__name__)
PATH = "/alertmanager"
BODY_S_MAX = 10.0
AT_ONCE_MAX = 8  # each may hold a body in memory
WAITING_MAX = 24  # with these fewer than one client may hold open: the scrape of the same machine gets in beside them
TURN_S_MAX = 5.0  # Alertmanager tries again after growing pauses: while a drop waits for one, its room may be back
Outcome = Literal[
    "kept", "too_large", "not_json", "version", "shape", "alerts", "slow", "cut_short", "busy", "book_refused",
    "incomplete",
]  # fmt: skip
STATUS: dict[Outcome, int] = {  # others: 400
    "too_large": 413, "slow": 408, "busy": 503, "book_refused": 503, "incomplete": 503,
}  # fmt: skip


class Receiver:
    """`hear` keeps a group on disk or raises BookRefused or Incomplete; `heard` is told of each that was kept.

    Of more at once than there is room for, some wait for their turn, unread, and the others come again. `count` is told
    of each post. Alertmanager tries again what is answered with 5xx, and gives up what with 4xx.
    """

    def __init__(
        self,
        hear: Callable[[Group], Awaitable[None]],
        count: Callable[[Outcome], None] = lambda outcome: None,
        heard: Callable[[Group], None] = lambda group: None,
    ) -> None:
        self._hear, self._count, self._heard = hear, count, heard
        self._turns, self._waiting = asyncio.Semaphore(AT_ONCE_MAX), 0

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.post)]

    async def post(self, request: web.Request) -> web.Response:
        if self._waiting >= WAITING_MAX:
            return self._answer("busy")
        self._waiting += 1
        try:
            async with asyncio.timeout(TURN_S_MAX):
                await self._turns.acquire()
        except TimeoutError:
            return self._answer("busy")
        finally:
            self._waiting -= 1
        try:
            group = read(await _body(request))
            await self._hear(group)
        except Unacceptable as refused:
            return self._answer(refused.reason)
        except TimeoutError:
            return self._answer("slow")
        except web.RequestPayloadError:
            return self._answer("cut_short")
        except BookRefused:
            return self._answer("book_refused")
        except Incomplete as error:
            log.warning("what Alertmanager cut off is asked for again when it repeats itself: %s", error)
            return self._answer("incomplete")
        finally:
            self._turns.release()
        self._heard(group)
        return self._answer("kept")

    def _answer(self, outcome: Outcome) -> web.Response:
        self._count(outcome)
        if outcome == "kept":
            return web.Response(text="ok\n")
        return web.Response(status=STATUS.get(outcome, 400), text=f"{outcome}\n")


async def _body(request: web.Request) -> bytes:
    """The app's own limit (1 MiB) is none of ours: a group of 500 alerts may be larger."""
    if (request.content_length or 0) > BYTES_MAX:
        raise Unacceptable("too_large")
    pieces, size = [], 0
    async with asyncio.timeout(BODY_S_MAX):
        async for piece in request.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > BYTES_MAX:
                raise Unacceptable("too_large")
    return b"".join(pieces)
