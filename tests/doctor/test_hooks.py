"""Hooks through their public URL: the real listener behind it, and all that can stand in the way."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors import KINDS
from collectors.collector import FeedRow
from collectors.hook import App, CalledRow
from collectors.orders.push_json import PushJson
from collectors.orders.shopify import Shopify
from collectors.orders.xiaohongshu_push import XiaohongshuPush
from collectors.server_hook import ServerHookRow
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from monitor import config
from monitor.apps import SecretFiles
from monitor.crew import bounded_http
from monitor.doctor.apps import check_apps
from monitor.doctor.finding import Finding
from monitor.doctor.hooks import check_certificate, check_hook, check_polls, judge_certificate, judge_leave, judge_look
from monitor.doctor.rounds import round_of
from monitor.http import hooks, listener
from monitor.http.hooks import Hooks, Outlets
from monitor.live.clock import wall_time
from monitor.rehearsal.rtmp_hall import free_ports

ERP = PushJson(name="erp", app="erp")
SHOP = Shopify(name="商店", app="shopify")
SECRET = App("erp", "push_json", secrets=(b"right",))
NOW = datetime(2026, 11, 19, tzinfo=UTC)
kept: list[str] = []
counted: list[tuple[str, str]] = []


def free_port() -> int:
    return free_ports(1)[0]


@asynccontextmanager
async def listening(*rows: CalledRow) -> AsyncIterator[str]:
    async def keep(feed: str, *_rest: object) -> None:
        kept.append(feed)

    kept.clear()
    counted.clear()
    outlets = Outlets(keep=keep, full=(), now=wall_time, counted=lambda feed, outcome: counted.append((feed, outcome)))
    site, port = Hooks(outlets=outlets), free_port()
    site.serve_feeds(rows, {"erp": SECRET, "shopify": App("shopify", "shopify", secrets=(b"x",))})
    served = await hooks.start(site, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await listener.stop(served)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with bounded_http() as client:
        yield client


async def look(http: aiohttp.ClientSession, row: CalledRow, app: App, public: str, local: str) -> Finding:
    return await check_hook(row, app, http, public, local, wall_time())


async def test_a_signed_probe_is_answered_and_neither_kept_nor_counted_as_a_failure(http: aiohttp.ClientSession):
    async with listening(ERP) as url:
        found = await look(http, ERP, SECRET, url, url)
    assert (found.name, found.state) == ("hook erp", "fine")
    assert "signed probe" in found.what
    assert (kept, counted) == ([], [("erp", "probe")])


async def test_another_secret_than_the_running_monitors(http: aiohttp.ClientSession):
    async with listening(ERP) as url:
        found = await look(http, ERP, App("erp", "push_json", secrets=(b"new",)), url, url)
    assert (found.state, "SIGHUP" in found.todo) == ("wrong", True)


async def test_a_clock_that_is_off_is_refused_like_a_secret(http: aiohttp.ClientSession):
    async with listening(ERP) as url:
        found = await check_hook(ERP, SECRET, http, url, url, wall_time() - timedelta(hours=1))
    assert (found.state, "clock" in found.todo) == ("wrong", True)


def looked_at(kind: type[CalledRow]) -> list[tuple[str, str]]:
    """What the listener counts when a doctor looks at a hook of this kind."""
    if kind is XiaohongshuPush:  # off
        return []
    return [("商店", "check" if issubclass(kind, ServerHookRow) else "wrong_method")]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, CalledRow) and kind is not PushJson])
async def test_what_only_its_platform_can_sign_is_looked_at_without_a_failed_signature(
    http: aiohttp.ClientSession, kind: type[CalledRow]
):
    shop = kind(name="商店", app="shopify")
    async with listening(shop) as url:
        found = await look(http, shop, App("shopify", "shopify"), url, url)
    assert (found.state, found.name) == ("note" if kind is XiaohongshuPush else "fine", "hook 商店")
    assert counted == looked_at(kind)  # so that looking never alarms


async def test_a_hook_that_is_switched_off_is_not_called_fine(http: aiohttp.ClientSession):
    found = await look(http, XiaohongshuPush(name="小红书", app="x"), SECRET, "http://nowhere", "http://nowhere")
    assert (found.state, found.what) == ("note", "off (enabled = false): all that comes is refused with 401")


async def test_a_feed_that_the_running_monitor_does_not_know(http: aiohttp.ClientSession):
    async with listening() as url:
        found = await look(http, ERP, SECRET, url, url)
    assert (found.state, found.what) == ("wrong", "answered with 404")
    assert "SIGHUP" in found.todo


async def test_nobody_listens_at_all(http: aiohttp.ClientSession):
    nowhere = f"http://127.0.0.1:{free_port()}"
    found = await look(http, ERP, SECRET, nowhere, nowhere)
    assert (found.state, "start `livemon run`" in found.todo) == ("wrong", True)


async def test_the_way_is_broken_and_the_monitor_is_not(http: aiohttp.ClientSession):
    async with listening(ERP) as local:
        found = await look(http, ERP, SECRET, f"http://127.0.0.1:{free_port()}", local)
    assert (found.state, found.todo.startswith("livemon itself answers")) == ("wrong", True)


def answering(status: int, **headers: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers)

    return answer


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (301, "redirects"), (302, "redirects"), (403, "allow /hooks/"), (404, "leads elsewhere"),
        (405, "answers itself"), (413, "body cap"), (429, "again in a minute"), (502, "does not reach livemon"),
        (503, "disk"), (504, "in time"), (418, "proxy's log"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("row", [ERP, SHOP], ids=lambda row: row.name)
async def test_what_a_proxy_may_say_instead(http: aiohttp.ClientSession, row: CalledRow, status: int, says: str):
    app = web.Application()
    app.router.add_route("*", "/hooks/{feed}", answering(status, Location="/elsewhere"))
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        found = await look(http, row, SECRET, url, url)
    assert (found.state, says in found.todo) == ("wrong", True), found


async def test_a_url_without_tls():
    assert (await check_certificate("http://hooks.example.cn", NOW)).state == "wrong"
    assert (await check_certificate("http://127.0.0.1:8791", NOW)).state == "note"


async def test_a_url_where_nobody_speaks_tls():
    async with listening(ERP) as url:
        found = await check_certificate(url.replace("http:", "https:"), NOW)
    assert (found.state, found.what.startswith("https://127.0.0.1")) == ("wrong", True)


@pytest.mark.parametrize(("days", "state"), [(90, "fine"), (14, "fine"), (13, "wrong"), (-1, "wrong")])
def test_how_long_a_certificate_is_good(days: int, state: str):
    until = NOW + timedelta(days=days, hours=1)
    found = judge_certificate({"notAfter": f"{until:%b %d %H:%M:%S %Y} GMT"}, NOW)
    assert found.state == state


@pytest.mark.parametrize(
    ("status", "headers", "state"),
    [
        pytest.param(405, {"Allow": "POST"}, "fine", id="takes POST only"),
        pytest.param(405, {"Allow": "GET, HEAD"}, "wrong", id="a page"),
        pytest.param(401, {}, "fine", id="refuses an unsigned look"),
        pytest.param(401, {"WWW-Authenticate": "Basic"}, "wrong", id="a password"),
        pytest.param(200, {}, "wrong", id="somebody's home page"),
    ],
)
def test_what_a_bare_look_tells(status: int, headers: dict[str, str], state: str):
    assert judge_look("hook doudian", status, headers, "1 ms").state == state


def site(folder: Path, port: int, more: str = "") -> config.Config:
    for name in ("erp", "old"):
        (folder / name).write_text("right")
        (folder / name).chmod(0o600)
    (folder / "livemon.toml").write_text(
        f'hooks_listen = "127.0.0.1:{port}"\nlisten = "127.0.0.1:1"\n{more}'
        '[[app]]\nname = "erp"\nplatform = "push_json"\nsecret_file = "erp"\n'
        '[[feed]]\nkind = "push_json"\nname = "erp"\napp = "erp"\n'
    )
    return config.load(folder / "livemon.toml")


async def found_of(configured: config.Config) -> dict[str, Finding]:
    return {finding.name: finding async for finding in round_of(configured, Path("livemon.toml"))}


async def test_the_whole_round_as_the_config_says(tmp_path: Path):
    async with listening(ERP) as url:
        configured = site(tmp_path, int(url.rpartition(":")[2]), f'hooks_url = "{url}"\n')
        found = await found_of(configured)
        assert (found["app erp"].state, found["hook erp"].state, found["hooks_url"].state) == ("fine", "fine", "note")
        (tmp_path / "erp").chmod(0o644)
        found = await found_of(configured)
        assert (found["app erp"].state, "chmod 600" in found["app erp"].todo) == ("wrong", True)
        assert "right" not in str(found)


async def test_platforms_cannot_be_told_where_to_call(tmp_path: Path):
    async with listening(ERP) as url:
        found = await found_of(site(tmp_path, int(url.rpartition(":")[2])))
    assert (found["hooks_url"].state, found["hooks_url"].todo) == ("wrong", "give hooks_url")
    assert found["hook erp"].state == "fine"


HALL = """[[app]]
name = "halls"
platform = "nginx_rtmp"
secret_file = "old"
[[feed]]
kind = "nginx_rtmp_hooks"
name = "hall-a"
app = "halls"
"""


async def test_servers_of_the_event_call_here_wherever_platforms_do(tmp_path: Path):
    """Nobody need be told an address outside for them, and they are not asked through it."""
    (tmp_path / "old").touch(mode=0o600)
    (tmp_path / "old").write_text("right")
    path = tmp_path / "livemon.toml"
    async with listening(NginxRtmpHooks(name="hall-a", app="halls")) as url:
        here = f'hooks_listen = "{url.removeprefix("http://")}"\nlisten = "127.0.0.1:1"\n'
        path.write_text(here + HALL)
        found = await found_of(config.load(path))
        assert ("hooks_url" in found, found["hook hall-a"].state) == (False, "fine")
        path.write_text(f'hooks_url = "http://127.0.0.1:{free_port()}"\n{here}{HALL}')
        assert (await found_of(config.load(path)))["hook hall-a"].state == "fine"


async def test_a_rotation_that_is_under_way_is_said(tmp_path: Path):
    configured = site(tmp_path, free_port())
    table = msgspec.structs.replace(configured.apps[0], secret_file=SecretFiles([tmp_path / "erp", tmp_path / "old"]))
    findings, apps = check_apps([table])
    assert [finding.state for finding in findings] == ["note"]
    assert len(apps["erp"].secrets) == 2


@pytest.mark.parametrize(
    ("feeds", "alone"),
    [
        ([], True),
        ([NginxRtmp(name="b", url="http://b", hall="B")], True),
        ([NginxRtmp(name="a", url="http://a", hall="A")], False),
        ([NginxRtmp(name="all", url="http://a")], False),
        ([SHOP], True),
    ],
)
def test_an_own_server_that_calls_and_is_not_asked_is_noted(feeds: list[FeedRow], alone: bool):
    found = check_polls([NginxRtmpHooks(name="hall-a-hooks", hall="A", app="halls"), *feeds])
    assert [finding.name for finding in found] == ["hook hall-a-hooks"] * alone
    assert all("nginx_rtmp" in finding.todo for finding in found)


@pytest.mark.parametrize(
    ("status", "same", "state"), [(200, True, "fine"), (200, False, "wrong"), (502, True, "wrong")]
)
def test_leave_in_other_words_is_somebody_elses(status: int, same: bool, state: str):
    assert judge_leave("hook hall-a-hooks", status, same, "1 ms").state == state
