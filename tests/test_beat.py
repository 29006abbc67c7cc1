"""When feeds poll: the first time at once, then each at its own place in the interval, the same after a restart."""

import ast
import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import chain, pairwise
from math import sqrt
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import collectors
from collectors.beat import beat_after, place_of
from collectors.collector import every
from collectors.servers.icecast import Icecast
from collectors.servers.nginx_rtmp import NginxRtmp
from tests.accounts.simulated import now, simulate
from tests.bench.figures import most_in_a_second
from tests.own_servers import STATUS, recorded

INTERVAL_S = 5.0
HALLS = [f"场馆-{number}" for number in range(200)]
PAGES = {"/stat": recorded("nginx_rtmp", number=2), "/status-json.xsl": STATUS}


class Answer:
    """Of a server that answers at once, as far as collectors read it."""

    status = 200

    def __init__(self, body: bytes) -> None:
        self.body, self.content = body, self

    async def __aenter__(self) -> "Answer":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def iter_any(self):
        yield self.body


class Http:
    def get(self, url: str, **_: object) -> Answer:
        return self.request("GET", url)

    def request(self, _: str, url: object, **__: object) -> Answer:
        return Answer(next(page for path, page in PAGES.items() if str(url).endswith(path)))


def icecast(name: str) -> Icecast:
    return Icecast(name=name, url="http://10.0.0.7:8000", interval_s=INTERVAL_S)


def nginx(name: str) -> NginxRtmp:
    return NginxRtmp(name=name, url="http://10.0.0.7/stat", interval_s=INTERVAL_S)


async def polls(row: Icecast | NginxRtmp, asked: list[float]) -> None:
    clock = asyncio.get_running_loop().time

    async def emit(_: bytes, __: datetime) -> None:
        asked.append(clock())

    await row.collect(cast(aiohttp.ClientSession, Http()), emit, now)


def polled(kind: Callable[[str], Icecast | NginxRtmp], from_s: float, for_s: float) -> dict[str, list[float]]:
    """The instants at which each hall was asked, all of whose feeds began together."""
    asked: dict[str, list[float]] = {name: [] for name in HALLS}

    async def play() -> None:
        await asyncio.sleep(from_s)
        tasks = [asyncio.create_task(polls(kind(name), instants)) for name, instants in asked.items()]
        await asyncio.sleep(for_s)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    simulate(play())
    return asked


@pytest.mark.parametrize("kind", [icecast, nginx])
def test_200_feeds_that_began_in_one_instant_ask_evenly_over_their_interval(kind: Callable[[str], Icecast | NginxRtmp]):
    asked = polled(kind, 100.0, 60.0)
    assert {instants[0] for instants in asked.values()} == {100.0}, "until the first answer a feed is blind"
    for instants in asked.values():
        assert instants[1] - instants[0] <= INTERVAL_S + 1e-6
        assert [after - before for before, after in pairwise(instants[1:])] == pytest.approx(
            [INTERVAL_S] * (len(instants) - 2), abs=1e-5
        )
    places = sorted(instants[1] / INTERVAL_S % 1.0 for instants in asked.values())
    apart = max(abs(place - (number + 0.5) / len(places)) for number, place in enumerate(places))
    assert apart < 1.95 / sqrt(len(places)), "Kolmogorov and Smirnov: of even places one set in a thousand is so uneven"
    later = sorted(at for at in chain(*asked.values()) if at > 100.0 + INTERVAL_S)
    assert most_in_a_second(later) < 65, "40 are even"


def test_after_a_restart_each_feed_asks_at_the_place_that_it_had():
    before, after = (polled(icecast, from_s, 20.0) for from_s in (100.0, 7_654.3))
    for name in HALLS:
        places = [instants[-1] / INTERVAL_S % 1.0 for instants in (before[name], after[name])]
        assert places == pytest.approx([place_of(name)] * 2, abs=1e-5)
    assert (round(place_of("hall-a"), 6), round(place_of("场馆甲"), 6)) == (0.425019, 0.808081), "of every process"


def test_a_feed_that_is_begun_anew_again_and_again_is_never_asked_later_than_it_would_have_been():
    """As where its rooms change every few seconds."""
    asked: list[float] = []

    async def play() -> None:
        for alive_s in [0.5, 4.999, 7.0, 5.0, 0.1, 12.0, 3.0] * 5:
            task = asyncio.create_task(polls(icecast("hall-a"), asked))
            await asyncio.sleep(alive_s)
            task.cancel()
            await asyncio.wait([task])

    simulate(play())
    assert len(asked) > 35
    assert max(after - before for before, after in pairwise(asked)) <= INTERVAL_S + 1e-5


@pytest.mark.parametrize("feed", ["hall-a", "场馆甲", ""])
def test_a_beat_that_is_late_comes_at_once_and_a_named_feed_goes_back_to_its_place(feed: str):
    beats: list[float] = []

    async def play() -> None:
        clock = asyncio.get_running_loop().time
        async for _ in every(INTERVAL_S, feed):
            beats.append(clock())
            if len(beats) == 8:
                break
            if len(beats) == 4:
                await asyncio.sleep(2.5 * INTERVAL_S)

    simulate(play())
    late = beats[4] - beats[3]
    assert late == pytest.approx(2.5 * INTERVAL_S, abs=1e-5)
    gaps = [after - before for before, after in pairwise(beats[4:])]
    if feed:
        assert [at / INTERVAL_S % 1.0 for at in beats[5:]] == pytest.approx([place_of(feed)] * 3, abs=1e-5)
        assert gaps == pytest.approx([INTERVAL_S / 2, INTERVAL_S, INTERVAL_S], abs=1e-5)
    else:
        assert gaps == pytest.approx([INTERVAL_S] * 3, abs=1e-5), "without a name those after it are moved"


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1e9), st.floats(0.05, 3_600))
def test_beats_are_one_interval_apart_however_floats_are_rounded(place: float, at_s: float, interval_s: float):
    beats = [beat_after(place, at_s, interval_s)]
    for _ in range(20):
        beats.append(beat_after(place, beats[-1], interval_s))
    assert at_s < beats[0] <= at_s + interval_s * (1 + 1e-6)
    assert [after - before for before, after in pairwise(beats)] == pytest.approx([interval_s] * 20, rel=1e-4)


def test_every_kind_that_polls_gives_its_name():
    """One that does not asks together with all others that began when it did."""
    for folder in ("servers", "platforms"):
        for path in sorted((Path(collectors.__file__).parent / folder).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "every":
                    named = [ast.unparse(argument) for argument in node.args[1:]]
                    assert named == ["self.name"], f"{path.name}:{node.lineno}"
