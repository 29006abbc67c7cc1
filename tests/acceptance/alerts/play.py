"""An event whose streams begin and stop when a test says so, watched by a real livemon, Prometheus and Alertmanager."""

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import free_ports
from tests.acceptance.alerts.server import Server
from tests.acceptance.alerts.speeds import Ports, Speed, watching
from tests.alerts.chat import Chat, served

DROPPED = "【停播】"  # of one room whose source, as a server does, tells no sign-off from a failure; of many it is 断流
SETTLE_S = 16.0  # after a start, as after any blind span, that a room is missing decides nothing for 15 s


class Changed(Livemon):
    """A livemon with something in it changed before it starts: what it waits minutes for has no setting."""

    change = ""

    def start(self) -> None:
        program = f"{self.change}\nfrom monitor.cli import main\nraise SystemExit(main())"
        command = [sys.executable, "-c", program, "run", "--config", str(self.config)]
        self.child = self.end.enter_context(Program(command, self.log))
        self.away, self.began_s = False, time.monotonic()


class Event:
    """All that runs."""

    def __init__(self, livemon: Livemon, ports: Ports, folder: Path, office: Chat) -> None:
        """`office`: the robot that hears what is about no room and no feed: how long a machine took to start."""
        self.livemon, self.ports, self.folder, self.office = livemon, ports, folder, office

    async def live(self, rooms: int, within_s: float = 60.0) -> None:
        """Wait until so many are seen on air, and a missing one would be believed to have stopped."""
        await self.livemon.ready(rooms, within_s)
        await until(lambda: self._states("live"), rooms, within_s)
        await asyncio.sleep(SETTLE_S)

    async def _states(self, state: str) -> int:
        return (await self.livemon.look()).states[state]

    async def plan(self, rooms: Iterable[tuple[str, str]]) -> None:
        """They are expected now, and for three hours."""
        now, path = datetime.now(UTC), self.folder / "schedule.csv"
        span = f"{now - timedelta(hours=1):%FT%T%:z},{now + timedelta(hours=3):%FT%T%:z}"
        path.write_text("".join(["platform,room,starts_at,ends_at\n", *(f"{p},{room},{span}\n" for p, room in rooms)]))
        code, said = await self.livemon.command("schedule", "import", str(path))
        assert code == 0, said


async def until(look: Callable[[], object], wanted: object, within_s: float) -> None:
    """Ask until it is so."""
    end_s, found = time.monotonic() + within_s, None
    while time.monotonic() < end_s:
        found = look()
        found = await found if asyncio.iscoroutine(found) else found
        if found == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{found!r} after {within_s:g} s, not {wanted!r}")


async def told(chat: Chat, *words: str, within_s: float, after: int = 0) -> int:
    """Wait for a message with all these words; its place among all that the chat shows."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        for place, text in enumerate(chat.texts[after:], after):
            if all(word in text for word in words):
                return place
        await asyncio.sleep(0.05)
    raise AssertionError(f"no {words} within {within_s:g} s in {chat.texts[after:]}")


@asynccontextmanager
async def event(
    folder: Path, servers: Sequence[Server], robots: dict[str, Chat], speed: Speed, more: str = "", tables: str = "",
    robot_lines: dict[str, str] | None = None, change: str = "",
) -> AsyncIterator[Event]:  # fmt: skip
    """`more`: top-level keys of the config; `tables`: its tables; `robot_lines`: of robots, left out they hear of all
    platforms; `change`: Python."""
    ports, office = Ports(*free_ports(3)), Chat("feishu", time.time)
    every = f"match = {{ platform = {json.dumps(sorted({server.platform for server in servers}))} }}"
    lines = dict.fromkeys(robots, every) | (robot_lines or {})
    robots = robots | {"office": office}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(served(*robots.values()))
        url = await stack.enter_async_context(_pages(servers))
        config = _write(folder, ports, servers, robots, speed, url, more, tables, lines)
        await stack.enter_async_context(watching(folder / "watch", ports, speed))
        changed = Changed(config, f"http://127.0.0.1:{ports.livemon}")
        changed.change = change
        livemon = await stack.enter_async_context(changed)
        yield Event(livemon, ports, folder, office)


@asynccontextmanager
async def _pages(servers: Sequence[Server]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_routes([web.get(f"/{server.name}", server.answer) for server in servers])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def _write(
    folder: Path, ports: Ports, servers: Sequence[Server], robots: dict[str, Chat], speed: Speed, url: str,
    more: str, tables: str, robot_lines: dict[str, str],
) -> Path:  # fmt: skip
    rows = [
        f"{server.platform},{room},主播{room.rpartition('/')[2]},{server.hall},大连,{server.tier},zhang\n"
        for server in servers
        for room in server.rooms
    ]
    (folder / "roster.csv").write_text("platform,room,anchor,hall,city,tier,contact\n" + "".join(rows))
    (folder / "contacts.csv").write_text("id,name,mobile\nzhang,张三,13800000001\nli,李四,13800000002\n")
    text = (
        f'data_dir = "data"\nlisten = "127.0.0.1:{ports.livemon}"\nroster = "roster.csv"\ncontacts = "contacts.csv"\n'
    )
    text += (
        f'public_url = "http://127.0.0.1:{ports.livemon}"\nalertmanager_url = "http://127.0.0.1:{ports.alertmanager}"\n'
    )
    text += f'prometheus_url = "http://127.0.0.1:{ports.prometheus}"\n{more}\n'
    for name, chat in robots.items():
        secret = folder / f"{name}.url"
        secret.touch(mode=0o600)
        secret.write_text(chat.url)
        text += (
            f'[[robot]]\nname = "{name}"\nkind = "{chat.kind}"\nurl_file = "{name}.url"\n{robot_lines.get(name, "")}\n'
        )
    for server in servers:
        text += f'[[feed]]\nkind = "nginx_rtmp"\nname = "{server.name}"\nurl = "{url}/{server.name}"\n'
        text += f'platform = "{server.platform}"\ninterval_s = {speed.poll_s}\n'
        text += f'hall = "{server.hall}"\n' if server.hall else ""
    path = folder / "livemon.toml"
    path.write_text(f"{text}\n{tables}")
    return path


def halls(count: int, rooms: int) -> list[Server]:
    """Halls of own servers, all of whose rooms are on air."""
    made = []
    for number in range(1, count + 1):
        server = Server(f"hall-{number}", [f"live/h{number}r{room}" for room in range(rooms)], str(number))
        server.begin(server.rooms)
        made.append(server)
    return made


def hosted(platform: str, rooms: int) -> Server:
    """No hall has its server; nobody of it is in tier 1, so that only who is expected is told of singly."""
    server = Server(platform, [f"live/{platform}{room}" for room in range(rooms)], platform=platform, tier="2")
    server.begin(server.rooms)
    return server


async def drops(
    servers: Sequence[Server], chat: Chat, apart_s: tuple[float, float], room: int = 0, within_s: float = 90.0
) -> list[float]:
    """One stream of each server stops, one after the other; after how long the robot had been told of each."""
    waiting = []
    for server in servers:
        waiting.append((server.stop([server.rooms[room]]), f"主播{server.rooms[room].rpartition('/')[2]}("))
        await asyncio.sleep(random.uniform(*apart_s))
    places = [await told(chat, DROPPED, anchor, within_s=within_s) for _, anchor in waiting]
    return [chat.shown_at_s[place] - at_s for place, (at_s, _) in zip(places, waiting, strict=True)]


def links(message: dict[str, Any]) -> list[str]:
    """Where a message of Feishu leads."""
    [locale] = message["content"]["post"].values()
    return [part["href"] for row in locale["content"] for part in row if part["tag"] == "a"]
