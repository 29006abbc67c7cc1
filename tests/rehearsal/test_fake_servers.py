"""Played servers of halls write what the real ones wrote, sign by sign but for the values, and count as they count."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import cast

import msgspec
import pytest

from collectors.collector import Collector, FeedRow
from collectors.tick import Tick
from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.play import Play, RoomNow
from monitor.rehearsal.event.script import Broadcast, Fault
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.house import SERVERS
from monitor.rehearsal.platforms.stream import Stream, Streams, word
from tests.own_servers import ROWS, recorded
from tests.rehearsal.server_pages import AT, SECRET, Seen, frame, pages
from tests.rehearsal.small_evening import broadcast
from tests.rehearsal.staged import part

ROOM = part(1, room="live/room1")
LIVE = Stream(RoomNow(ROOM, True, True, viewers=3, connection=7, connected_s=40, kbps=900, away_s=0), 7, 60.0, 40.0)
TOKEN = re.compile(r'("[^"]*" ?:)|(-?\d+(?:\.\d+)?)|"[^"]*"')  # a name, a number, or a text


def skeleton(text: bytes) -> str:
    """A page without its values: names, signs, order and the kind of each value stay."""
    if text.startswith(b"<"):
        return re.sub(r'(?<=>)[^<\n]+(?=<)|(?<=mount=")[^"]*', "", text.decode())
    return TOKEN.sub(lambda found: found[0] if found[1] else "0" if found[2] else '""', text.decode())


def one_row(skeleton: str) -> str:
    """What stands twice in a row is there once."""
    while (shorter := re.sub(r"(\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})(?:, ?\1)+", r"\1", skeleton)) != skeleton:
        skeleton = shorter
    return skeleton


@pytest.mark.parametrize(
    ("kind", "case", "number"),
    [
        ("srs", "one_evening", 1), ("node_media_server", "one_evening", 1), ("zlmediakit", "one_evening", 1),
        ("icecast", "by_admin", 0), ("mediamtx", "one_evening", 1),
    ],
)  # fmt: skip
def test_a_live_room_is_written_as_it_was_recorded(kind: str, case: str, number: int) -> None:
    real = recorded(kind, case, number)
    if kind == "icecast":  # the recorded mount has an authenticator, which its hall has not
        real = real.replace(b"<authenticator>url</authenticator>", b"")
    if kind == "mediamtx":  # beside a path that nobody publishes
        real = real[: real.index(b',{"name":"live/room2"')] + b"]}]}"
    made = frame(SERVERS[kind]("E", SECRET), Seen([LIVE]))
    assert one_row(skeleton(made)) == one_row(skeleton(real))


def test_players_who_wait_are_written_as_they_were_recorded() -> None:
    waiting = msgspec.structs.replace(
        LIVE, room=msgspec.structs.replace(LIVE.room, publishing=False, viewers=1, away_s=5)
    )
    real = recorded("srs", number=7)
    assert b'"active":false' in real
    streams = frame(SERVERS["srs"]("E", SECRET), Seen([waiting])).partition(b', {"code"')[0] + b"]}"
    assert skeleton(streams) == skeleton(real.partition(b', {"code"')[0].removesuffix(b"]}") + b"]}")
    made = pages(SERVERS["node_media_server"]("F", SECRET), Seen([waiting]))[0]
    real = recorded("node_media_server", number=4)
    assert b"reconnecting" in real
    assert skeleton(made) == skeleton(real)
    made = pages(SERVERS["zlmediakit"]("G", SECRET), Seen([waiting]))[0]
    real = recorded("zlmediakit", number=3)
    assert b'"originSock":null' in real
    assert one_row(skeleton(made)) == one_row(skeleton(real))


@pytest.mark.parametrize("kind", ["srs", "node_media_server", "zlmediakit", "mediamtx"])
def test_a_hall_that_is_off_air_is_written_as_it_was_recorded(kind: str) -> None:
    assert pages(SERVERS[kind]("E", SECRET), Seen([Stream(RoomNow(ROOM, False))]))[0] in (
        recorded(kind, number=0).replace(b"vid-3p6c0y1", named("server")).replace(b"g191u926", named("service"))
    )  # fmt: skip


def named(key: str) -> bytes:
    return str(SERVERS["srs"]("E", SECRET).process[key]).encode()  # type: ignore[attr-defined]


# --- how they count ---------------------------------------------------------------------------------------------------


class Scripted(Play):
    """A play of one room that is told by hand, at the speed given; so many watch, or wait."""

    def __init__(self, speed: float, viewers: int, *script: Broadcast, hall: str = "A") -> None:
        super().__init__([part(0, room="live/room1", hall=hall)], 1, Tempo(AT, speed))
        end = broadcast(9, 10**9, 10**9, ending="absent")
        self.told, self.scripts = [[*(faster(one, speed) for one in script), end]], [iter(())]
        self.viewers = viewers

    def room(self, index: int, clock_s: float) -> RoomNow:
        now = super().room(index, clock_s)
        return msgspec.structs.replace(now, viewers=self.viewers) if now.on_air else now


def faster(one: Broadcast, speed: float) -> Broadcast:
    faults = tuple(Fault(it.from_s * speed, it.to_s * speed, it.kind) for it in one.faults)
    return msgspec.structs.replace(
        one, starts_s=one.starts_s * speed, ends_s=one.ends_s * speed, faults=faults, speed=speed
    )  # fmt: skip


EVENING = broadcast(
    0, 10, 300, 300, Fault(50, 60, "drop"), Fault(100, 140, "drop"), Fault(200, 215, "freeze"),
)  # fmt: skip


def watched(
    kind: str, speed: float, viewers: int = 4, row: FeedRow | None = None
) -> Iterator[tuple[int, Tick]]:  # fmt: skip
    """What livemon's collector understands of the room, second by second."""
    server, play = SERVERS[kind]("E", SECRET), Scripted(speed, viewers, EVENING)
    streams, row = Streams(play, [0], server.COUNTING), msgspec.structs.replace(row or ROWS[kind], rooms=["live/room1"])
    for second in range(400):
        view = Seen(streams.at(float(second)), float(second), AT + timedelta(seconds=second))
        [tick] = cast(Collector, row).parse(frame(server, view), view.look.at)
        yield second, tick


@pytest.mark.parametrize("speed", [1.0, 7.0])
@pytest.mark.parametrize("kind", ROWS)
def test_a_room_is_live_while_it_is_published_and_each_connection_has_a_key(kind: str, speed: float) -> None:
    told = dict(watched(kind, speed))
    on_air = {second for second, tick in told.items() if tick.live}
    assert on_air == {*range(10, 50), *range(60, 100), *range(140, 300)}
    keys = [tick.session_key for tick in told.values() if tick.live]
    assert [key for key, following in pairwise([*keys, None]) if key != following] == list(dict.fromkeys(keys))
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("kind", "steps", "carried"),
    [
        ("srs", 3, (True, True)), ("node_media_server", 1, (True, False)), ("zlmediakit", 1, (True, False)),
        ("mediamtx", 1, (False, False)), ("icecast", 5, (False, False)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("speed", [1.0, 7.0])
def test_counters_move_as_often_as_the_servers_and_go_on_where_its_rows_do(
    kind: str, steps: int, carried: tuple[bool, bool], speed: float
) -> None:
    """Ten seconds away and forty; players wait all the time, of whom SRS alone keeps the row."""
    told = dict(watched(kind, speed))
    counted = {second: tick.progress or 0 for second, tick in told.items() if tick.live}
    assert [second for second in range(62, 99) if counted[second] != counted[second - 1]] == [
        second for second in range(62, 99) if (second - 60) % steps == 0
    ]
    assert (counted[60 + steps] > counted[49], counted[140 + steps] > counted[99]) == carried
    assert len({counted[second] for second in range(200 + steps, 215)}) == 1  # frozen
    assert counted[215 + steps] > counted[214]


def test_a_row_of_srs_that_nobody_waits_for_begins_anew() -> None:
    counted = {second: tick.progress or 0 for second, tick in watched("srs", 1.0, viewers=0) if tick.live}
    assert counted[63] < counted[49]


def test_node_media_server_and_zlmediakit_list_whoever_went_for_a_while() -> None:
    gone = {"node_media_server": range(300, 330), "zlmediakit": range(300, 315), "srs": (), "mediamtx": ()}
    for kind, seconds in gone.items():
        server = SERVERS[kind]("E", SECRET)
        streams = Streams(Scripted(1.0, 4, EVENING), [0], server.COUNTING)
        listed = [s for s in range(300, 400) if b"room1" in frame(server, Seen(streams.at(float(s)), float(s)))]
        assert listed == list(seconds), kind


def test_no_two_numbers_are_one_word() -> None:
    assert len({word(number, 3) for number in range(36**3)}) == 36**3
    assert len({word(10**11 + number, 8) for number in range(10_000)} & {word(n, 8) for n in range(10_000)}) == 0


def test_parts_are_named_as_the_cast_names_them() -> None:
    assert isinstance(ROOM, Part)
    assert (LIVE.app, LIVE.name) == ("live", "room1")
