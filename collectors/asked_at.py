"""One question to an open API, made as of the instant at which it leaves: it may have waited long for its turn."""

from collections.abc import Callable, Sequence
from datetime import datetime

from .api_feed import Platform
from .collector import Now
from .open_api import Call, Caller

MakeAt = Callable[[Caller, datetime], Call]
"""Builds the call for whoever asks, as of this instant; once more if it had to wait. It has no effects."""


async def asked_at(
    platform: Platform, make: MakeAt, now: Now, room: str = "", batch: Sequence[str] = ()
) -> tuple[bytes, datetime]:
    """An answer, and the instant before its request left: what is signed and what is told are of the same one."""
    left_at = now()

    def made(caller: Caller) -> Call:
        nonlocal left_at
        left_at = now()  # made once more when it is sent
        return make(caller, left_at)

    return await platform.ask(made, room, batch), left_at
