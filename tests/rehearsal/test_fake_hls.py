"""A played packager writes lists as ffmpeg does, and what it says that they tell is what livemon understands."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any, cast

import pytest

from collectors.asked_frame import framed
from collectors.playlist import Known, Look, media_playlist
from collectors.servers.hls import Hls
from monitor.rehearsal.event.script import Broadcast, Fault
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.platforms.hls import Packager
from monitor.rehearsal.scene import Scene
from monitor.rehearsal.truth import OFF_AIR, Truth
from tests.own_servers import recorded
from tests.rehearsal.server_pages import AT
from tests.rehearsal.small_evening import broadcast
from tests.rehearsal.test_fake_servers import Scripted

ROOM = "live/room1"
EVENING = (
    broadcast(0, 10, 300, 300, Fault(50, 58, "drop"), Fault(100, 120, "drop"), Fault(200, 225, "freeze")),
    broadcast(1, 340, 500, 600, Fault(440, inf, "drop"), ending="broke_off"),
    broadcast(2, 800, 900, 900, Fault(880, 950, "drop")),
)


@pytest.fixture
def packager(tmp_path: Path) -> Iterator[Packager]:
    with Truth(tmp_path / "truth.sqlite") as truth:
        yield packaging(truth, 1.0, EVENING)


def packaging(truth: Truth, speed: float, script: Sequence[Broadcast]) -> Packager:
    play = Scripted(speed, 4, *script, hall="J")
    scene = Scene(play, Tempo(AT, speed), truth, cast(Any, None), "", lambda name: b"")
    return Packager(scene, "J")


def listed(packager: Packager, clock_s: float) -> bytes | None:
    return packager.written(0, packager.scene.play.room(0, clock_s), clock_s)[1]


def test_a_list_is_written_as_ffmpeg_writes_it(packager: Packager) -> None:
    real = recorded("hls", "ends", 0).partition(b"\n")[2].decode()  # written anew by hand: in another order, less exact
    sequence, target = "#EXT-X-MEDIA-SEQUENCE:0\n", "#EXT-X-TARGETDURATION:2\n"
    real = real.replace(sequence + target, target.replace("2", "4") + sequence).replace("2.000,", "4.000000,")
    assert (listed(packager, 27) or b"").decode() == real
    assert (listed(packager, 49) or b"").startswith(
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:4\n#EXTINF:4.000000,\nroom14.ts\n"
    )
    ended = listed(packager, 303) or b""
    assert ended.endswith(b"#EXT-X-ENDLIST\n")
    assert media_playlist(ended).ended


def test_a_list_is_there_from_its_first_segment_until_half_a_minute_after_its_encoder_went(packager: Packager) -> None:
    there = {second for second in range(0, 1_000) if listed(packager, second) is not None}
    assert there == {
        *range(14, 58), *range(62, 120), *range(124, 330), *range(344, 470), *range(804, 910),
    }  # fmt: skip
    ends = {second for second in there if b"ENDLIST" in (listed(packager, second) or b"")}
    assert ends == set(range(300, 330))  # neither a stream that broke off nor one that was away says that it is over


def test_a_frozen_encoder_writes_nothing(packager: Packager) -> None:
    assert len({listed(packager, 200 + second) for second in range(25)}) == 1
    assert listed(packager, 229) != listed(packager, 224)


@pytest.mark.parametrize("speed", [1.0, 7.0])
@pytest.mark.parametrize("seed", range(12))
def test_what_it_says_is_what_livemon_understands_also_when_it_begins_anew(
    tmp_path: Path, seed: int, speed: float
) -> None:
    dice, row = random.Random(seed), Hls(name="hls-j", url="http://127.0.0.1/{room}.m3u8", rooms=[ROOM])
    with Truth(tmp_path / "truth.sqlite") as truth:
        packager = packaging(truth, speed, EVENING)
        known, clock_s, lives, told = Known(), 0.0, 0, list[tuple[float, bool, bool]]()
        restarts = [dice.uniform(0, 900) for _ in range(3)]
        while clock_s < 1_000:
            clock_s += dice.choice((2.0, 4.0)) + dice.uniform(-0.05, 0.05)
            if restarts and clock_s > max(restarts):
                fault = dice.choice(("monitor_kill", "monitor_restart"))
                truth.note(AT + timedelta(seconds=clock_s), "fault_began", fault=fault)
                known, clock_s = Known(), clock_s + dice.uniform(2, 8)
                restarts.remove(max(restarts))
            at = AT + timedelta(seconds=clock_s)
            shown, body = packager.written(0, packager.scene.play.room(0, clock_s), clock_s)
            look = Look(ROOM, known, missing=body is None)
            [tick] = row.parse(framed(look, body or b""), at)
            known = look.understood(body or b"", at)
            [viewers] = packager.heard(ROOM, shown, at, True) or [OFF_AIR]
            told.append((clock_s, tick.live is True, viewers == 0))
            lives += tick.live is True
    assert [(at, live) for at, live, _ in told] == [(at, live) for at, _, live in told]
    assert lives > 50


def test_a_reader_who_failed_too_often_begins_anew_and_one_who_did_not_goes_on(packager: Packager) -> None:
    """As many failures as make a feed of one room fail as a whole: two, or twice as many where connections are cut."""

    def had(clock_s: float) -> list[int] | None:
        at: datetime = AT + timedelta(seconds=clock_s)
        shown, _ = packager.written(0, packager.scene.play.room(0, clock_s), clock_s)
        return packager.heard(ROOM, shown, at, True)

    def failed(times: int) -> None:
        for _ in range(times):
            assert packager.heard(ROOM, None, AT, False) is None

    assert [had(15), had(19), had(23), had(27)] == [[OFF_AIR], [OFF_AIR], [0], [0]]
    failed(1)
    assert had(28) == [0]
    packager.trouble.feed = "refuse"
    failed(3)
    assert had(29) == [0]
    failed(4)
    assert had(30) == [OFF_AIR]
    packager.trouble.feed = None
    assert [had(34), had(38)] == [[OFF_AIR], [0]]
    failed(2)
    assert had(39) == [OFF_AIR]
    assert [had(43), had(47)] == [[OFF_AIR], [0]]
    assert had(99.9) == [OFF_AIR]  # nothing came for so long that it was begun anew
