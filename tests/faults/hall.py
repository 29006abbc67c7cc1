"""A hall whose every answer is new: rooms sign on one after the other, viewers count the answers, some rooms flap."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

HEAD = "<rtmp><pid>7</pid><uptime>{uptime}</uptime><server><application><name>live</name><live>"
ON_AIR = (
    "<stream><name>room{room}</name><bw_in>2000000</bw_in><bytes_in>{bytes}</bytes_in>"
    "<client><id>{room}</id><publishing/></client><nclients>{clients}</nclients><publishing/></stream>"
)
AWAY = "<stream><name>room{room}</name><nclients>1</nclients></stream>"
TAIL = "</live></application></server></rtmp>"
FLAPPING = 40  # so many are away in three of ten answers, each at another time
SIGNING_ON = 2  # rooms with each answer
CONFIG = """\
data_dir = "{data}"
listen = "127.0.0.1:{port}"
roster = "roster.csv"
dsn = "postgresql://livemon_writer@/{name}?host={socket}"
dsn_password_file = "pg"

[[feed]]
kind = "nginx_rtmp"
name = "hall"
url = "{url}"
interval_s = 0.1
"""


class Hall:
    def __init__(self, rooms: int) -> None:
        self.rooms, self.asked, self.url = rooms, 0, ""

    def on_air(self, room: int) -> bool:
        if room <= FLAPPING:
            return (self.asked + room) % 10 >= 3
        return self.asked * SIGNING_ON >= room

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        streams = (
            (ON_AIR if self.on_air(room) else AWAY).format(room=room, bytes=self.asked * 1_000, clients=self.asked + 1)
            for room in range(1, self.rooms + 1)
        )
        return web.Response(text=HEAD.format(uptime=self.asked) + "".join(streams) + TAIL, content_type="text/xml")


@asynccontextmanager
async def open_hall(rooms: int) -> AsyncIterator[Hall]:
    hall, app = Hall(rooms), web.Application()
    app.router.add_get("/stat", hall.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hall.url = f"http://127.0.0.1:{runner.addresses[0][1]}/stat"
    try:
        yield hall
    finally:
        await runner.cleanup()


def configure(folder: Path, hall: Hall, database, port: int, data: Path | str = "data") -> Path:
    """A config for `livemon run` that watches the hall and writes to the database."""
    listed = "".join(f"nginx_rtmp,live/room{room},主播{room}\n" for room in range(1, hall.rooms + 1))
    (folder / "roster.csv").write_text(f"platform,room,anchor\n{listed}", encoding="utf-8")
    password = folder / "pg"
    password.touch(mode=0o600)
    password.write_text(database.server.password("livemon_writer"))
    config = folder / "livemon.toml"
    config.write_text(
        CONFIG.format(data=data, port=port, name=database.name, socket=database.server.socket, url=hall.url)
    )
    return config
