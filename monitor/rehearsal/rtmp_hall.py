"""A real hall in small: nginx with its RTMP module on loopback, ffmpeg as encoders and as viewers."""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from .program import Program

MODULES = (  # where distributions put the module; a build without any of them has it compiled in
    Path("/usr/lib/nginx/modules/ngx_rtmp_module.so"),
    Path("/usr/lib64/nginx/modules/ngx_rtmp_module.so"),
    Path("/usr/share/nginx/modules/ngx_rtmp_module.so"),
    Path("/opt/homebrew/opt/nginx-full/modules/ngx_rtmp_module.so"),
)

CONFIG = """\
{load_module}
worker_processes {workers};
daemon off;
pid "{folder}/nginx.pid";
error_log "{folder}/error.log" notice;
events {{ worker_connections 1024; }}
rtmp_auto_push off;
rtmp {{ server {{
  listen 127.0.0.1:{rtmp_port};
  chunk_size 4096;
  application live {{ live on; record off; {live} }}
  application sink {{ live on; record off; }}
}} }}
http {{
  access_log off;
  client_body_temp_path "{folder}/temp"; proxy_temp_path "{folder}/temp"; fastcgi_temp_path "{folder}/temp";
  uwsgi_temp_path "{folder}/temp"; scgi_temp_path "{folder}/temp";
  server {{
    listen 127.0.0.1:{http_port}{reuseport};
    location /stat {{ rtmp_stat {stat}; }}
    location /control {{ rtmp_control all; }}
  }}
  {http}
}}
"""


PORTS = range(15_000, 32_000)


class MissingTool(Exception):
    """A program that the real hall needs is not installed; the text says how to get it."""


class RtmpHall:
    """One nginx with the application `live`, in `folder`; leaving the `with` block takes everything away.

    `live` is more configuration of that application, `http` of its web; `stat` is what `rtmp_stat` shows. The ports
    stay the same over a restart.
    """

    def __init__(self, folder: Path, live: str = "", stat: str = "all", workers: int = 1, http: str = "") -> None:
        self.folder = folder
        self.rtmp_port, self.http_port = free_ports(2)
        self.stat_url = f"http://127.0.0.1:{self.http_port}/stat"
        self.nginx = tool("nginx", "apt-get install nginx libnginx-mod-rtmp")
        self.ffmpeg = tool("ffmpeg", "apt-get install ffmpeg")
        self.everything = ExitStack()
        self.server: Program | None = None
        self.loop = folder / "loop.flv"
        module = next((path for path in MODULES if path.exists()), None)
        (folder / "temp").mkdir(parents=True, exist_ok=True)
        (folder / "nginx.conf").write_text(
            CONFIG.format(
                load_module=f'load_module "{module}";' if module else "",
                folder=folder,
                workers=workers,
                reuseport=" reuseport" if workers > 1 else "",  # else one of them answers nearly always
                rtmp_port=self.rtmp_port,
                http_port=self.http_port,
                live=live,
                http=http,
                stat=stat,
            )
        )

    def start(self, within_s: float = 10.0) -> None:
        """Start nginx and wait until its stat page answers."""
        paths = ["-p", f"{self.folder}", "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf"]
        self.server = self.everything.enter_context(Program([self.nginx, *paths], self.folder / "nginx.out"))
        until = time.monotonic() + within_s
        while True:
            try:
                self.stat()
                return
            except (URLError, OSError) as error:
                if not self.server.running or time.monotonic() > until:
                    raise RuntimeError(f"nginx did not start: {self.last_words()}") from error
                time.sleep(0.05)

    def stop(self) -> None:
        """A clean stop of nginx, also of a frozen one: every encoder and viewer is cut off."""
        if self.server and self.server.running:
            self.server.stop(signal.SIGTERM)

    def reload(self) -> None:
        """A new worker answers from now on; the former one keeps whoever is connected."""
        if self.server:
            os.kill(self.server.pid, signal.SIGHUP)  # to the master alone

    def stat(self) -> bytes:
        with urlopen(self.stat_url, timeout=5) as reply:  # noqa: S310 (our own loopback URL)
            return bytes(reply.read())

    def last_words(self) -> str:
        text = "".join(
            (self.folder / name).read_text(errors="replace")
            for name in ("nginx.out", "error.log")
            if (self.folder / name).exists()
        )
        return text[-800:] or "it said nothing"

    def publish(self, room: str | bytes, *options: str) -> Program:
        """An encoder that loops a small test picture with sound into a room until it is stopped or killed."""
        if not self.loop.exists():
            make_loop(self.ffmpeg, self.loop)
        source = ["-re", "-stream_loop", "-1", "-i", str(self.loop), "-c", "copy"]
        return self.run_ffmpeg(*source, *options, "-f", "flv", self.url(room))

    def play(self, room: str) -> Program:
        """A viewer of a room, who waits where nobody publishes yet."""
        return self.run_ffmpeg("-i", self.url(room), "-c", "copy", "-f", "null", "-")

    def run_ffmpeg(self, *arguments: str | bytes) -> Program:
        command = [self.ffmpeg, "-nostdin", "-v", "error", *arguments]
        return self.everything.enter_context(Program(command, self.folder / "ffmpeg.out"))

    def url(self, room: str | bytes) -> bytes:
        """Where a room such as `live/room1` is published; bytes may be no text at all."""
        path = room.encode() if isinstance(room, str) else room
        return b"rtmp://127.0.0.1:%d/%s" % (self.rtmp_port, path)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.stop()  # so that nginx itself buries its workers
        finally:
            self.everything.close()


def make_loop(ffmpeg: str, path: Path) -> None:
    """Ten seconds of H.264 and AAC, so small that publishing it takes no processor time worth a word."""
    picture = ["-f", "lavfi", "-i", "testsrc=size=160x90:rate=5"]
    sound = ["-f", "lavfi", "-i", "sine=sample_rate=22050"]
    video = ["-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "10", "-b:v", "60k"]
    audio = ["-c:a", "aac", "-b:a", "24k", "-ac", "1"]
    command = [ffmpeg, "-nostdin", "-v", "error", "-y", *picture, *sound, "-t", "10", *video, *audio, "-f", "flv"]
    subprocess.run([*command, str(path)], check=True, timeout=60)  # noqa: S603 (our own command line)


def tool(name: str, how: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")
    if path is None:
        raise MissingTool(f"{name} is not installed; on Debian and Ubuntu: {how}")
    return path


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody holds just now, below those that the kernel gives to outgoing connections.

    A port of that range may be an outgoing connection's before the server that it was meant for has it.
    """
    found: list[int] = []
    with ExitStack() as sockets:
        for port in random.SystemRandom().sample(PORTS, len(PORTS)):
            one = sockets.enter_context(socket.socket())
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"there are no {count} free ports from {PORTS[0]} to {PORTS[-1]}")


def free_port(usual: int) -> int:
    """The usual port, so that guides are right; any other one while that is held."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", usual))
        except OSError:
            return free_ports(1)[0]
        return usual
