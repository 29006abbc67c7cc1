"""Kills the way of a kept frame before each statement that the spool's file is given, and looks what is left of it.

`python -m tests.store.crash_points FOLDER [EVERY]` does it in a process of its own, for copies with a planted bug.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import msgspec

from collectors.hook import Delivery, Need
from monitor.facts import Quarantined
from monitor.store.spool import Spool
from tests.reading import KEY, Reading, at_work, delivery, ids, sale, sealed_facts

DELIVERIES = 12


def frames() -> list[tuple[str, bytes]]:
    """(event id, delivery): most are plain, some need an answer first, one cannot be read."""
    made = []
    for number in range(DELIVERIES):
        event_id = f"e{number}"
        if number == 7:
            made.append((event_id, delivery(**{"falls over": event_id})))
        elif number % 4 == 1:
            made.append((event_id, delivery(sales=[{"event_id": event_id}], needs=[event_id])))
        else:
            made.append((event_id, sale(event_id)))
    return made


def every_point(folder: Path, every: int = 1) -> int:
    """Die before each `every`-th statement of a first life, then of a second one; judge; returns how many points."""
    point, points = 1, 0
    while True:
        place = folder / str(point)
        acknowledged, died = life(place, point)
        judge(place, acknowledged, finished=False)
        again, _ = life(place, 1 + point % 40)
        judge(place, acknowledged | again, finished=False)
        last, died_last = life(place, 0)
        assert not died_last
        judge(place, acknowledged | again | last, finished=True)
        shutil.rmtree(place)
        points += 1
        if not died:
            return points
        point += every


def life(folder: Path, dies_at: int) -> tuple[set[str], bool]:
    """Deliver all in a process that dies before its so-many-th statement: what was acknowledged, and did it die?"""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        with suppress(BaseException):
            asyncio.run(deliver(folder, dies_at, write))
            os._exit(0)
        os._exit(1)
    os.close(write)
    with os.fdopen(read) as told:
        acknowledged = set(told.read().split())
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the life ended in an error"
    return acknowledged, os.WIFSIGNALED(status)


async def deliver(folder: Path, dies_at: int, told: int) -> None:
    made, left = Reading(folder), dies_at
    made.store.inbox.facts_age_s = 0.002

    def count(statement: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    made.store.spool.sql.set_trace_callback(count)
    async with at_work(made), asyncio.TaskGroup() as group:
        asking = group.create_task(ask(made))
        for event_id, frame in frames():
            await made.keep(frame)
            os.write(told, f"{event_id}\n".encode())
        while made.store.sealer.standing.frames_spooled or not made.store.sealer.standing.books["frame"].received:
            await made.settled()
        asking.cancel()


async def ask(made: Reading) -> None:
    """As a client would: look what is needed, and bring it."""
    while True:
        await asyncio.sleep(0.005)
        for need in await made.store.sealer.call(made.store.spool.frames.needs, "order.detail", None, 99):
            await made.reader.answered("stall", Need(need.what, need.key, need.shop), b"7")


def judge(folder: Path, acknowledged: set[str], finished: bool) -> None:
    """What was acknowledged is there; what it says is sealed as often as its frame is finished, and no more."""
    spool = Spool(folder)
    hours = spool.unlock(KEY)
    try:
        kept, done, given_up = Counter[str](), Counter[str](), 0
        for seq, state in spool.rows("SELECT seq, state FROM frame"):
            [(body,)] = spool.rows("SELECT body FROM frame_body WHERE seq = ?", (seq,))
            event_id = event_of(hours.open(body))
            kept[event_id] += 1
            done[event_id] += state == "done"
            given_up += state == "quarantined"
        facts, book = sealed_facts(spool), spool.standing().books["frame"]
    finally:
        spool.close()
    assert acknowledged <= set(kept), f"acknowledged and lost: {acknowledged - set(kept)}"
    assert ids(facts) == +done, f"sealed {ids(facts)}, and the frames that are done are {+done}"
    assert sum(isinstance(fact, Quarantined) for fact in facts) == given_up
    assert book.difference == 0, book
    assert (book.received, book.written, book.quarantined) == (kept.total(), done.total(), given_up)
    assert not finished or book.spooled == 0


def event_of(frame: bytes) -> str:
    told = json.loads(msgspec.msgpack.decode(frame, type=Delivery).body)
    return str(told.get("falls over") or told["sales"][0]["event_id"])


if __name__ == "__main__":
    every_point(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
