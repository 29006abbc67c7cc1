"""twitch: asks Twitch which channels are on air, a hundred in a call, each hundred at an offset of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import aiohttp
import msgspec

from ..api_feed import ApiRow, Platform
from ..apis.twitch_calls import BATCH_MAX, stream_ticks
from ..asked_frame import unframed
from ..batch_polls import poll_batches
from ..collector import Emit, Now
from ..tick import Tick
from ..twitch_polls import ask_streams


class Twitch(ApiRow, tag="twitch", frozen=True, kw_only=True):
    interval_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 5.0

    PLATFORM = "twitch"
    KEY_IS = "session"
    KEYS = "twitch"  # the id of a stream: the list and the events tell the same
    KEY_OF_APP = "the client id of its page"
    REFRESH_S = 120.0  # UNVERIFIED: people saw its list 20 s to minutes late

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, platform: Platform) -> None:
        async def ask(rooms: Sequence[str]) -> None:
            await ask_streams(rooms, emit, now, platform)

        await poll_batches(self.rooms or (), BATCH_MAX, self.interval_s, ask, platform)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        asked, body = unframed(frame)
        return stream_ticks(self.name, asked, body, at)
