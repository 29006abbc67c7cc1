"""A real livemon with one hall whose streams a test decides, and what an Alertmanager posts to it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web

from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.rtmp_hall import free_ports
from tests.alerts.chat import Chat
from tests.alerts.real_alertmanager import Running
from tests.postgres import FreshDatabase

PAGE = """<?xml version="1.0" encoding="utf-8" ?>
<rtmp><nginx_version>1.26.3</nginx_version><pid>7</pid><uptime>{asked}</uptime><server><application><name>live</name>
<live>{streams}<nclients>0</nclients></live></application></server></rtmp>
"""
STREAM = """<stream><name>{name}</name><time>1</time><bw_in>2000000</bw_in><bytes_in>{bytes_in}</bytes_in>
<client><id>{id}</id><publishing/><active/></client><nclients>{clients}</nclients><publishing/><active/></stream>"""
CONFIG = """\
data_dir = "data"
listen = "127.0.0.1:{port}"
roster = "roster.csv"
contacts = "contacts.csv"
public_url = "http://127.0.0.1:{port}"
grace_s = {grace_s}
end_slack_s = 5
{dsn}
{top}
[[feed]]
kind = "nginx_rtmp"
name = "hall-3"
hall = "3"
url = "{url}"
interval_s = 0.5
silence_s_max = 5.0
"""
ROSTER = """\
platform,room,anchor,hall,city,tier,contact
nginx_rtmp,live/1,王姐海鲜,3,大连,1,zhang
nginx_rtmp,live/2,李哥,3,沈阳,2,zhang
"""
CONTACTS = "id,name,mobile,dingtalk_id,wecom_id,feishu_id\nzhang,张三,13800000000,,zhangsan,\nli,李四,,,lisi,\n"
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name LIKE 'livemon%' AND datname = current_database()"
)
WITHIN_S = 20.0


class Stat:
    """A stat page: what is live, by name, with its viewers."""

    def __init__(self) -> None:
        self.live = {"1": 12_340, "2": 5}
        self.asked = self.beats = 0
        self.url = self.heartbeat = ""

    async def page(self, request: web.Request) -> web.Response:
        self.asked += 1
        streams = "".join(
            STREAM.format(name=name, bytes_in=self.asked * 1000, id=number, clients=viewers + 1)
            for number, (name, viewers) in enumerate(self.live.items())
        )
        return web.Response(text=PAGE.format(asked=self.asked, streams=streams), content_type="text/xml")

    async def beat(self, request: web.Request) -> web.Response:
        self.beats += 1
        return web.Response()


@asynccontextmanager
async def playing() -> AsyncIterator[Stat]:
    stat, app = Stat(), web.Application()
    app.router.add_get("/stat", stat.page)
    app.router.add_get("/beat", stat.beat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    root = f"http://127.0.0.1:{runner.addresses[0][1]}"
    stat.url, stat.heartbeat = f"{root}/stat", f"{root}/beat"
    try:
        yield stat
    finally:
        await runner.cleanup()


def robot_table(folder: Path, name: str, chat: Chat, more: str = "") -> str:
    """A `[[robot]]`, with its URL in a file."""
    file = folder / f"{name}.url"
    file.touch(mode=0o600)
    file.write_text(chat.url)
    return f'\n[[robot]]\nname = "{name}"\nkind = "{chat.kind}"\nurl_file = "{name}.url"\n{more}'


def configured(
    folder: Path, stat: Stat, database: FreshDatabase, tables: str = "", top: str = "", grace_s: float = 60.0
) -> Livemon:
    folder.mkdir(parents=True, exist_ok=True)
    port = free_ports(1)[0]
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
    path = folder / "livemon.toml"
    text = CONFIG.format(port=port, url=stat.url, grace_s=grace_s, dsn=door(database, folder), top=top)
    path.write_text(text + tables, encoding="utf-8")
    return Livemon(path, f"http://127.0.0.1:{port}")


def door(database: FreshDatabase, folder: Path) -> str:
    """The test's database behind a door, which `shut` takes away."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = folder / "pg"
    secret.touch(mode=0o600)
    secret.write_text(database.server.password("livemon_writer"))
    (folder / "door").symlink_to(database.server.socket)
    return f'dsn = "postgresql://livemon_writer@/{database.name}?host={folder / "door"}"\ndsn_password_file = "pg"'


async def shut(database: FreshDatabase, folder: Path) -> None:
    """PostgreSQL is gone, as far as livemon can tell."""
    (folder / "door").unlink()
    conn = await database.connect("postgres")
    await conn.execute(END_SESSIONS)
    await conn.close()


def dropped(
    room: str = "live/1", since: datetime | None = None, over: bool = False, **labels: str
) -> dict[str, object]:
    """One alert as Alertmanager 0.25 posts it."""
    since = since or datetime.now(UTC)
    named = {
        "alertname": "LivemonRoomDropped", "severity": "critical", "platform": "nginx_rtmp", "room": room, "hall": "3",
    } | labels  # fmt: skip
    return {
        "status": "resolved" if over else "firing",
        "labels": named,
        "annotations": {"summary": f"{room} dropped", "runbook_url": ""},
        "startsAt": since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "endsAt": datetime.now(UTC).isoformat().replace("+00:00", "Z") if over else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": f"{abs(hash(tuple(sorted(named.items())))):016x}"[:16],
    }


def alerts_of(*alerts: dict[str, object]) -> dict[str, object]:
    """A group of them, as it is posted."""
    return {
        "version": "4", "receiver": "livemon", "status": "firing", "groupKey": '{}:{alertname="LivemonRoomDropped"}',
        "groupLabels": {"alertname": "LivemonRoomDropped"}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "truncatedAlerts": 0, "alerts": list(alerts),
    }  # fmt: skip


async def post(livemon: Livemon, *alerts: dict[str, object]) -> int:
    async with livemon.http.post(f"{livemon.url}/alertmanager", json=alerts_of(*alerts)) as answer:
        return answer.status


async def until[T](look: Callable[[], T], within_s: float = WITHIN_S, why: Callable[[], object] = lambda: "") -> T:
    """Wait until there is something; that."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not (found := look()):
        assert loop.time() - began < within_s, why()
        await asyncio.sleep(0.05)
    return found


async def stands(livemon: Livemon, room: str, state: int, within_s: float = WITHIN_S) -> None:
    """Wait until the room is in this state."""
    await shows(livemon, "state", room, state, within_s)


async def shows(livemon: Livemon, what: str, room: str, number: int, within_s: float = WITHIN_S) -> None:
    """Wait until /metrics/rooms shows this number of the room."""
    line = f'livemon_room_{what}{{platform="nginx_rtmp",room="{room}"}} {number}\n'
    async with asyncio.timeout(within_s):
        while True:
            livemon.must_run()
            try:
                if line in await livemon.text("/metrics/rooms"):
                    return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)


async def figure(livemon: Livemon, series: str) -> float | None:
    """The number that /metrics shows of this series; None: it has none."""
    for line in (await livemon.text("/metrics")).splitlines():
        if line.startswith(f"{series} "):
            return float(line.rpartition(" ")[2])
    return None


async def acknowledged(manager: Running) -> list[str]:
    """Comments of the silences that are active."""
    async with manager.http.get(f"{manager.url}/api/v2/silences") as answer:
        return [each["comment"] for each in await answer.json() if each["status"]["state"] == "active"]


def planned(folder: Path) -> Path:
    """A schedule that wants both rooms on air for hours."""
    path, now = folder / "schedule.csv", datetime.now(UTC)
    span = f"{now - timedelta(hours=1):%FT%T%:z},{now + timedelta(hours=3):%FT%T%:z}"
    path.write_text(f"platform,room,starts_at,ends_at\nnginx_rtmp,live/1,{span}\nnginx_rtmp,live/2,{span}\n")
    return path


def actions(folder: Path, name: str) -> int:
    """How many actions of this name stand in the book of a livemon that is not running."""
    book = sqlite3.connect(folder / "data" / "alerts" / "alerts.sqlite")
    try:
        return int(book.execute("SELECT count(*) FROM action WHERE action = ?", (name,)).fetchone()[0])
    finally:
        book.close()


async def born_a_rehearsal(database: FreshDatabase) -> None:
    conn = await database.connect("owner")
    await conn.execute("UPDATE livemon.setting SET purpose = 'rehearsal'")
    await conn.close()
