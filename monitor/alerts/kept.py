"""What is kept of an episode beside the alert itself: who it continues, whether people were told, and when. Values."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, Self

import msgspec

from monitor.alerts.alert import Alert, End, Episode

Key = tuple[str, datetime]
How = Literal["recovered", "not_recovered"]

WATCHDOG = "LivemonWatchdog"  # fires always: it is for the outside heartbeat, and nobody is told of it
DROPPED, LOST = "LivemonRoomDropped", "LivemonRoomLost"
STOPS = frozenset((DROPPED, LOST))
NOT_STARTED = "LivemonRoomNotStarted"
TARGET_MISSING = "LivemonTargetMissing"  # says that we are not there to be asked
PLATFORM_OUTAGE, HALL_OUTAGE = "LivemonPlatformOutage", "LivemonHallOutage"
OUTAGES = frozenset((PLATFORM_OUTAGE, HALL_OUTAGE))
MANY = "LivemonRoomsDroppedMany"
CROWDS = OUTAGES | {MANY}  # of how many rooms have stopped, not of one
FEEDS: Mapping[str, str] = {
    "LivemonFeedRefused": "refused", "LivemonFeedBlind": "blind", "LivemonFeedFrozen": "frozen",
    "LivemonFeedStale": "stale",
}  # fmt: skip
"""What each says of its feed."""


def near_end(alert: Alert) -> bool:
    """Did a room of tier 1 stop about its planned end, most likely by a sign-off of which nobody was told? The rule in
    prometheus/rules/rooms.yml says that of tier 1 alone, and as a warning."""
    return alert.name == DROPPED and alert.severity == "warning" and alert.labels.get("tier") == "1"


class Kept(msgspec.Struct, frozen=True):
    """One episode as the book has it.

    `told_at`: when people were told of it, or of the one that it continues under the same number; None: not yet, or
    never; `told_to`: which robots. `stop_at`: which stop of its room it is about. `heard_at`: Alertmanager's last word.
    `settled_at`: when it was known what it ended as. `rooms`: of an alert about many, a sample of those that had
    stopped when people were told. `began_at`: when the first under this number began; None: this is the first.
    """

    episode: Episode
    heard_at: datetime
    told_at: datetime | None = None
    told_to: tuple[str, ...] = ()
    stop_at: datetime | None = None
    settled_at: datetime | None = None
    rooms: tuple[tuple[str, str], ...] = ()
    began_at: datetime | None = None

    @property
    def spoken(self) -> Episode:
        """As people know it: what goes on under another instant, as after our restart, began when they heard of it;
        and a stop began when the room stopped, some seconds before the alert."""
        stop_at = self.stop_at if self.name in STOPS else None
        began_at = self.began_at or stop_at
        if began_at is None:
            return self.episode
        alert = msgspec.structs.replace(self.alert, starts_at=began_at)
        return msgspec.structs.replace(self.episode, alert=alert)

    @property
    def alert(self) -> Alert:
        return self.episode.alert

    @property
    def name(self) -> str:
        return self.episode.alert.name

    @property
    def number(self) -> int:
        return self.episode.number

    @property
    def key(self) -> Key:
        return self.episode.alert.key

    @property
    def thread(self) -> str:
        """What people see as one thing: a room that stopped, whichever alert says so; else one alert."""
        room = self.alert.room
        return "\n".join(("stopped", *room)) if room and self.name in STOPS else self.alert.fingerprint

    @property
    def gathered(self) -> bool:
        """Is it told now and then, with all of its kind, and its end not at all? What is only for information; stars
        that stop about when they planned to; and who did not come, but for tier 1: of 12,000 planned some hundreds
        stay away or are late each day."""
        late = self.name == NOT_STARTED and self.alert.labels.get("tier") != "1"
        return late or self.alert.severity == "info" or near_end(self.alert)

    @property
    def scope(self) -> tuple[str, str, str]:
        """Those that are told in one message: the groups that Alertmanager makes, or all that were gathered."""
        if self.gathered:
            return self.name, "", ""
        return self.name, self.alert.labels.get("platform", ""), self.alert.labels.get("hall", "")

    def numbered(self, number: int) -> Self:
        return msgspec.structs.replace(self, episode=msgspec.structs.replace(self.episode, number=number))

    def heard(self, alert: Alert, now: datetime) -> Self:
        episode = msgspec.structs.replace(self.episode, alert=alert)
        return msgspec.structs.replace(self, episode=episode, heard_at=now)

    def told(self, now: datetime, robots: Iterable[str]) -> Self:
        everyone = tuple(dict.fromkeys((*self.told_to, *robots)))
        return msgspec.structs.replace(self, told_at=self.told_at or now, told_to=everyone)

    def resolved(self, now: datetime) -> Self:
        """Alertmanager will not say so, or has forgotten it: it is over as of now."""
        alert = msgspec.structs.replace(self.alert, ends_at=max(now, self.alert.starts_at))
        return msgspec.structs.replace(self, episode=msgspec.structs.replace(self.episode, alert=alert))

    def ended(self, end: End, now: datetime) -> Self:
        over = self if self.alert.ends_at is not None else self.resolved(now)
        episode = msgspec.structs.replace(over.episode, end=end)
        return msgspec.structs.replace(over, episode=episode, settled_at=now)
