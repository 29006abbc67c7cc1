"""Work on the book that goes on, though its disk refuses for a while."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from monitor.alerts.book_file import BookRefused

log = logging.getLogger(__name__)
AGAIN_S = 5.0


async def patiently(name: str, work: Callable[[], Awaitable[None]], again_s: float = AGAIN_S) -> None:
    """Until it is cancelled, or ends. A disk that refuses is said once for as long as it does."""
    said = False
    while True:
        try:
            await work()
            return
        except BookRefused as error:
            if not said:
                log.error("%s: the book of alerts cannot be written, and it is tried again: %s", name, error)
            said = True
        await asyncio.sleep(again_s)
