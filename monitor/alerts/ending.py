"""A person's word that a broadcast is over: told to the watch, and again after a restart if it was not kept."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from monitor.alerts.duty import RoomWord
from monitor.alerts.sight import LIVE
from monitor.alerts.telling_facts import Lane
from monitor.facts import Heard


class _Stop(Protocol):
    @property
    def at(self) -> datetime: ...


class _Session(Protocol):
    @property
    def stop(self) -> _Stop | None: ...


class _Room(Protocol):
    @property
    def state(self) -> int: ...
    @property
    def session(self) -> _Session: ...


class _Muster(Protocol):
    @property
    def by_key(self) -> Mapping[tuple[str, str], _Room]: ...


class Watch(Protocol):
    """The watch, as far as this is concerned."""

    @property
    def muster(self) -> _Muster: ...

    def ended(self, platform: str, external_id: str) -> Heard | None:
        """None: there is no stopped session."""
        ...


class Book(Protocol):
    async def end_room(self, platform: str, room: str, at: datetime) -> None: ...


class Said(NamedTuple):
    """At this instant somebody said that the broadcast in this room is over."""

    room: tuple[str, str]
    at: datetime


class Ending:
    def __init__(self, watch: Watch, lane: Lane, book: Book, now: Callable[[], datetime]) -> None:
        self._watch, self._lane, self._book, self._now = watch, lane, book, now

    async def end(self, platform: str, room: str, by: str) -> RoomWord:
        """The room of `EndRoom`; who says so is kept with the alert. Raises BookRefused."""
        await self._lane.room(facts=1)
        heard = self._watch.ended(platform, room)
        if heard is not None:
            self._lane.put(heard)
            await self._book.end_room(platform, room, self._now())
            return "ended"
        return self._why_not(platform, room)

    def again(self, said: Iterable[Said]) -> int:
        """What the spool does not remember: of a lost room no change is written, and a crash may come before any is.

        A stop that is later than the word is another one, of which nobody has said anything.
        """
        count = 0
        for each in said:
            room = self._watch.muster.by_key.get(each.room)
            stop = None if room is None else room.session.stop
            if stop is None or stop.at > each.at:
                continue
            heard = self._watch.ended(*each.room)
            if heard is not None:
                self._lane.put(heard)
                count += 1
        return count

    def _why_not(self, platform: str, room: str) -> Literal["on_air", "not_stopped", "unknown_room"]:
        found = self._watch.muster.by_key.get((platform, room))
        if found is None:
            return "unknown_room"
        return "on_air" if found.state == LIVE else "not_stopped"
