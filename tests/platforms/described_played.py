"""http_json and ws_json in the piece that all kinds play: a service like those of the examples, described by fields."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Literal, cast

import msgspec

from collectors.mapping import Fields
from collectors.platforms.http_json import HttpJson
from collectors.platforms.ws_json import WsJson
from monitor.live.supervise import Collecting
from monitor.rehearsal.scene import Trouble

from .described_house import Broadcast, Service
from .stage import Auth, Reaching

ROOMS = ["10086", "直播间3"]


class PlayedDescribed:
    """A service whose answers are complete. Secrets are of the examples' tests: here who asks is `let_in` or not."""

    auth: Auth = "app"
    partial: Literal["absent", "unknown"] = "absent"
    totals = True

    def __init__(self, row: HttpJson | WsJson) -> None:
        self.row = row
        self.trouble = Trouble()
        self.service = Service({room: Broadcast(False, None) for room in ROOMS}, open=True, trouble=self.trouble)

    @asynccontextmanager
    async def playing(self, house: Reaching) -> AsyncIterator[Collecting]:
        async with self.service.serving() as service, AsyncExitStack() as ways:
            told = {
                name: await ways.enter_async_context(house.reached(text.replace("HOST", service.url)))
                for name, text in urls(self.row).items()
            }
            yield cast(Collecting, msgspec.structs.replace(self.row, **cast(Any, told)))

    def on_air(self, room: str, viewers: int, views_total: int = 0) -> None:
        old = self.service.rooms[room]
        session = old.session if old.live else f"{old.session}+"
        self.service.rooms[room] = Broadcast(True, viewers, session, views_total)

    def off_air(self, room: str) -> None:
        self.service.rooms[room] = replace(self.service.rooms[room], live=False, viewers=None)

    def leave_out(self, room: str, left_out: bool) -> None:
        (self.service.hidden.add if left_out else self.service.hidden.discard)(room)

    def garble(self, room: str) -> None:
        self.service.garbled.add(room)

    def too_fast(self, so: bool) -> None:
        self.service.slower = so

    def lock_out(self, room: str) -> None:
        self.service.open = False


def urls(row: HttpJson | WsJson) -> dict[str, str]:
    return {name: getattr(row, name) for name in ("url", "state_url") if getattr(row, name, "")}


def http_json() -> PlayedDescribed:
    fields = Fields(
        room="id", live="status", viewers="stats.online", views_total="stats.total", session_key="session"
    )  # fmt: skip
    return PlayedDescribed(
        HttpJson(
            name="list", platform="douyin", url="http://HOST/v1/lives?after={cursor}", rooms=list(ROOMS),
            body_bytes_max=1_048_576,  # which a busy machine inflates before the answer is late
            interval_s=0.03, rooms_at="data.lives", cursor="data.next", complete=True, live_when=["LIVE"],
            ended_when=["ENDED"], fields=fields,
        )
    )  # fmt: skip


def ws_json() -> PlayedDescribed:
    """What changes is told at once to who subscribed; how all stand is asked every few hundredths of a second."""
    fields = Fields(room="roomId", live="on", viewers="watching", views_total="total", at="ts")
    return PlayedDescribed(
        WsJson(
            name="socket", platform="xiaohongshu", url="ws://HOST/live", state_url="http://HOST/live/rooms",
            rooms=list(ROOMS), interval_s=0.05, state_interval_s=0.03, state_rooms_at="rooms", rooms_at="data",
            only_when="type == 'live'", subscribe={"op": "subscribe", "rooms": "{rooms}"}, complete=True,
            fields=fields,
        )
    )  # fmt: skip
