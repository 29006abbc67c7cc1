"""Decides what a change of the roster does: which rooms come, change, go; pure, so that a dry run tells the truth."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from monitor.facts import RosterRoom
from monitor.roster_file import Key, Listed

ROOMS_MAX = 20_000  # active rooms: each is eleven lines of every scrape
RETIRED_PART_MAX = 20  # one in so many may go without being asked about


class RosterRefused(Exception):
    """The roster stays as it is: what is wrong, and what to do."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}; {todo}")
        self.what, self.todo = what, todo


class RosterFull(RosterRefused):
    """More active rooms than allowed."""


class Move(msgspec.Struct, frozen=True):
    """One room before and after; `before` None: it is new, and its id is still to be given."""

    before: RosterRoom | None
    after: RosterRoom


class Plan(msgspec.Struct, frozen=True):
    """What a change does to the roster, room by room; `rooms` is the whole roster after it."""

    added: tuple[Move, ...]
    changed: tuple[Move, ...]
    retired: tuple[Move, ...]
    rooms: tuple[RosterRoom, ...]
    active_before: int

    @property
    def moves(self) -> tuple[Move, ...]:
        return self.added + self.changed + self.retired

    @property
    def unchanged(self) -> int:
        return self.active_before - len(self.changed) - len(self.retired)


class Totals(msgspec.Struct, frozen=True):
    """Active rooms by platform, and the people behind them, each counted once in all their rooms.

    A person is a `broadcaster`; a room without one stands for itself. Fans of a person are the largest number given
    for any of their rooms: files repeat one number in every row as often as they give it by platform, and a sum
    would count the former many times.
    """

    rooms: dict[str, int]
    broadcasters: int
    fans: int


def plan_import(present: Iterable[RosterRoom], listed: Iterable[Listed], replace: bool = False) -> Plan:
    """Add and change by (platform, room); with `replace` also retire what is not listed. Ids are kept, always.

    What a file has no column for stays as it is.
    """
    rooms = {(room.platform, room.external_id): room for room in present}
    after = {room.key: _listed(rooms.get(room.key), room) for room in listed}
    if replace:
        for key in rooms.keys() - after.keys():
            after[key] = msgspec.structs.replace(rooms[key], active=False)
    return _plan(rooms, after)


def plan_undo(present: Iterable[RosterRoom], before: Mapping[int, RosterRoom | None]) -> Plan:
    """Put rooms back as they stood; one that did not exist is retired, as no id is ever given twice."""
    rooms = {(room.platform, room.external_id): room for room in present}
    after = {}
    for key, room in rooms.items():
        if room.room_id in before:
            after[key] = before[room.room_id] or msgspec.structs.replace(room, active=False)
    return _plan(rooms, after)


def _listed(before: RosterRoom | None, listed: Listed) -> RosterRoom:
    old = before or RosterRoom(0, listed.platform, listed.external_id)
    room = msgspec.structs.replace(old, **listed.fields, active=True)
    # A file with the person alone names the room by the person, until an anchor's name of its own is given.
    follows = not room.anchor or ("anchor" not in listed.fields and old.anchor == old.broadcaster)
    return msgspec.structs.replace(room, anchor=room.broadcaster) if follows else room


def _plan(rooms: Mapping[Key, RosterRoom], after: Mapping[Key, RosterRoom]) -> Plan:
    added, changed, retired = [], [], []
    for key, room in after.items():
        before = rooms.get(key)
        if room == before:
            continue
        if room.active and not (before and before.active):
            added.append(Move(before, room))
        elif not room.active and before and before.active:
            retired.append(Move(before, room))
        else:
            changed.append(Move(before, room))
    active_before = sum(room.active for room in rooms.values())
    return Plan(tuple(added), tuple(changed), tuple(retired), tuple({**rooms, **after}.values()), active_before)


def refuse(plan: Plan, rooms_max: int, yes: bool) -> None:
    """Raise RosterRefused where a plan goes over a limit."""
    active = sum(room.active for room in plan.rooms)
    if plan.added and active > rooms_max:
        raise RosterFull(
            f"the roster would hold {active:,} active rooms, and at most {rooms_max:,} are allowed",
            "retire rooms that are over with --replace, or run a second livemon for a part of them",
        )
    if len(plan.retired) * RETIRED_PART_MAX > plan.active_before and not yes:
        raise RosterRefused(
            f"{len(plan.retired):,} of {plan.active_before:,} active rooms are not in the file and would be retired",
            "look at them with --dry-run, and say --yes if this is meant",
        )


def totals(rooms: Sequence[RosterRoom]) -> Totals:
    """Count what is active; see Totals for who is one person."""
    by_platform: dict[str, int] = {}
    fans: dict[str | Key, int] = {}
    for room in rooms:
        if room.active:
            by_platform[room.platform] = by_platform.get(room.platform, 0) + 1
            person = room.broadcaster or (room.platform, room.external_id)
            fans[person] = max(fans.get(person, 0), room.fans or 0)
    return Totals(dict(sorted(by_platform.items())), len(fans), sum(fans.values()))
