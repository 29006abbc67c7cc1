"""nginx-rtmp: hostile and broken answers, and how the collector asks; recorded answers are in test_feeds."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from collectors import frames
from collectors.collector import BadFrame, FeedRefused, PartlyRead
from collectors.former_worker import FormerWorkers
from collectors.servers.nginx_rtmp import NginxRtmp, is_another_worker
from collectors.tick import Tick

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
RECORDED = Path(__file__).parent / "feeds/nginx_rtmp/one_evening/frames.jsonl"
EVENING = [frame for frame, _ in frames.decode_lines(RECORDED.read_bytes().splitlines())]
LIVE = EVENING[2]  # live/room1 with two viewers
STREAM = LIVE[LIVE.index(b"<stream>") : LIVE.index(b"</stream>") + len(b"</stream>")]


def feed(**settings: object) -> NginxRtmp:
    return NginxRtmp(**{"name": "hall-a", "url": "http://127.0.0.1/stat", "rooms": ["live/room1"], **settings})  # type: ignore[arg-type]


def changed(old: bytes, new: bytes, frame: bytes = LIVE) -> bytes:
    assert old in frame
    return frame.replace(old, new)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "not_xml"),
        (b"null", "not_xml"),
        (b"{}", "not_xml"),
        (b"<rtmp/>", "not_rtmp_stat"),
        (LIVE[:-20], "not_xml"),
        (LIVE[: len(LIVE) // 2], "not_xml"),
        (LIVE + b"<rtmp></rtmp>", "not_xml"),
        (LIVE + LIVE, "not_xml"),
        (b"\xef\xbb\xbf\xef\xbb\xbf" + LIVE, "not_xml"),
        (LIVE.decode().encode("utf-16"), "not_utf8"),
        (changed(b"room1", "直播间".encode("gb18030")), "not_utf8"),
        (changed(b"room1", b"\xed\xa0\x80"), "not_utf8"),
        (changed(b"room1", b"ro\x00om"), "not_xml"),
        (changed(b"room1", b"ro\x1bom"), "not_xml"),
        (changed(b"<name>room1", b"<name><b>room1"), "not_xml"),
        (b"<html><head><title>login</title></head><body></body></html>", "not_rtmp_stat"),
        (b"<!DOCTYPE html><html><body>login</body></html>", "dtd"),
        (changed(b"<rtmp>", b'<!DOCTYPE rtmp [<!ENTITY a "b">]><rtmp>'), "dtd"),
        (changed(b"room1", b"&xxe;"), "not_xml"),
        (changed(b"rtmp>", b"srs>"), "not_rtmp_stat"),
        (changed(b"<pid>30557</pid>", b""), "not_rtmp_stat"),
        (changed(b"<nclients>3</nclients>", b"<nclients>NaN</nclients>"), "bad_number"),
        (changed(b"<nclients>3</nclients>", b"<nclients>3.0</nclients>"), "bad_number"),
        (changed(b"<nclients>3</nclients>", b"<nclients>1e3</nclients>"), "bad_number"),
        (changed(b"<nclients>3</nclients>", b"<nclients>1_000</nclients>"), "bad_number"),
        (changed(b"<nclients>3</nclients>", "<nclients>３</nclients>".encode()), "bad_number"),
        (changed(b"<nclients>3</nclients>", b"<nclients></nclients>"), "bad_number"),
        (changed(b"<nclients>3</nclients>", b""), "bad_number"),
        (changed(b"<bw_in>107592", b"<bw_in>" + b"9" * 5000), "bad_number"),
        (changed(b"<bytes_in>199109", b"<bytes_in>0x1f"), "bad_number"),
    ],
)
def test_a_frame_that_means_nothing_is_refused_by_name(frame: bytes, reason: str) -> None:
    with pytest.raises(BadFrame, match=f"^{reason}: "):
        feed().parse(frame, AT)


def test_a_page_without_any_live_list_is_no_hall_that_is_off_air() -> None:
    only_totals = (
        LIVE[: LIVE.index(b"<server>")] + b"<server><application><name>live</name></application></server></rtmp>"
    )
    with pytest.raises(BadFrame, match="rtmp_stat all"):
        feed().parse(only_totals, AT)


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        (b"<nclients>3", b"<nclients>0", -1),
        (b"<nclients>3", b"<nclients>-7", -8),
        (b"<nclients>3", b"<nclients>2147483649", 2**31),
        (b"<nclients>3", b"<nclients>18446744073709551616", 2**64 - 1),
    ],
)
def test_an_absurd_number_of_one_stream_passes_as_it_is_and_blinds_no_other(old: bytes, new: bytes, seen: int) -> None:
    absurd = changed(old, new, STREAM).replace(b"room1", b"room2")
    ticks = feed(rooms=["live/room1", "live/room2"]).parse(changed(STREAM, STREAM + absurd), AT)
    assert [tick.viewers for tick in ticks] == [2, seen]


def test_the_publisher_its_relays_and_waiting_players_are_no_viewers() -> None:
    relayed = changed(b"<flashver>LNX 9,0,124,2", b"<flashver>ngx-local-relay")
    assert feed().parse(relayed, AT)[0].viewers == 0
    assert feed(probes=["127.0.0.1"]).parse(LIVE, AT)[0].viewers == 0
    assert feed(probes=["127.0.0.10"]).parse(LIVE, AT)[0].viewers == 2
    waiting = EVENING[6]
    assert b"<client>" in waiting
    assert feed().parse(waiting, AT) == [Tick("hall-a", "live/room1", AT, "status", False)]


def test_a_stream_of_a_vod_list_is_no_live_stream() -> None:
    film = b"<play><stream><name>film.mp4</name><nclients>1</nclients></stream><nclients>1</nclients></play>"
    application = b"</live>\r\n</application>\r\n<application>"
    ticks = feed().parse(changed(application, application.replace(b"</live>", b"</live>" + film)), AT)
    assert [tick.room for tick in ticks] == ["live/room1"]


def test_a_name_that_nginx_cannot_show_is_never_called_off_air() -> None:
    rooms = ["live/直播间一", "live/room1", "live/nobody", "live/tab\t"]
    assert [tick.room for tick in feed(rooms=rooms).parse(LIVE, AT)] == ["live/room1", "live/nobody"]


def test_of_two_streams_under_one_name_the_first_live_one_speaks() -> None:
    waiting = EVENING[6][EVENING[6].index(b"<stream>") : EVENING[6].index(b"</stream>") + len(b"</stream>")]
    second = STREAM.replace(b"<id>3<", b"<id>99<")
    for streams in (STREAM + second, waiting + STREAM + second, STREAM + waiting + second):
        ticks = feed().parse(changed(STREAM, streams), AT)
        assert [(tick.live, tick.session_key) for tick in ticks] == [(True, "30557:3")]


def test_markup_deep_as_a_well_is_refused_without_a_crash() -> None:
    deep = changed(b"room1", b"<a>" * 100_000 + b"</a>" * 100_000)
    assert [tick.live for tick in feed().parse(deep, AT)] == [False, True]  # a stream whose name is no text


@pytest.mark.parametrize(
    ("pid", "uptime_s", "elapsed_s", "another"),
    [
        (30557, 1_005, 5.0, False),  # the same process
        (30558, 1_005, 5.0, True),  # another one, of a server that goes on
        (30558, 1_001, 5.0, True),  # the one before was slow to answer
        (30558, 1_040, 40.0, True),  # we did not look for a while
        (30558, 4, 5.0, False),  # the server was loaded anew
        (30558, 9, 5.0, False),  # that took it so long that the former worker answered meanwhile
        (30558, 38, 40.0, False),
    ],
)
def test_another_worker_is_told_from_a_restart_and_a_reload_by_its_uptime(
    pid: int, uptime_s: int, elapsed_s: float, another: bool
) -> None:
    frame = changed(b"<pid>30557</pid>\r\n<uptime>18", b"<pid>%d</pid>\r\n<uptime>%d" % (pid, uptime_s))
    assert is_another_worker(frame, (30557, 1_000), elapsed_s) is another


def test_a_frame_without_a_pid_is_left_to_the_parser() -> None:
    assert not is_another_worker(b"<html>", (30557, 1_000), 5.0)


Answers = Iterator[web.Response]


async def heard(answers: Answers, count: int, **settings: object) -> list[tuple[bytes, datetime]]:
    """Run the collector against a server that gives these answers, until `count` frames came."""
    frames_heard: list[tuple[bytes, datetime]] = []
    enough = asyncio.Event()

    async def emit(frame: bytes, at: datetime) -> None:
        frames_heard.append((frame, at))
        if len(frames_heard) >= count:
            enough.set()

    async with serving(answers) as url, aiohttp.ClientSession() as http:
        collecting = feed(url=url, interval_s=0.1, **settings).collect(http, emit, lambda: datetime.now(UTC))
        waiting = asyncio.ensure_future(enough.wait())
        hearing = asyncio.ensure_future(collecting)
        try:
            await asyncio.wait({hearing, waiting}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
            assert enough.is_set()
        finally:
            for task in (hearing, waiting):
                task.cancel()
            await asyncio.gather(hearing, waiting, return_exceptions=True)
    return frames_heard


class serving:
    """A web server on loopback that gives one prepared answer after the other."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    async def __aenter__(self) -> str:
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = self.next_answer
        self.runner = web.ServerRunner(web.Server(handler))
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/stat"

    async def next_answer(self, request: web.BaseRequest) -> web.StreamResponse:
        return next(self.answers)

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()


def pages(*numbers: tuple[int, int]) -> Answers:
    """Stat pages with these pids and uptimes; the last one again and again."""
    while True:
        (pid, uptime_s), *rest = numbers
        head = b"<pid>%d</pid>\r\n<uptime>%d" % (pid, uptime_s)
        yield web.Response(body=changed(b"<pid>30557</pid>\r\n<uptime>18", head), content_type="text/xml")
        numbers = tuple(rest) or numbers


async def test_each_poll_is_a_frame_stamped_before_its_request_left() -> None:
    began = datetime.now(UTC)
    first, second = await heard(pages((1, 100)), 2)
    assert began <= first[1] < second[1] < began + timedelta(seconds=5)
    assert feed().parse(*first)[0].viewers == 2


async def test_several_workers_are_refused_before_a_wrong_list_was_heard() -> None:
    with pytest.raises(FeedRefused, match="worker_processes 1"):
        await heard(pages((1, 100), (2, 100), (2, 100), (1, 100)), 2)


async def test_a_crashed_worker_that_never_comes_back_is_no_reason_to_refuse() -> None:
    heard_frames = await heard(pages((1, 100), (2, 100)), 3)
    assert [b"<pid>1<" in frame for frame, _ in heard_frames] == [True, False, False]


async def test_a_restart_is_no_reason_to_refuse() -> None:
    assert len(await heard(pages((1, 100), (2, 0), (1, 0)), 3)) == 3


@pytest.mark.parametrize("status", [302, 401, 403, 404, 500, 503])
async def test_an_answer_that_is_not_200_is_an_error(status: int) -> None:
    answers = iter([web.Response(status=status, headers={"Location": "/login"}, body=LIVE)])
    with pytest.raises(aiohttp.ClientResponseError, match=str(status)):
        await heard(answers, 1)


async def test_an_answer_over_the_limit_is_refused_while_it_comes() -> None:
    answers = iter([web.Response(body=b"<rtmp>" + b" " * 5_000_000)])
    with pytest.raises(BadFrame, match=r"^too_large: .* 1000000 bytes"):
        await heard(answers, 1, body_bytes_max=1_000_000)


async def test_a_compressed_answer_is_measured_as_it_unfolds() -> None:
    bomb = web.Response(body=b"<rtmp>" + b" " * 50_000_000)
    bomb.enable_compression(web.ContentCoding.gzip)
    with pytest.raises(BadFrame, match=r"^too_large: "):
        await heard(iter([bomb]), 1, body_bytes_max=1_000_000)


class Loaded:
    """What is remembered of one nginx from answer to answer: who is hidden after each of them."""

    def __init__(self, *rooms: str) -> None:
        self.row = feed(rooms=list(rooms))
        self.former = FormerWorkers(self.row.rooms or (), self.row.on_air)

    def answers(self, seconds: float, pid: int, *on_air: str, before: int, another: bool = False) -> set[str]:
        """`before`: who answered the poll before this one; 0: it failed."""
        listed = b"".join(STREAM.replace(b"room1", room.encode()) for room in on_air)
        page = changed(STREAM, listed).replace(b"<pid>30557<", b"<pid>%d<" % pid)
        at = AT + timedelta(seconds=seconds)
        frame = self.former.framed(page, at, before, another)
        ticks, hidden = read(self.row, frame, at)
        assert {tick.room for tick in ticks if tick.live} == {f"live/{room}" for room in on_air}
        return hidden


def read(row: NginxRtmp, frame: bytes, at: datetime) -> tuple[list[Tick], set[str]]:
    """The ticks of a frame, and the rooms that it hides."""
    try:
        return row.parse(frame, at), set()
    except PartlyRead as error:
        told = error
    assert told.whole
    assert set(told.unseen.values()) == {"reload"}
    assert not told.unseen.keys() & {tick.room for tick in told.ticks}
    return list(told.ticks), set(told.unseen)


A, B, C = "live/a", "live/b", "live/c"


def test_after_a_reload_nothing_is_said_of_who_was_on_air_until_the_new_worker_lists_them_or_the_limit_passes() -> None:
    nginx = Loaded(A, B, C)
    assert nginx.answers(0, 1, "a", "b", before=0) == set()
    assert nginx.answers(5, 2, before=1) == {A, B}  # c was off air, and is
    assert nginx.answers(10, 2, "a", before=2) == {B}
    assert nginx.answers(15, 2, before=2) == {B}  # a was listed by this one, and went
    assert nginx.answers(904, 2, before=2) == {B}
    assert nginx.answers(905, 2, before=2) == set()


def test_a_reload_upon_a_reload_hides_each_room_for_its_own_time() -> None:
    nginx = Loaded(A, B)
    nginx.answers(0, 1, "a", before=0)
    assert nginx.answers(5, 2, "b", before=1) == {A}
    assert nginx.answers(600, 3, before=2) == {A, B}
    assert nginx.answers(905, 3, before=3) == {B}
    assert nginx.answers(1500, 3, before=3) == set()


def test_a_restart_that_a_failed_poll_saw_and_a_crash_hide_nobody() -> None:
    restarted, crashed = Loaded(A), Loaded(A)
    restarted.answers(0, 1, "a", before=0)
    assert restarted.answers(9, 2, before=0) == set()
    crashed.answers(0, 1, "a", before=0)
    assert crashed.answers(5, 2, before=1, another=True) == set()


def test_a_poll_that_fails_after_a_reload_shows_nobody_and_a_restart_then_all() -> None:
    nginx = Loaded(A)
    nginx.answers(0, 1, "a", before=0)
    assert nginx.answers(5, 2, before=1) == {A}
    assert nginx.answers(20, 2, before=0) == {A}
    nginx.former.framed(b"<html>", AT + timedelta(seconds=22), 0, False)
    assert nginx.answers(25, 2, before=2) == {A}
    assert nginx.answers(40, 3, before=0) == set()


def test_who_only_waits_for_a_hidden_room_does_not_show_how_it_stands() -> None:
    row = feed()
    former = FormerWorkers(row.rooms or (), row.on_air)
    former.framed(LIVE, AT, 0, False)
    waiting = changed(b"<pid>30557<", b"<pid>30600<", EVENING[6])
    assert read(row, former.framed(waiting, AT, 30557, False), AT) == ([], {"live/room1"})


def test_where_the_answer_before_a_reload_could_not_be_read_any_room_may_have_been_on_air() -> None:
    row = feed(rooms=[A, B])
    former = FormerWorkers(row.rooms or (), row.on_air)
    former.framed(LIVE[:-9], AT, 0, False)
    frame = former.framed(changed(b"<pid>30557<", b"<pid>30600<"), AT, 30557, False)
    assert read(row, frame, AT)[1] == {A, B}


async def test_a_reload_between_two_polls_hides_rooms_though_a_poll_fails_thereafter() -> None:
    loaded = no_streams_after(1, pages((1, 100), (2, 0)))
    answers = chain(islice(loaded, 3), iter([web.Response(status=503)]), loaded)
    told: list[tuple[list[bool | None], set[str]]] = []

    async def emit(frame: bytes, at: datetime) -> None:
        ticks, hidden = read(row, frame, at)
        told.append(([tick.live for tick in ticks], hidden))
        if len(told) == 5:
            raise asyncio.CancelledError

    async with serving(answers) as url, aiohttp.ClientSession() as http:
        row = feed(url=url, interval_s=0.1, rooms=["live/room1", A])
        for ending in (aiohttp.ClientResponseError, asyncio.CancelledError):
            with pytest.raises(ending):
                await row.collect(http, emit, lambda: datetime.now(UTC))
    assert told == [([True, False], set()), *[([False], {"live/room1"})] * 4]


def no_streams_after(count: int, answers: Answers) -> Answers:
    for number, answer in enumerate(answers):
        if number >= count:
            assert isinstance(answer.body, bytes)
            answer = web.Response(body=changed(STREAM, b"", answer.body))
        yield answer
