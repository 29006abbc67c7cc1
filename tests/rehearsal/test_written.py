"""The script of an event is the same bytes for the same seed, in every process."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from monitor.rehearsal.event.cast import cast
from monitor.rehearsal.event.market import Market
from monitor.rehearsal.event.play import Outage, Play
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.event.written import lines

WRITE = """
import sys
from tests.rehearsal.test_written import event
sys.stdout.buffer.writelines(event(int(sys.argv[1])))
"""


def event(seed: int, asked_before: bool = False) -> list[bytes]:
    outage = Outage(600.0, 720.0, frozenset(range(3, 300, 7)))
    play = Play(cast(300, seed), seed, Tempo(datetime(2026, 11, 24, 12, tzinfo=UTC), 10.0), (outage,))
    if asked_before:
        play.rooms(30_000)
    return list(lines(play, Market(play, seed), 2 * 86_400.0))


def in_another_process(seed: int, hashes: str) -> bytes:
    environment = os.environ | {"PYTHONHASHSEED": hashes}
    return subprocess.run(
        [sys.executable, "-c", WRITE, str(seed)], env=environment, check=True, capture_output=True, timeout=60
    ).stdout


def test_the_same_seed_is_the_same_script_byte_for_byte_in_every_process() -> None:
    one, other = in_another_process(1, "1"), in_another_process(1, "4242")
    assert sha256(one).digest() == sha256(other).digest()
    assert one == b"".join(event(1))
    assert one != b"".join(event(2))


def test_the_script_does_not_depend_on_what_was_asked_before() -> None:
    assert event(1) == event(1, asked_before=True)


def test_the_script_says_everything_in_json() -> None:
    told = [msgspec.json.decode(line) for line in event(1)]
    assert told[0] == {"seed": 1, "speed": 10.0, "opens_s": 70200.0, "rooms": 300}
    assert told[1]["outage"]["rooms"] == list(range(3, 300, 7))
    assert [line["part"]["number"] for line in told[2:302]] == list(range(300))
    broadcasts = [line["broadcast"] for line in told[302:] if "broadcast" in line]
    assert {one["ending"] for one in broadcasts} == {"signed_off", "broke_off", "absent"}
    for one in broadcasts:
        endless = [fault for fault in one["faults"] if fault["to_s"] is None]
        assert len(endless) == (one["ending"] == "broke_off")
        assert bool(one["waves"]) == (one["ending"] != "absent")
        assert {wave["why"] for wave in one["waves"]} <= {"start", "recommended", "push"}
    orders = [line["order"] for line in told[302:] if "order" in line]
    assert len(orders) > 1_000
    assert all(0 <= order["created_s"] < 2 * 86_400 and order["amount_minor"] > 0 for order in orders)
    assert all(line.endswith(b"}\n") and line.count(b"\n") == 1 for line in event(1))
