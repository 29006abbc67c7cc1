"""youtube: asks YouTube how broadcasts stand, fifty in a call, as fast as a day's quota allows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import aiohttp
import msgspec

from ..api_feed import ApiRow, Platform
from ..apis.youtube_calls import BATCH_MAX, interval_of, is_video_id, video_ticks, videos
from ..asked_at import asked_at
from ..asked_frame import Asked, framed, unframed
from ..batch_polls import poll_batches
from ..collector import Emit, Now
from ..tick import Tick

NO_SUCH_ROOM = "http_status"


class Youtube(ApiRow, tag="youtube", frozen=True, kw_only=True):
    interval_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 10.0
    units_per_day: Annotated[int, msgspec.Meta(ge=100, le=100_000_000)] = 10_000  # of the quota, for this feed

    PLATFORM = "youtube"
    KEY_IS = "session"  # a broadcast is a video, and a video is one broadcast
    REFRESH_S = 60.0  # UNVERIFIED: how far the answer lags behind what happened

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, platform: Platform) -> None:
        rooms = self.rooms or ()

        async def ask(batch: Sequence[str]) -> None:
            ids = [room for room in batch if is_video_id(room)]
            for room in set(batch).difference(ids):
                platform.unseen(room, NO_SUCH_ROOM)
            if ids:
                body, at = await asked_at(platform, lambda caller, _: videos(caller, ids), now, batch=ids)
                await emit(framed(Asked(ids), body), at)

        stretched_s = interval_of(len(rooms), self.units_per_day)
        await poll_batches(rooms, BATCH_MAX, self.interval_s, ask, platform, stretched_s)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        asked, body = unframed(frame)
        return video_ticks(self.name, asked, body, at)
