"""`livemon status` as a person runs it: against a web that really listens, and against none."""

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web as aiohttp_web
from prometheus_client import generate_latest

from collectors.orders.doudian import Doudian
from collectors.orders.kwaixiaodian import Kwaixiaodian
from collectors.orders.push_json import PushJson
from collectors.tick import Tick
from monitor.accounts.details import Wait
from monitor.accounts.feed_poll import Polls
from monitor.cli import main
from monitor.facts import RosterRoom
from monitor.http import listener, web
from monitor.http.guard import Guard
from monitor.http.landing import render
from monitor.http.metrics import Metrics
from monitor.http.sources import Sources, WriterSight
from monitor.http.status import take_status
from monitor.live.lateness import late
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


def pushing() -> Sources:
    """Three feeds of orders: one is polled, one has nobody to ask for it, one is late; and deliveries that wait."""
    rows = [Doudian(name="抖店", app="a"), PushJson(name="erp", app="b"), Kwaixiaodian(name="ks", app="c")]
    watch = still_watch([], rows)
    late(watch.feeds["ks"], NOW - timedelta(minutes=5))
    frames = {"ks": StillFrames(0, 12, (NOW - timedelta(hours=2)).timestamp())}
    waits = {"ks": [Wait("no_account", 9, ["77", "78"]), Wait("asked", 3, ["79"])]}
    polls = {"抖店": Polls(1_200, 3), "ks": Polls(5, 0)}
    return still_sources(
        watch, standing=lambda: StillStanding(frames=frames), waits=lambda: waits, polls=lambda: polls,
        accounts=lambda: {("doudian", "refused"): 2, ("doudian", "ok"): 9}, breakers=lambda: {("a", "open"): 1},
    )  # fmt: skip


def test_status_says_who_stands_witness_and_for_what_deliveries_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(monitor_of(pushing())) as port:
        assert main(["status", "--config", config_for(tmp_path, port), "--once"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"抖店 +doudian +ok polls 1,200 shops, 3 fail ", text)
    assert re.search(r"erp +push_json +ok no witness ", text)
    assert re.search(r"ks +kwaixiaodian +blind push_late polls 5 shops ", text)
    assert "        9: no account: livemon account link PLATFORM SHOP (shop 77, 78)\n" in text
    assert "        3: asked for, and not said yet (shop 79)\n" in text


def test_a_push_without_a_witness_says_so_on_the_page(tmp_path: Path) -> None:
    page = render(take_status(pushing(), "0.1.0"), "zh")
    row = {name: page[page.index(f">{name}<") :].partition("</tr>")[0] for name in ("抖店", "erp", "ks")}
    assert ["无旁证" in row[name] for name in ("抖店", "erp", "ks")] == [False, True, False]
    assert "看不见" in row["ks"]
    assert "push_late" in row["ks"]


def test_the_metrics_of_accounts(tmp_path: Path) -> None:
    metrics = Metrics(pushing(), "0.1.0")
    metrics.of_accounts.pushes_are(["抖店", "ks"])
    metrics.of_accounts.missed("ks", 4)
    metrics.of_accounts.called("a", "order.searchList", "rate")
    text = generate_latest(metrics.registry).decode()
    for line in (
        'livemon_push_missed_total{feed="ks"} 4.0',
        'livemon_push_missed_total{feed="抖店"} 0.0',
        'livemon_app_calls_total{app="a",name="order.searchList",verdict="rate"} 1.0',
        'livemon_accounts{platform="doudian",state="refused"} 2.0',
        'livemon_accounts{platform="doudian",state="missing"} 0.0',
        'livemon_app_breakers{app="a",state="open"} 1.0',
        'livemon_feed_witnessed{feed="erp"} 0.0',
        'livemon_feed_witnessed{feed="ks"} 1.0',
        'livemon_polled_shops{feed="抖店",state="failing"} 3.0',
        'livemon_details_open{feed="ks",obstacle="no_account"} 9.0',
        'livemon_feed_up{feed="ks",hall="",platform="kwaixiaodian"} 0.0',
        'livemon_feed_state{feed="ks",state="blind"} 1.0',
    ):
        assert f"{line}\n" in text, line
    metrics.of_accounts.pushes_are(["抖店"])
    assert 'livemon_push_missed_total{feed="ks"}' not in generate_latest(metrics.registry).decode()


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
