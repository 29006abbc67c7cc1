"""What a person on duty does about an alert, by command or on its page: takes it, silences it, says it is over."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from monitor.alerts.alert import Episode
from monitor.alerts.hold import Hold, holds
from monitor.alerts.keeper import ACKNOWLEDGED_FOR, Keeper
from monitor.alerts.silence import BEFORE, Matcher, Silence, acknowledgement
from monitor.alerts.silences import Alertmanager, AlertmanagerError

NAME_CHARS_MAX, REASON_CHARS_MAX = 64, 500
SILENCE_MAX = timedelta(days=14)

Word = Literal[
    "held", "held_by_other", "silenced", "ended", "on_air", "not_stopped", "unknown_room", "no_room", "no_episode",
    "over", "unreachable", "no_alertmanager",
]  # fmt: skip
DONE: frozenset[Word] = frozenset(("held", "silenced", "ended"))
RoomWord = Literal["ended", "on_air", "not_stopped", "unknown_room"]
EndRoom = Callable[[str, str, str], Awaitable[RoomWord]]
"""(platform, room, by): a person's word that the session there is over, to the watch."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of it; `by` and `until` are those of whoever holds it now."""

    word: Word
    by: str = ""
    until: datetime | None = None
    detail: str = ""

    @property
    def done(self) -> bool:
        return self.word in DONE


class Book(Protocol):
    async def episode(self, number: int) -> Episode | None: ...

    async def open_episodes(self) -> Sequence[Episode]: ...

    async def acted(
        self, episode: int, action: str, at: datetime, by: str, reason: str, until: datetime | None
    ) -> None: ...


class Unnamed(ValueError):
    """This is not the name of a person: why."""


class Duty:
    """`alertmanager` None: none is configured, and nothing can be acknowledged."""

    def __init__(
        self,
        book: Book,
        alertmanager: Alertmanager | None,
        keeper: Keeper | None,
        end_room: EndRoom,
        now: Callable[[], datetime],
    ) -> None:
        self._book, self._alertmanager, self._keeper, self._end_room = book, alertmanager, keeper, end_room
        self._now = now
        self._one_at_a_time = asyncio.Lock()

    def hold(self, number: int) -> Hold | None:
        return None if self._keeper is None else self._keeper.holds.get(number)

    async def episode(self, number: int) -> Episode | None:
        return await self._book.episode(number)

    async def acknowledge(self, number: int, by: str, reason: str = "") -> Outcome:
        """The first who does it holds it; who comes later is told who that is."""
        episode = await self._book.episode(number)
        if episode is None or not episode.open:
            return Outcome("no_episode" if episode is None else "over")
        if self._alertmanager is None:
            return Outcome("no_alertmanager")
        async with self._one_at_a_time:
            try:
                return await self._acknowledge(self._alertmanager, episode, by, reason)
            except AlertmanagerError as error:
                return Outcome("unreachable", detail=str(error))

    async def _acknowledge(self, alertmanager: Alertmanager, episode: Episode, by: str, reason: str) -> Outcome:
        now = self._now()
        hold = holds([episode], await alertmanager.silences(), now).get(episode.number)
        if hold is None or not hold.acknowledged:  # who only wanted quiet did not take it
            until = now + ACKNOWLEDGED_FOR
            made = await alertmanager.put(acknowledgement(episode.number, by, reason, episode.alert.labels, now, until))
            hold = holds([episode], await alertmanager.silences(), self._now()).get(episode.number)
            if hold is not None and hold.silence_id != made:  # another livemon, or another screen, was faster
                await alertmanager.expire(made)
        await self._look_again()
        if hold is None:
            return Outcome("unreachable", detail="Alertmanager took the acknowledgement and does not list it")
        return Outcome("held" if hold.by == by else "held_by_other", hold.by, hold.until)

    async def silence(self, number: int, by: str, length: timedelta, reason: str) -> Outcome:
        """Nobody hears of this room, or of this alert, for so long."""
        episode = await self._book.episode(number)
        if episode is None:
            return Outcome("no_episode")
        room = episode.alert.room
        labels = dict(episode.alert.labels) if room is None else {"platform": room[0], "room": room[1]}
        return await self.silence_matching([Matcher(*pair) for pair in labels.items()], by, length, reason)

    async def silence_matching(self, matchers: Sequence[Matcher], by: str, length: timedelta, reason: str) -> Outcome:
        if self._alertmanager is None:
            return Outcome("no_alertmanager")
        now = self._now()
        until = now + min(length, SILENCE_MAX)
        wanted = Silence(
            matchers=tuple(matchers), starts_at=now - BEFORE, ends_at=until, created_by=by, comment=reason or by
        )
        try:
            await self._alertmanager.put(wanted)
        except AlertmanagerError as error:
            return Outcome("unreachable", detail=str(error))
        await self._look_again()
        return Outcome("silenced", by, until)

    async def end(self, number: int, by: str, reason: str = "") -> Outcome:
        """The broadcast of this alert's room is over: the stop was a sign-off."""
        episode = await self._book.episode(number)
        if episode is None or episode.alert.room is None:
            return Outcome("no_episode" if episode is None else "no_room")
        word = await self._end_room(*episode.alert.room, by)
        if word == "ended":
            await self._book.acted(number, "ended", self._now(), by, reason, None)
        return Outcome(word, by)

    async def end_room(self, platform: str, room: str, by: str, reason: str = "") -> Outcome:
        """The same of a room by its name; where alerts of it go on, it is kept with them."""
        word = await self._end_room(platform, room, by)
        for episode in await self._book.open_episodes() if word == "ended" else ():
            if episode.alert.room == (platform, room):
                await self._book.acted(episode.number, "ended", self._now(), by, reason, None)
        return Outcome(word, by)

    async def _look_again(self) -> None:
        if self._keeper is not None:
            await self._keeper.glance()


def person(text: str) -> str:
    """A name as people write it, fit for a comment and a message. Raises Unnamed."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > NAME_CHARS_MAX or not name.isprintable() or any(char in name for char in ":<>"):
        raise Unnamed(f"a name has 1 to {NAME_CHARS_MAX} characters on one line, without : < >")
    return name


def why(text: str) -> str:
    """A reason, on one line and bounded."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line[:REASON_CHARS_MAX]
