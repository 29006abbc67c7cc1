"""How many files livemon may have open: a table, the verdict of the doctor, and a real livemon that had few."""

import resource
from collections.abc import Iterator
from pathlib import Path
from resource import RLIM_INFINITY

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors.collector import FeedRow
from collectors.platforms.bilibili_open import BilibiliOpen
from collectors.servers.hls import Hls
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.srs_hooks import SrsHooks
from monitor.doctor.finding import State
from monitor.doctor.open_files import CALLERS, OWN, check_open_files, judge_open_files, of_feeds
from monitor.open_files import MAX, raised
from monitor.rehearsal.monitored import Livemon
from tests.acceptance.hall import listening
from tests.test_app import config_for

ROOMS = [str(number) for number in range(12_000)]
SOCKETS = BilibiliOpen(name="b", app="b", app_id=1, rooms=ROOMS)
HALLS = [NginxRtmp(name=f"hall-{number}", url="http://10.0.0.7/stat", rooms=ROOMS[:60]) for number in range(200)]
FEW = 200


@pytest.mark.parametrize(
    ("soft", "hard", "then"),
    [
        pytest.param(1_024, 524_288, MAX, id="a service of systemd"),
        pytest.param(1_024, RLIM_INFINITY, MAX, id="no limit that is said"),
        pytest.param(1_024, 4_096, 4_096, id="no more than its user may have"),
        pytest.param(1_024, 1_024, 1_024, id="nothing to raise"),
        pytest.param(1_048_576, 1_048_576, 1_048_576, id="a container's: it is never lowered"),
        pytest.param(RLIM_INFINITY, RLIM_INFINITY, RLIM_INFINITY, id="without any"),
        pytest.param(MAX, RLIM_INFINITY, MAX, id="raised already"),
    ],
)
def test_the_soft_limit_is_raised_to_the_hard_one_up_to_a_sane_number(soft: int, hard: int, then: int):
    assert raised(soft, hard) == then


def test_a_room_with_a_socket_takes_one_and_a_hall_one_for_all_its_rooms():
    hls = Hls(name="h", url="http://10.0.0.7/{room}.m3u8", rooms=ROOMS[:60])
    hooks = SrsHooks(name="s", app="s", rooms=ROOMS[:60])
    feeds: list[FeedRow] = [SOCKETS, *HALLS, hls, hooks]
    assert of_feeds(feeds) == OWN + 12_000 + 200 + 8
    assert of_feeds([]) == OWN


@pytest.mark.parametrize(
    ("allowed", "state"),
    [(1_024, "wrong"), (12_511, "wrong"), (12_512, "note"), (12_512 + CALLERS, "fine"), (RLIM_INFINITY, "fine")],
)
def test_the_verdict_names_both_numbers_and_what_to_do(allowed: int, state: State):
    found = judge_open_files(allowed, of_feeds([SOCKETS]), CALLERS, is_running=False)
    assert found.state == state
    if state != "fine":
        assert f"{allowed:,}" in found.what
        assert "12,512" in found.what
        assert f"LimitNOFILE={MAX}" in found.todo
        assert f"nofile: {MAX}" in found.todo
    assert MAX >= of_feeds([SOCKETS, BilibiliOpen(name="c", app="b", app_id=1, rooms=ROOMS[:8_000])]) + 2 * CALLERS, (
        "20,000"
    )


@pytest.mark.parametrize(
    ("page", "state"),
    [
        ("# TYPE process_max_fds gauge\nprocess_max_fds 2048.0\n", "wrong"),
        ("process_max_fds 1.048576e+06\n", "fine"),
        ("<html>somebody else</html>", None),
    ],
)
async def test_the_running_monitor_is_asked_what_it_may_have(page: str, state: State | None):
    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=page)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        found = await check_open_files(http, str(server.make_url("")).rstrip("/"), [SOCKETS], hooks=False)
    if state is None:
        assert found.what.startswith("a monitor started from here may have")
    else:
        assert (found.state, found.what.partition(" may")[0]) == (state, "the running monitor")


async def test_where_no_monitor_runs_it_is_what_one_would_have():
    async with aiohttp.ClientSession() as http:
        found = await check_open_files(http, "http://127.0.0.1:1", [], hooks=True)
    now = raised(*resource.getrlimit(resource.RLIMIT_NOFILE))
    assert now == RLIM_INFINITY or f"a monitor started from here may have {now:,} files" in found.what


@pytest.fixture
def few_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.real
async def test_a_livemon_that_began_with_few_takes_all_that_it_may_have(tmp_path: Path, few_files: None):
    config, url = config_for(tmp_path, "http://127.0.0.1:1/stat")
    async with Livemon(config, url) as livemon:
        await listening(livemon)
        page = await livemon.text("/metrics")
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        [told] = [line.split()[1] for line in page.splitlines() if line.startswith("process_max_fds ")]
        assert int(float(told)) == raised(FEW, hard) > FEW
        assert await livemon.stop() == 0
