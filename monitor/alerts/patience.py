"""Works that go on, whatever happens to one of them: a disk that refuses, and a bug in what only tells people."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from monitor.alerts.book_file import BookRefused

log = logging.getLogger(__name__)
AGAIN_S = 5.0
WELL_AFTER_S = 60.0


class Patience:
    """`well` is False from the failure of a work until a minute without one: then somebody outside must be alarmed."""

    def __init__(self, at_s: Callable[[], float] = time.monotonic, again_s: float = AGAIN_S) -> None:
        self._at_s, self._again_s = at_s, again_s
        self._failed_at_s = float("-inf")

    @property
    def well(self) -> bool:
        return self._at_s() - self._failed_at_s >= WELL_AFTER_S

    async def go_on(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Until it is cancelled, or ends. A disk that refuses is said once for as long as it does."""
        said = False
        while True:
            try:
                await work()
                return
            except BookRefused as error:
                if not said:
                    log.error("%s: the book of alerts refuses, and it is tried again: %s", name, error)
                said = True
            except Exception:  # whatever it is: rooms are watched and books are kept by others, who must not end for it
                log.exception("%s failed, and begins again", name)
            self._failed_at_s = self._at_s()
            await asyncio.sleep(self._again_s)
