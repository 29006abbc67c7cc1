"""`livemon status` as a person runs it: against a web that really listens, and against none."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web as aiohttp_web

from collectors.tick import Tick
from monitor.cli import main
from monitor.facts import RosterRoom
from monitor.http import listener, web
from monitor.http.guard import Guard
from monitor.http.metrics import Metrics
from monitor.http.sources import Sources, WriterSight
from tests.http.stand_in import NOW, StillBook, StillFrames, StillStanding, still_sources, still_watch


@contextmanager
def running(make: Callable[[], aiohttp_web.Application]) -> Iterator[int]:
    """A web in a thread of its own, as a monitor would be another process; its port."""
    port, stop = 0, threading.Event()
    up = threading.Event()

    async def serve() -> None:
        nonlocal port
        served = await web.start(make(), "127.0.0.1", 0, Guard())
        port = served.port
        up.set()
        await asyncio.to_thread(stop.wait)
        await listener.stop(served)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert up.wait(5)
        yield port
    finally:
        stop.set()
        thread.join(5)


def monitor_of(sources: Sources) -> Callable[[], aiohttp_web.Application]:
    return lambda: web.make_app(sources, Metrics(sources, "0.1.0"), "0.1.0")


def config_for(folder: Path, port: int, host: str = "127.0.0.1") -> str:
    file = folder / "livemon.toml"
    file.write_text(f'listen = "{host}:{port}"\n')
    return str(file)


def evening() -> Sources:
    watch = still_watch([RosterRoom(n + 1, "nginx_rtmp", f"live/{n}", hall="A") for n in range(3)])
    watch.hear("hall-a", NOW, [Tick("hall-a", "live/0", NOW, "status", live=True, viewers=1234)], NOW)
    frames = {"微信小店": StillFrames(0, 12, (NOW - timedelta(hours=2)).timestamp())}
    books = {"tick": StillBook(received=5000, written=4000, spooled=1000)}
    standing = StillStanding(books, 2, 3 * 1024**2, 0.0, frames)
    blocked = WriterSight(False, NOW - timedelta(seconds=90), "磁盘已满", None)
    return still_sources(
        watch, standing=lambda: standing, writer=lambda: blocked, reasons=lambda: ["PostgreSQL takes no batches"]
    )


def test_once_prints_rooms_feeds_books_spool_and_writer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(monitor_of(evening())) as port:
        assert main(["status", "--config", config_for(tmp_path, port), "--once"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [line.split() for line in lines]
    assert lines[0].startswith("辽宁网红周  not ready  2026-11-19 12:00:00 UTC")
    assert ["PostgreSQL", "takes", "no", "batches"] in told
    assert ["nginx_rtmp", "1", "0", "0", "2", "0", "0", "0", "1,234"] in told
    assert ["hall-a", "nginx_rtmp", "A", "ok", "0", "s", "ago", "3", "0", "0"] in told
    assert ["tick", "5,000", "4,000", "0", "0", "0", "1,000", "0"] in told
    assert any(line.startswith("spool   12 deliveries and 2 batches wait, 3 MiB, the oldest for ") for line in lines)
    assert "writer  blocked for 90 s: 磁盘已满" in lines
    assert "kept    微信小店: 12 wait for an answer of the platform, the oldest for 2 h" in lines
    assert "\x1b" not in "".join(lines)


def test_a_monitor_that_listens_everywhere_is_asked_on_this_machine(tmp_path: Path) -> None:
    with running(monitor_of(evening())) as port:
        assert main(["status", "--config", config_for(tmp_path, port, "0.0.0.0"), "--once"]) == 0  # noqa: S104


def test_what_a_feed_says_of_itself_is_not_markup_nor_control(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = still_watch([])
    watch.refuse("hall-a", "[red]bad\x1b[31m key\nnext", NOW)
    with running(monitor_of(still_sources(watch))) as port:
        main(["status", "--config", config_for(tmp_path, port), "--once"])
    out = capsys.readouterr().out
    assert "refused [red]bad\ufffd[31m key\ufffdnext" in out
    assert "\x1b" not in out


def test_without_a_monitor_it_says_so_and_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert main(["status", "--config", config_for(tmp_path, port), "--once"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"livemon: no monitor answers on 127.0.0.1:{port} (")
    assert said.endswith("start it with `livemon run`\n")


@pytest.mark.parametrize(("body", "status", "said"), [(b"{}", 200, "not as this release"), (b"", 404, "answers 404")])
def test_another_server_there_is_not_taken_for_a_monitor(
    body: bytes, status: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answer(request: aiohttp_web.Request) -> aiohttp_web.Response:
        return aiohttp_web.Response(body=body, status=status)

    def other() -> aiohttp_web.Application:
        app = aiohttp_web.Application()
        app.router.add_get("/api/status", answer)
        return app

    with running(other) as port:
        assert main(["status", "--config", config_for(tmp_path, port), "--once"]) == 1
    assert said in capsys.readouterr().err
