"""A hall answers as its rooms stand, and what it records of each answer is what the real collector has had of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, cast

import aiohttp
import msgspec
import pytest

from collectors.collector import BadFrame, Collector, FeedRow
from monitor.rehearsal.event.cast import OWN, Part
from monitor.rehearsal.event.play import RoomNow
from monitor.rehearsal.house import SERVERS, shown
from monitor.rehearsal.manners import server_of
from monitor.rehearsal.platforms.hall import Hall
from monitor.rehearsal.scene import How, Scene
from monitor.rehearsal.truth import OFF_AIR, frames_of, viewers_of
from tests.rehearsal.staged import BEGAN_AT, loaded, part, restless, staged, until

HALLS = {server_of(hall): hall for hall in "AEFGHI"}
ALL = pytest.mark.parametrize("kind", HALLS)
PATHS = {
    "nginx_rtmp": "/stat", "srs": "/api/v1/clients/", "node_media_server": "/api/v1/streams",
    "zlmediakit": "/index/api/getMediaList", "mediamtx": "/v3/paths/list", "icecast": "/admin/stats",
}  # fmt: skip


class Frame(NamedTuple):
    feed: str
    at: datetime
    outcome: str
    viewers: list[int] | None


class Visit(NamedTuple):
    """A hall that is open, and the real collector of it, by the hall's own settings."""

    hall: Hall
    scene: Scene
    feed: FeedRow
    parts: Sequence[Part]

    @property
    def name(self) -> str:
        return self.hall.name

    async def ask(self) -> bytes:
        """The first frame of a collector that begins anew."""
        heard = asyncio.Queue[bytes]()

        async def emit(frame: bytes, at: datetime) -> None:
            heard.put_nowait(frame)

        collecting = asyncio.ensure_future(cast(Collector, self.feed).collect(self.scene.http, emit, self.scene.now))
        hearing = asyncio.ensure_future(heard.get())
        try:
            await asyncio.wait([collecting, hearing], return_when=asyncio.FIRST_COMPLETED)
            return collecting.result() if collecting.done() else hearing.result()  # type: ignore[func-returns-value]
        finally:
            collecting.cancel()
            hearing.cancel()
            await asyncio.gather(collecting, hearing, return_exceptions=True)

    def frames(self) -> list[Frame]:
        self.scene.truth.flush()
        return [
            Frame(feed, at, outcome, None if blob is None else list(viewers_of(blob)))
            for feed, at, outcome, blob in frames_of(self.scene.truth.path)
        ]

    async def recorded(self, number: int) -> list[Frame]:
        await until(lambda: len(self.frames()) >= number)
        return self.frames()

    def understood(self, page: bytes, at: datetime) -> list[int | None]:
        """As a frame of the truth, what the collector understands of each room of the hall."""
        ticks = {tick.room: tick for tick in cast(Collector, self.feed).parse(page, at)}
        assert set(ticks) == {each.room for each in self.parts}
        return [ticks[each.room].viewers if ticks[each.room].live else OFF_AIR for each in self.parts]


def crowded(each: Part, clock_s: float) -> RoomNow:
    """Far more than the kernel takes over for a reader who does not read."""
    return RoomNow(
        each, True, True, viewers=1_500, connection=each.number + 1, connected_s=50, received_s=50, kbps=900, away_s=0
    )


@asynccontextmanager
async def visited(
    folder: Path, kind: str = OWN, shown_as: object = restless, rooms: int = 40
) -> AsyncIterator[Visit]:  # fmt: skip
    hall = HALLS[kind]
    parts = [part(number, hall=hall) for number in range(5, 5 + rooms)]
    others = [part(1, hall="B", room="live/other"), part(2, "wechat", room="sphLN00002", hall=hall)]
    async with staged(folder, [others[0], *parts, others[1]], shown_as) as scene:  # type: ignore[arg-type]
        played = next(one for one in shown(scene, ()) if one.name == f"hall-{hall.lower()}")
        assert isinstance(played, Hall)
        await played.open()
        try:
            feed = next(feed for feed in loaded(folder, played.settings()).feeds if feed.name == played.name)
            yield Visit(played, scene, msgspec.structs.replace(feed, rooms=[each.room for each in parts]), parts)
        finally:
            await played.close()


@ALL
async def test_the_collector_understands_what_is_recorded_whenever_it_asks(tmp_path: Path, kind: str) -> None:
    kinds = set()
    async with visited(tmp_path, kind, hasty) as visit:
        for number in range(1, 61):  # on a busy machine one look takes longer than a state
            page = await visit.ask()
            frame = (await visit.recorded(number))[-1]
            assert (frame.feed, frame.outcome) == (visit.name, "answered")
            assert frame.viewers == visit.understood(page, frame.at)
            look = visit.hall.last()
            rooms = [hasty(each, look.clock_s) for each in visit.parts]
            assert frame.viewers == [room.viewers if room.publishing else OFF_AIR for room in rooms]
            kinds |= {(room.on_air, room.publishing, bool(room.viewers), bool(room.frozen_s)) for room in rooms}
            if number >= 8 and len(kinds) >= 6:
                break
            await asyncio.sleep(0.1)
    assert len(kinds) >= 6  # off, live, frozen, alone, dropped with and without who waits


def hasty(each: Part, clock_s: float) -> RoomNow:
    """Another state each tenth of a second."""
    return restless(each, 10 * clock_s)


def steady(each: Part, clock_s: float) -> RoomNow:
    """On air since a minute before the play."""
    return RoomNow(
        each, True, True, 0.0, each.number % 7, 900 + each.number, clock_s + 60, clock_s + 60, 1500, 70, 90, 3, away_s=0
    )


@ALL
async def test_an_encoder_keeps_its_name_while_it_is_connected(tmp_path: Path, kind: str) -> None:
    async with visited(tmp_path, kind, steady) as visit:
        keys, progress = set(), dict[str, set[int | None]]()
        for _ in range(4):
            for tick in cast(Collector, visit.feed).parse(await visit.ask(), BEGAN_AT):
                keys.add((tick.room, tick.session_key))
                progress.setdefault(tick.room, set()).add(tick.progress)
            await asyncio.sleep(max(0.1, visit.hall.told.COUNTING.steps_s / 2))
    assert len(keys) == len(visit.parts)
    assert len({key for _, key in keys}) == len(visit.parts) or kind == "icecast"  # whose key is when they began
    assert all(len(told) >= 2 for told in progress.values())  # bytes come, each few seconds at least


@pytest.mark.parametrize("rooms", [98, 99, 100, 101, 199, 200, 250])
@pytest.mark.parametrize("kind", ["srs", "mediamtx"])
async def test_a_list_in_pages_is_one_frame_with_all_rooms(tmp_path: Path, kind: str, rooms: int) -> None:
    async with visited(tmp_path, kind, steady, rooms) as visit:
        page = await visit.ask()
        [frame] = await visit.recorded(1)
        assert (frame.outcome, frame.viewers) == ("answered", visit.understood(page, frame.at))
        assert OFF_AIR not in (frame.viewers or ())


@ALL
@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("refuse", aiohttp.ClientConnectionError), ("error", aiohttp.ClientResponseError),
        ("hang", TimeoutError), ("garbage", BadFrame),
    ],
)  # fmt: skip
async def test_in_trouble_every_answer_has_failed(
    tmp_path: Path, kind: str, how: How, error: type[Exception]
) -> None:  # fmt: skip
    async with visited(tmp_path, kind) as visit:
        visit.hall.trouble.feed = how
        with pytest.raises(error):
            async with asyncio.timeout(0.4 if how == "hang" else 5):
                cast(Collector, visit.feed).parse(await visit.ask(), BEGAN_AT)
        failed = await visit.recorded(1)  # two where it is cut: aiohttp tries again
        assert {frame[2:] for frame in failed} == {("failed", None)}
        visit.hall.trouble.feed = None
        page = await visit.ask()
        answered = (await visit.recorded(len(failed) + 1))[-1]
        assert (answered.outcome, answered.viewers) == ("answered", visit.understood(page, BEGAN_AT))


async def test_who_hung_when_the_trouble_was_over_gets_no_answer_of_a_later_state(tmp_path: Path) -> None:
    async with visited(tmp_path) as visit:
        visit.hall.trouble.feed = "hang"
        reader, writer = await asyncio.open_connection("127.0.0.1", int(visit.hall.url.split(":")[2].split("/")[0]))
        writer.write(b"GET /stat HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.3)  # more than one look at the trouble
        assert visit.frames() == []
        visit.hall.trouble.feed = None
        assert await reader.read() == b""
        assert [frame.outcome for frame in await visit.recorded(1)] == ["failed"]
        writer.close()


@pytest.mark.parametrize(("shown_as", "read"), [(restless, 100), (crowded, 100), (crowded, 1_000_000)])
async def test_who_leaves_without_having_read_all_has_had_nothing(tmp_path: Path, shown_as: object, read: int) -> None:
    async with visited(tmp_path, shown_as=shown_as) as visit:
        reader = await asyncio.to_thread(leave, visit.hall.url, read)
        assert reader == read
        assert [frame[2:] for frame in await visit.recorded(1)] == [("failed", None)]


def leave(url: str, read: int) -> int:
    """Ask, read so many bytes, and close the connection; how many came."""
    with socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])), 10) as connection:
        connection.sendall(b"GET /stat HTTP/1.1\r\nHost: x\r\n\r\n")
        got = 0
        while got < read:
            got += len(connection.recv(min(65_536, read - got)))
        connection.recv(1, socket.MSG_PEEK)  # there is more
    return got


@ALL
async def test_other_pages_are_not_found_and_are_no_frames(tmp_path: Path, kind: str) -> None:
    async with visited(tmp_path, kind) as visit:
        address = visit.hall.url.removesuffix(visit.hall.told.PATH)
        for path in ("/", PATHS[kind] + "us"):
            async with visit.scene.http.get(address + path) as reply:
                assert reply.status == 404
        method = "GET" if kind == "zlmediakit" else "POST"
        async with visit.scene.http.request(method, address + PATHS[kind]) as reply:
            assert reply.status == 404
        await visit.ask()
        assert len(await visit.recorded(1)) == 1


@pytest.mark.parametrize("kind", ["node_media_server", "zlmediakit", "icecast"])
async def test_who_does_not_know_the_secret_has_no_answer_and_it_is_no_frame(tmp_path: Path, kind: str) -> None:
    async with visited(tmp_path, kind) as visit:
        secret = tmp_path / "secrets" / visit.name
        right = secret.read_bytes()
        secret.write_bytes(b"another")
        with pytest.raises(Exception, match="secret"):
            await visit.ask()
        secret.write_bytes(right)
        await visit.ask()
        assert len(await visit.recorded(1)) == 1


async def test_it_is_served_as_nginx_would(tmp_path: Path) -> None:
    async with visited(tmp_path) as visit, visit.scene.http.get(visit.hall.url + "?x") as reply:
        assert (reply.status, reply.content_type, reply.headers["Server"]) == (200, "text/xml", "nginx/1.26.3")


async def test_a_hall_that_closes_lets_nobody_hang(tmp_path: Path) -> None:
    async with visited(tmp_path) as visit:
        visit.hall.trouble.feed = "hang"
        asking = asyncio.ensure_future(visit.ask())
        await until(lambda: visit.hall.server._busy)
        await visit.hall.close()
        with pytest.raises(aiohttp.ClientConnectionError):
            await asking
        assert [frame.outcome for frame in visit.frames()] == ["failed"]


@ALL
async def test_its_settings_are_a_feed_of_livemon(tmp_path: Path, kind: str) -> None:
    async with visited(tmp_path, kind) as visit:
        feed = visit.feed
        assert feed.__struct_config__.tag == kind
        assert (feed.platform or feed.PLATFORM) == OWN
        assert (feed.name, feed.hall, feed.url, feed.interval_s) == (  # type: ignore[attr-defined]
            visit.name, HALLS[kind], visit.hall.url, 5.0,
        )  # fmt: skip


def test_every_kind_of_server_has_a_hall() -> None:
    assert set(SERVERS) == set(HALLS)
