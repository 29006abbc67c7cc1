"""Half an hour of seven rooms whose every second is known: the truth as it was served, and a database that agrees."""

from datetime import datetime, timedelta
from math import inf
from pathlib import Path

import msgspec

from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.script import Broadcast, Fault
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, Fact, Truth
from tests.sql.stage import Stage, evening

POLL_S, REPORT_S, LASTS_S = 5, 10, 1800
DARK = range(400, 461)  # the stat page of hall B does not answer


def part(number: int, platform: str = "nginx_rtmp", hall: str = "A", **fields: object) -> Part:
    told = {name: "" for name in Part.__struct_fields__}
    told |= {"number": number, "platform": platform, "room": f"live/{number}", "hall": hall, "shop": "4460001"}
    told |= {"tier": 4, "fans": 100, "draw": 5.0, "sells_on": "push_json"}
    return msgspec.convert(told | fields, Part)


def broadcast(
    number: int,
    starts_s: float,
    ends_s: float,
    planned_end_s: float | None = None,
    *faults: Fault,
    ending: str = "signed_off",
) -> Broadcast:
    told = {name: 0.0 for name in Broadcast.__struct_fields__}
    told |= {"number": number, "starts_s": starts_s, "ends_s": ends_s, "waves": (), "faults": (), "ending": ending}
    told |= {"planned_end_s": ends_s if planned_end_s is None else planned_end_s}
    made = msgspec.convert(told, Broadcast)
    return msgspec.structs.replace(made, faults=faults)


PARTS = [
    part(0),
    part(1),
    part(2),
    part(3),
    part(4, hall="B"),
    part(5, "wechat", room="sph5"),
    part(6, "wechat", room="sph6"),
]
SCRIPTS = [
    # A drop, a freeze, a drop between two polls.
    [
        broadcast(
            0, -600, 9000, None, Fault(100, 160, "drop"), Fault(300, 341, "freeze"), Fault(502.5, 504, "drop")
        )
    ],
    # A sign-off a little before its planned end, and the next broadcast.
    [broadcast(0, -600, 402, 420), broadcast(1, 702, 9000)],
    # Breaks off in the middle of its slot, and does not come back.
    [broadcast(0, -600, 3000, 3000, Fault(202, inf, "drop"), ending="broke_off"), broadcast(1, 90_000, 99_000)],
    # Planned, and never begun.
    [broadcast(0, 0, 0, 3000, ending="absent"), broadcast(1, 90_000, 99_000)],
    # A drop while its hall is dark.
    [broadcast(0, -600, 9000, None, Fault(441, 481, "drop"))],
    # A drop that the relay reports, a freeze that it cannot see.
    [broadcast(0, -600, 9000, None, Fault(151, 201, "drop"), Fault(600, 700, "freeze"))],
    # Signs off, long before its planned end, and says so.
    [broadcast(0, -600, 306, 9000), broadcast(1, 90_000, 99_000)],
]  # fmt: skip


class StubPlay:
    """A play whose scripts are written by hand."""

    def __init__(self, began_at: datetime, parts: list[Part] = PARTS, scripts: list[list[Broadcast]] = SCRIPTS) -> None:
        self.parts, self.told, self.tempo = parts, scripts, Tempo(began_at)

    def broadcast(self, index: int, at_s: float) -> Broadcast:
        return next(each for each in self.told[index] if each.ends_s > at_s)

    def viewers(self, number: int, at_s: float) -> int:
        """As a page lists them: those of a room that somebody publishes."""
        for each in self.told[number]:
            if each.starts_s <= at_s < each.ends_s:
                away = any(fault.kind == "drop" and fault.from_s <= at_s < fault.to_s for fault in each.faults)
                return OFF_AIR if away else 10 + number + int(at_s) % 7
        return OFF_AIR


class SmallEvening:
    """Writes both sides; `at` gives the instant of a second."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        self.began_at = evening("20:00")
        self.play = StubPlay(self.began_at)
        self.path, self.stage, self.sql = folder / "truth.sqlite", stage, stage.sql
        self.until = self.at(LASTS_S)
        self.rooms: list[int] = []
        self.ticks: list[tuple[int, datetime, bool, int | None]] = []

    def at(self, clock_s: float) -> datetime:
        return self.began_at + timedelta(seconds=clock_s)

    async def written(self) -> None:
        await self.stage.ready()
        for each in PARTS:
            room = await self.stage.room(each.room, platform=each.platform)
            await self.sql.execute("UPDATE room SET hall = $2 WHERE room_id = $1", room, each.hall)
            self.rooms.append(room)
        with Truth(self.path) as truth:
            await self._halls(truth)
            self._relay(truth)
            await self._sales(truth)
        await self.sql.executemany(
            "INSERT INTO tick_raw (room_id, at, live, viewers) VALUES ($1, $2, $3, $4)", self.ticks
        )
        await self._sessions()

    async def _halls(self, truth: Truth) -> None:
        for clock_s in range(0, LASTS_S + 20, POLL_S):
            for hall, numbers in (("a", [0, 1, 2, 3]), ("b", [4])):
                at_s = clock_s + (0.7 if hall == "b" else 0.0)
                served_at = self.at(at_s + 0.012345)
                if hall == "b" and clock_s in DARK:
                    truth.served("hall-b", served_at, None, "failed")
                    continue
                viewers = [self.play.viewers(number, at_s) for number in numbers]
                truth.served(f"hall-{hall}", served_at, viewers)
                for number, count in zip(numbers, viewers, strict=True):
                    self.tick(number, at_s, count)
        await self.stage.blind("hall-b", self.at(395.7), self.at(465.7))

    def _relay(self, truth: Truth) -> None:
        """Two bodies for one report: each of one room. Of a room that is off the air it says so once."""
        off = {5: False, 6: False}
        for clock_s in range(3, LASTS_S, REPORT_S):
            for place, number in enumerate(off):
                count = self.play.viewers(number, clock_s)
                told = [NOT_TOLD, NOT_TOLD]
                if count != OFF_AIR or not off[number]:
                    told[place] = count
                    self.tick(number, clock_s, count)
                off[number] = count == OFF_AIR
                truth.served("relay-wechat", self.at(clock_s), told)

    def tick(self, number: int, at_s: float, count: int) -> None:
        live = count != OFF_AIR
        self.ticks.append((self.rooms[number], self.at(at_s), live, count if live else None))

    async def _sales(self, truth: Truth) -> None:
        for fact, told_s in facts(self):
            truth.sold(fact, self.at(told_s))
            if told_s < LASTS_S:
                await self.sale(fact)

    async def sale(self, fact: Fact, event_id: str | None = None) -> None:
        await self.sql.execute(
            "INSERT INTO sale (platform, event_id, at, received_at, feed, room, shop, order_id, kind, amount_minor,"
            " currency, via) VALUES ($1, $2, $3, $3, 'shops', $4, $5, $6, $7, $8, $9, 'push')",
            *(fact.platform, event_id or f"{fact.shop}:{fact.order_id}:{fact.kind}:{fact.ref}", fact.at, fact.room),
            *(fact.shop, fact.order_id, fact.kind, fact.amount_minor, fact.currency),
        )

    async def _sessions(self) -> None:
        """As a monitor would have judged that looks each five seconds, or is told each ten."""
        at, rooms, session = self.at, self.rooms, self.stage.session
        await session(
            rooms[0], ("opened", at(0), "status"),
            ("dropped", at(100), "status"), ("resumed", at(160), "status"),
            ("dropped", at(300), "stall"), ("resumed", at(345), "status"),
            ("dropped", at(500), "reconnect"), ("resumed", at(505), "status"),
        )  # fmt: skip
        await session(
            rooms[1], ("opened", at(0), "status"), ("dropped", at(405), "status"), ("closed", at(405), "scheduled")
        )
        await session(rooms[1], ("opened", at(705), "status"))
        await session(
            rooms[2], ("opened", at(0), "status"), ("dropped", at(205), "status"), ("closed", at(205), "lost")
        )
        await session(
            rooms[4], ("opened", at(0.7), "status"), ("dropped", at(480.7), "status"), ("resumed", at(485.7), "status")
        )
        await session(
            rooms[5], ("opened", at(3), "status"), ("dropped", at(153), "status"), ("resumed", at(203), "status")
        )
        await session(rooms[6], ("opened", at(3), "status"), ("closed", at(313), "ended"))


def facts(made: SmallEvening) -> list[tuple[Fact, float]]:
    """With the second from which each is told."""

    def fact(platform: str, order: str, kind: str, fen: int, at_s: float, room: str | None = None, **more: str) -> Fact:
        told = {"platform": platform, "shop": "4460001", "order_id": order, "kind": kind, "amount_minor": fen}
        return Fact(**(told | {"currency": "CNY", "at": made.at(at_s), "room": room} | more))

    return [
        (fact("nginx_rtmp", "101", "paid", 12_990, 60, "live/0"), 61),
        (fact("nginx_rtmp", "101", "refunded", 2_990, 400, "live/0", ref="a"), 401),
        (fact("nginx_rtmp", "101", "refunded", 2_990, 500, "live/0", ref="b"), 501),
        (fact("nginx_rtmp", "102", "paid", 5_000, 70, "live/1"), 71),
        (fact("wechat", "101", "paid", 8_800, 80, "sph5"), 600),
        (fact("doudian", "103", "paid", 100, 90), 91),
        (fact("stripe", "104", "paid", 1_999, 95, "live/2", currency="USD"), 96),
        (fact("doudian", "105", "paid", 700, 1700), LASTS_S + 50),  # told after the end: nobody can have it
    ]
