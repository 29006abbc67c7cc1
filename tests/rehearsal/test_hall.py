"""A hall answers as its rooms stand, and what it records of each answer is what the real collector has had of it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from collectors.collector import BadFrame
from collectors.servers.nginx_rtmp import NginxRtmp
from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.play import RoomNow
from monitor.rehearsal.platforms.nginx_rtmp import Hall
from monitor.rehearsal.scene import How, Scene
from monitor.rehearsal.truth import OFF_AIR, frames_of, viewers_of
from tests.rehearsal.staged import BEGAN_AT, loaded, part, restless, staged, until

PARTS = [part(number) for number in range(5, 45)]
OTHERS = [part(1, hall="B", room="live/other"), part(2, "wechat", room="sphLN00002")]


class Frame(NamedTuple):
    feed: str
    at: datetime
    outcome: str
    viewers: list[int] | None


class Visit(NamedTuple):
    """A hall that is open, and the real collector of it."""

    hall: Hall
    scene: Scene
    feed: NginxRtmp

    async def ask(self) -> bytes:
        return await self.feed.ask(self.scene.http)

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
        ticks = {tick.room: tick for tick in self.feed.parse(page, at)}
        assert set(ticks) == {each.room for each in PARTS}
        return [ticks[each.room].viewers if ticks[each.room].live else OFF_AIR for each in PARTS]


def crowded(each: Part, clock_s: float) -> RoomNow:
    """Far more than the kernel takes over for a reader who does not read."""
    return RoomNow(each, True, True, viewers=1_500, connection=each.number + 1, connected_s=50, received_s=50, kbps=900)


@asynccontextmanager
async def visited(folder: Path, shown: object = restless) -> AsyncIterator[Visit]:
    async with staged(folder, [OTHERS[0], *PARTS, OTHERS[1]], shown) as scene:  # type: ignore[arg-type]
        hall = Hall(scene, "A")
        await hall.open()
        try:
            rooms = [each.room for each in PARTS]
            yield Visit(hall, scene, NginxRtmp(name="hall-a", url=hall.url, rooms=rooms, interval_s=1.0))
        finally:
            await hall.close()


async def test_the_collector_understands_what_is_recorded_at_every_instant(tmp_path: Path) -> None:
    kinds = set()
    async with visited(tmp_path) as visit:
        for second in range(150):
            at = BEGAN_AT + timedelta(seconds=second)
            page, viewers = visit.hall.page(at)
            assert visit.understood(page, at) == viewers
            rooms = [restless(each, float(second)) for each in PARTS]
            assert viewers == [room.viewers if room.publishing else OFF_AIR for room in rooms]
            kinds |= {(room.on_air, room.publishing, bool(room.viewers), bool(room.frozen_s)) for room in rooms}
    assert len(kinds) >= 6  # off, live, frozen, alone, dropped with and without who waits


async def test_an_encoder_keeps_its_name_while_it_is_connected(tmp_path: Path) -> None:
    async with visited(tmp_path) as visit:
        keys = set()
        for second in range(60):
            page, _ = visit.hall.page(BEGAN_AT + timedelta(seconds=second))
            keys |= {(tick.room, tick.session_key) for tick in visit.feed.parse(page, BEGAN_AT) if tick.live}
    assert len(keys) == len(PARTS)


async def test_an_answer_is_recorded_with_the_instant_of_its_state(tmp_path: Path) -> None:
    async with visited(tmp_path) as visit:
        for number in range(1, 4):
            before = visit.scene.now()
            page = await visit.ask()
            after = visit.scene.now()
            frame = (await visit.recorded(number))[-1]
            assert (frame.feed, frame.outcome) == ("hall-a", "answered")
            assert before <= frame.at <= after
            assert frame.viewers == visit.understood(page, after)
            assert page == visit.hall.page(frame.at)[0]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("refuse", aiohttp.ClientConnectionError), ("error", aiohttp.ClientResponseError),
        ("hang", TimeoutError), ("garbage", BadFrame),
    ],
)  # fmt: skip
async def test_in_trouble_every_answer_has_failed(tmp_path: Path, how: How, error: type[Exception]) -> None:
    async with visited(tmp_path) as visit:
        visit.hall.trouble.feed = how
        with pytest.raises(error):
            async with asyncio.timeout(0.4 if how == "hang" else 5):
                visit.feed.parse(await visit.ask(), BEGAN_AT)
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


@pytest.mark.parametrize(("shown", "read"), [(restless, 100), (crowded, 100), (crowded, 1_000_000)])
async def test_who_leaves_without_having_read_all_has_had_nothing(tmp_path: Path, shown: object, read: int) -> None:
    async with visited(tmp_path, shown) as visit:
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


async def test_other_pages_are_not_found_and_are_no_frames(tmp_path: Path) -> None:
    async with visited(tmp_path) as visit:
        for url in (visit.hall.url.replace("/stat", "/"), visit.hall.url + "us"):
            async with visit.scene.http.get(url) as reply:
                assert reply.status == 404
        async with visit.scene.http.post(visit.hall.url) as reply:
            assert reply.status == 404
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


async def test_its_settings_are_a_feed_of_livemon(tmp_path: Path) -> None:
    async with visited(tmp_path) as visit:
        config = loaded(tmp_path, visit.hall.settings())
        [feed] = config.feeds
        assert isinstance(feed, NginxRtmp)
        assert (feed.name, feed.hall, feed.url, feed.interval_s) == ("hall-a", "A", visit.hall.url, 5.0)
