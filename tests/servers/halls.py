"""Real media servers on loopback, each with real ffmpeg sources and listeners, behind one face."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from aiohttp import encode_basic_auth

from collectors.collector import FeedRow
from collectors.servers.icecast import Icecast
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.node_media_server import NodeMediaServer
from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import RtmpHall, free_ports, tool

from .node_media_server import installed

INTERVAL_S = 0.5
PASSWORD = "adminpw"
ICECAST = """\
<icecast>
  <location>hall</location><admin>ops@localhost</admin><hostname>localhost</hostname>
  <limits><clients>100</clients><sources>50</sources><source-timeout>{source_timeout_s}</source-timeout></limits>
  <authentication><source-password>sourcepw</source-password><relay-password>relaypw</relay-password>
    <admin-user>admin</admin-user><admin-password>{password}</admin-password></authentication>
  <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  {mounts}
  <paths><basedir>/usr/share/icecast2</basedir><logdir>{folder}</logdir>
    <webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>
  <logging><accesslog>-</accesslog><errorlog>-</errorlog><loglevel>3</loglevel></logging>
  <security><chroot>0</chroot>{owner}</security>
</icecast>
"""
FALLBACK = """\
<mount type="normal"><mount-name>/{room}</mount-name><fallback-mount>{fallback}</fallback-mount>
    <fallback-override>1</fallback-override></mount>"""
OWNER = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"  # it will not run as root


class Hall(Protocol):
    """One server. Rooms are named as its kind names them; `row` is the feed that watches some of them.

    When `start` returns, it has answered for `settled_s` at least.
    """

    settled_s: float

    def room(self, number: int) -> str: ...
    def row(self, rooms: list[str]) -> FeedRow: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def publish(self, room: str) -> Program: ...
    def play(self, room: str) -> Program: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *of: object) -> None: ...


class NginxHall(RtmpHall):
    settled_s = 0.0

    def room(self, number: int) -> str:
        return f"live/room{number}"

    def row(self, rooms: list[str]) -> FeedRow:
        return NginxRtmp(name="hall", url=self.stat_url, rooms=rooms, interval_s=INTERVAL_S)


class Server:
    """A program that answers at a URL, and the ffmpegs around it; leaving the `with` block takes everything away."""

    settled_s = 0.0

    def __init__(self, folder: Path, command: list[str], ready_url: str) -> None:
        self.folder, self.command, self.ready_url = folder, command, ready_url
        self.ffmpeg = tool("ffmpeg", "apt-get install ffmpeg")
        self.everything, self.program = ExitStack(), None
        self.program: Program | None

    def start(self, within_s: float = 15.0) -> None:
        self._run()
        until = time.monotonic() + within_s
        while not self._stands():
            assert self.program is not None
            if self.program.process.poll() == -signal.SIGSEGV:
                self._run()
            if not self.program.running or time.monotonic() > until:
                said = (self.folder / "server.out").read_text(errors="replace")[-1500:]
                raise RuntimeError(f"{self.command[0]} did not start: {said}")
            time.sleep(0.05)

    def _stands(self) -> bool:
        """Whether it answers, and has not fallen over it."""
        try:
            with urlopen(self.ready_url, timeout=2):
                pass
        except (URLError, OSError):
            return False
        time.sleep(self.settled_s)
        return self.program is not None and self.program.running

    def _run(self) -> None:
        self.program = self.everything.enter_context(Program(self.command, self.folder / "server.out"))

    def stop(self) -> None:
        if self.program is not None and self.program.running:
            self.program.stop(signal.SIGTERM)

    def run_ffmpeg(self, *arguments: str) -> Program:
        command = [self.ffmpeg, "-nostdin", "-v", "error", *arguments]
        return self.everything.enter_context(Program(command, self.folder / "ffmpeg.out"))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.everything.close()


class IcecastHall(Server):
    """`by_admin`: the admin's statistics are asked for, not the open status. `fallback`: where listeners of room1 go
    while it has no source, a mount (`/backup`) or a file of the server's web (`/style.css` will do: it need not sound).

    Icecast 2.4.4 falls (SIGSEGV) in 1 of 100 starts if it is asked in its first milliseconds, while its statistics'
    thread begins; 1 in 5 of these after it has answered.
    """

    settled_s = 0.5

    def __init__(self, folder: Path, by_admin: bool = False, source_timeout_s: int = 5, fallback: str = "") -> None:
        (self.port,) = free_ports(1)
        self.by_admin, self.url = by_admin, f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "icecast.xml"
        owner = OWNER if os.geteuid() == 0 else ""
        told = ICECAST.format(
            source_timeout_s=source_timeout_s, password=PASSWORD, port=self.port, folder=folder, owner=owner,
            mounts=FALLBACK.format(room=self.room(1), fallback=fallback) if fallback else "",
        )  # fmt: skip
        config.write_text(told)
        self.password_file = secret(folder)
        program = tool("icecast2", "apt-get install icecast2")
        super().__init__(folder, [program, "-c", str(config)], f"{self.url}/status-json.xsl")

    def room(self, number: int) -> str:
        return f"room{number}"

    def row(self, rooms: list[str]) -> FeedRow:
        password_file = self.password_file if self.by_admin else None
        return Icecast(name="hall", url=self.url, rooms=rooms, interval_s=INTERVAL_S, password_file=password_file)

    def publish(self, room: str) -> Program:
        source = ["-re", "-stream_loop", "-1", "-i", str(self.folder / "loop.mp3"), "-c", "copy", "-f", "mp3"]
        return self.run_ffmpeg(
            *source, "-content_type", "audio/mpeg", f"icecast://source:sourcepw@127.0.0.1:{self.port}/{room}"
        )

    def entitle(self, room: str, title: str) -> None:
        """What its source says it plays."""
        query = urlencode({"mount": f"/{room}", "mode": "updinfo", "charset": "UTF-8", "song": title})
        known = {"Authorization": encode_basic_auth("source", "sourcepw")}
        with urlopen(Request(f"{self.url}/admin/metadata?{query}", headers=known), timeout=5):
            pass

    def play(self, room: str) -> Program:
        return self.run_ffmpeg("-seekable", "0", "-i", f"{self.url}/{room}", "-c", "copy", "-f", "null", "-")


class NodeMediaServerHall(Server):
    """`records`: it writes down each stream, as it does unless it is told not to."""

    def __init__(self, folder: Path, records: bool = False) -> None:
        self.rtmp_port, self.port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        users = [{"username": "admin", "password": PASSWORD, "role": "admin"}]
        jwt = {"secret": "test-secret-test-secret", "expiresIn": "24h", "refreshExpiresIn": "7d", "algorithm": "HS256"}
        config = {
            "bind": "127.0.0.1", "notify": {"url": ""}, "store": {"path": str(folder / "data"), "maxHistory": 100},
            "auth": {"play": False, "publish": False, "secret": "x", "jwt": {**jwt, "users": users}},
            "rtmp": {"port": self.rtmp_port}, "http": {"port": self.port}, "webadmin": {"enable": False},
            "record": {"auto": records, "path": str(folder / "record")},
        }  # fmt: skip
        (folder / "config.json").write_text(json.dumps(config))
        self.password_file = secret(folder)
        command = [tool("node", "apt-get install nodejs"), str(installed()), "-c", str(folder / "config.json")]
        super().__init__(folder, command, f"{self.url}/api/v1/health")

    def room(self, number: int) -> str:
        return f"live/room{number}"

    def row(self, rooms: list[str]) -> FeedRow:
        return NodeMediaServer(
            name="hall", url=self.url, rooms=rooms, interval_s=INTERVAL_S, password_file=self.password_file
        )

    def publish(self, room: str) -> Program:
        source = ["-re", "-stream_loop", "-1", "-i", str(self.folder / "loop.flv"), "-c", "copy"]
        return self.run_ffmpeg(*source, "-f", "flv", f"rtmp://127.0.0.1:{self.rtmp_port}/{room}")

    def play(self, room: str) -> Program:
        return self.run_ffmpeg("-i", f"rtmp://127.0.0.1:{self.rtmp_port}/{room}", "-c", "copy", "-f", "null", "-")


HALLS: dict[str, Callable[[Path], Hall]] = {
    "nginx_rtmp": NginxHall,
    "node_media_server": NodeMediaServerHall,
    "icecast": IcecastHall,
    "icecast, as admin": lambda folder: IcecastHall(folder, by_admin=True),
}


def secret(folder: Path) -> Path:
    file = folder / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    return file


def furnish(folder: Path, loops: Path) -> None:
    """The films that sources play over and over."""
    for loop in loops.iterdir():
        shutil.copy(loop, folder)
