"""Stat pages of several servers, as nginx-rtmp writes them: a test says who is on air, and what is wrong."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.faults.hall import HEAD, ON_AIR, TAIL

FEED = """
[[feed]]
kind = "nginx_rtmp"
name = "{name}"
platform = "{platform}"
hall = "{hall}"
url = "{url}"
rooms = {rooms}
interval_s = 0.5
silence_s_max = 5.0
"""


class Hall:
    """One server. Numbers of its rooms are its own alone, as two rooms of a name would be one stream."""

    def __init__(self, name: str, numbers: Iterable[int], platform: str = "", hall: str = "") -> None:
        self.name, self.platform, self.hall = name, platform or name, hall
        self.numbers = list(numbers)
        self.on_air = set(self.numbers)
        self.viewers: dict[int, int] = {}
        self.status, self.still, self.asked, self.url = 200, False, 0, ""

    def answer(self) -> web.Response:
        if self.status != 200:
            return web.Response(status=self.status)
        self.asked += not self.still  # of a frozen page not one number moves
        streams = (
            ON_AIR.format(room=room, bytes=self.asked * 1_000, clients=self.viewers.get(room, 500) + 1)
            for room in self.numbers
            if room in self.on_air
        )
        return web.Response(text=HEAD.format(uptime=self.asked) + "".join(streams) + TAIL, content_type="text/xml")

    def feed(self) -> str:
        rooms = [room_of(number) for number in self.numbers]
        return FEED.format(name=self.name, platform=self.platform, hall=self.hall, url=self.url, rooms=rooms)

    def roster(self, tiers: dict[int, int] | None = None) -> list[str]:
        """Lines of platform,room,anchor,hall,tier,shop,contact."""
        return [
            f"{self.platform},{room_of(number)},主播{number},{self.hall},{(tiers or {}).get(number, 3)},,"
            for number in self.numbers
        ]


def room_of(number: int) -> str:
    return f"live/room{number}"


@asynccontextmanager
async def open_halls(*halls: Hall) -> AsyncIterator[None]:
    app, by_name = web.Application(), {hall.name: hall for hall in halls}

    async def answer(request: web.Request) -> web.Response:
        return by_name[request.match_info["name"]].answer()

    app.router.add_get("/{name}/stat", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    for hall in halls:
        hall.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{hall.name}/stat"
    try:
        yield
    finally:
        await runner.cleanup()
