"""Every alert fires from the real metrics of a real livemon, by really causing it; and nothing else does meanwhile.

No series is written by hand. A scene is one `livemon run` with its faults and a set of alerts: each of them must fire in
it, and no other may. Durations of rules that are longer than a scene are divided, see `watchmen.py`.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from monitor.rehearsal.monitored import Livemon
from tests.acceptance.alerts.ground import Ground
from tests.acceptance.alerts.halls import Hall, open_halls, room_of
from tests.acceptance.alerts.watchmen import Watchmen, watching

pytestmark = [pytest.mark.real, pytest.mark.slow]


@asynccontextmanager
async def scene(
    ground: Ground, fires: set[str], faster: dict[str, float], scrape_s: int = 1
) -> AsyncIterator[tuple[Livemon, Watchmen]]:
    """A livemon that is ready, and who watches it. At the end nothing but these has fired, and every one of them."""
    address = f"127.0.0.1:{ground.port}"
    async with Livemon(ground.config, f"http://{address}") as livemon:
        await livemon.ready(ground.rooms)
        async with watching(ground.folder / "watchmen", address, faster, scrape_s) as watchmen:
            yield livemon, watchmen
            assert await watchmen.ever_fired() == fires | {"LivemonWatchdog"}
            await watchmen.rules_are_whole()


# --- rooms -----------------------------------------------------------------------------------------------------------

OUTAGES = {"LivemonPlatformOutage", "LivemonHallOutage", "LivemonRoomsDroppedMany"}
ROOMS = {
    *OUTAGES, "LivemonRoomDropped", "LivemonRoomLost", "LivemonRoomNotStarted", "LivemonViewersCollapsed",
    "LivemonSalesStalled",
}  # fmt: skip
ROOMS_FASTER = {
    **dict.fromkeys(OUTAGES, 12.0),  # kept for 5 s, not for a minute
    "LivemonRoomNotStarted": 30.0,  # 10 s late, not 5 min
    "LivemonViewersCollapsed": 60.0,
    "LivemonSalesStalled": 60.0,
    "room:livemon_room_orders:increase10m": 60.0,
}
STOPPED = 'max_over_time(ALERTS{alertname=~"LivemonRoom(Dropped|Lost)",alertstate="firing"}[1h])'
TOP_TIER, PLANNED, UNPLANNED, ABSENT, LEFT_ALONE, UNSOLD, SOLD = range(1, 8)


async def selling(ground: Ground, rooms: Callable[[], list[int]]) -> None:
    """Twice a second one order of each of these rooms."""
    for number in itertools.count():
        told: list[dict[str, object]] = [
            {"event_id": f"s1:{room}-{number}:paid", "platform": "single", "room": room_of(room)} for room in rooms()
        ]
        assert await ground.sell("erp", *told) == 200
        await asyncio.sleep(0.5)


async def test_rooms_stop_do_not_begin_and_sell_no_more(tmp_path: Path, database: Any) -> None:
    single, hosted = Hall("single", range(1, 8)), Hall("hosted", range(100, 140))
    own, many = Hall("own", range(200, 208), hall="A"), Hall("many", range(300, 420))
    halls = (single, hosted, own, many)
    single.on_air -= {ABSENT}
    roster = [line for hall in halls for line in hall.roster({TOP_TIER: 1})]
    async with open_halls(*halls):
        ground = Ground(
            tmp_path, database, halls, top="grace_s = 15.0\nend_slack_s = 1.0", roster=roster,
            pushes={"erp": ["single"]},
        )  # fmt: skip
        async with scene(ground, ROOMS, ROOMS_FASTER) as (_, seen):
            selling_rooms = [UNSOLD, SOLD]
            flow = asyncio.create_task(selling(ground, lambda: selling_rooms))
            await ground.plan(*(("single", room_of(room)) for room in (TOP_TIER, PLANNED, ABSENT)))
            hosted.on_air -= set(hosted.numbers[:25])
            own.on_air -= set(own.numbers[:6])
            single.on_air -= {TOP_TIER, PLANNED, UNPLANNED}
            many.on_air -= set(many.numbers[:20])
            await seen.fires("LivemonPlatformOutage", 10, platform="hosted")
            await seen.fires("LivemonHallOutage", 10, platform="own", hall="A")
            await seen.fires("LivemonRoomsDroppedMany", 10, platform="many", severity="warning")
            await seen.fires("LivemonRoomDropped", 15, room=room_of(TOP_TIER), severity="critical")
            await seen.fires("LivemonRoomDropped", 15, room=room_of(PLANNED), severity="warning")
            many.on_air -= set(many.numbers[:35])
            await seen.fires("LivemonRoomsDroppedMany", 10, platform="many", severity="critical")
            await seen.fires("LivemonRoomNotStarted", 30, room=room_of(ABSENT))
            await seen.fires("LivemonRoomLost", 30, room=room_of(TOP_TIER), severity="critical")
            single.viewers[LEFT_ALONE] = 50
            await seen.fires("LivemonViewersCollapsed", 20, room=room_of(LEFT_ALONE))
            selling_rooms.remove(UNSOLD)
            await seen.fires("LivemonSalesStalled", 40, room=room_of(UNSOLD))
            # Neither who was not planned, nor who is one of many.
            assert {found["room"] for found in await seen.ask(STOPPED)} == {room_of(TOP_TIER), room_of(PLANNED)}
            for hall in halls:
                hall.on_air = set(hall.numbers)
            selling_rooms.append(UNSOLD)
            for name in ROOMS - {"LivemonSalesStalled", "LivemonViewersCollapsed"}:
                await seen.clears(name, 60)
            flow.cancel()
            with suppress(asyncio.CancelledError):
                await flow
