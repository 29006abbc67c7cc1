"""How the watch sees rooms and feeds, as alerts are told of it. It only reads; where the watch lives is passed in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from monitor.alerts.sight import BLIND, DROPPED, LIVE, LOST, STOPPED, Counts, RoomSight
from monitor.facts import RosterRoom


class _Stop(Protocol):
    @property
    def at(self) -> datetime: ...


class _Doubt(Protocol):
    @property
    def blind_from(self) -> datetime | None: ...


class _Session(Protocol):
    @property
    def opened_at(self) -> datetime | None: ...
    @property
    def changed_at(self) -> datetime | None: ...
    @property
    def stop(self) -> _Stop | None: ...
    @property
    def doubt(self) -> _Doubt | None: ...


class _Rules(Protocol):
    @property
    def tells_end(self) -> bool: ...


class _Feed(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def rules(self) -> _Rules: ...


class _Room(Protocol):
    @property
    def row(self) -> RosterRoom: ...
    @property
    def state(self) -> int: ...
    @property
    def session(self) -> _Session: ...
    @property
    def feeds(self) -> Sequence[_Feed]: ...
    @property
    def viewers_before(self) -> int | None: ...
    @property
    def probed(self) -> tuple[str, datetime] | None: ...


class _Muster(Protocol):
    @property
    def by_key(self) -> Mapping[tuple[str, str], _Room]: ...


class Watching(Protocol):
    """The watch, as far as this is concerned."""

    @property
    def rooms(self) -> Sequence[_Room]: ...
    @property
    def feeds(self) -> Mapping[str, _Feed]: ...
    @property
    def muster(self) -> _Muster: ...


class WatchSight:
    """A Sight over the watch. `session_id` works out the id of a session, as in the contract."""

    def __init__(self, watch: Watching, session_id: Callable[[str, str, datetime], object]) -> None:
        self._watch, self._session_id = watch, session_id

    def room(self, platform: str, room: str) -> RoomSight | None:
        found = self._watch.muster.by_key.get((platform, room))
        return None if found is None else self._seen(found)

    def stopped(self, platform: str | None = None, hall: str | None = None) -> list[RoomSight]:
        seen = [self._seen(room) for room in self._of(platform, hall) if room.state in STOPPED]
        return sorted(seen, key=lambda room: room.viewers_before or 0, reverse=True)

    def counts(self, platform: str | None = None, hall: str | None = None) -> Counts:
        states = [room.state for room in self._of(platform, hall)]
        return Counts(
            platform or "", hall or "", live=states.count(LIVE), dropped=states.count(DROPPED),
            lost=states.count(LOST), blind=states.count(BLIND),
        )  # fmt: skip

    def feed(self, name: str) -> str | None:
        found = self._watch.feeds.get(name)
        return None if found is None else found.state

    def _of(self, platform: str | None, hall: str | None) -> Iterable[_Room]:
        for room in self._watch.rooms:
            if (platform is None or room.row.platform == platform) and (hall is None or room.row.hall == hall):
                yield room

    def _seen(self, room: _Room) -> RoomSight:
        row, opened_at = room.row, room.session.opened_at
        return RoomSight(
            row.platform, row.external_id, row.anchor, row.city, row.hall, row.tier, row.contact, room.state,
            _since(room), "" if opened_at is None else str(self._session_id(row.platform, row.external_id, opened_at)),
            room.viewers_before, any(feed.rules.tells_end for feed in room.feeds),
            row.room_id, _picture(room),
        )  # fmt: skip


def _picture(room: _Room) -> str:
    """What a player saw before the room stopped says nothing of the stop."""
    stop = room.session.stop
    if room.probed is None or room.state not in STOPPED or stop is None:
        return ""
    outcome, looked_at = room.probed
    return outcome if looked_at >= stop.at else ""


def _since(room: _Room) -> datetime | None:
    session = room.session
    if room.state in STOPPED and session.stop is not None:
        return session.stop.at
    if room.state == BLIND:
        return session.doubt.blind_from if session.doubt is not None else None
    return session.changed_at
