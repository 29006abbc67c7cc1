"""A book of episodes in memory, as duty asks for one."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from monitor.alerts.alert import Alert, Episode
from monitor.alerts.webhook import Group

SINCE = datetime(2026, 11, 19, 12, 14, 5, tzinfo=UTC)


class MemoryBook:
    """Keeps what it is told in lists."""

    def __init__(self, *episodes: Episode) -> None:
        self.episodes = {each.number: each for each in episodes}
        self.actions: list[tuple[int, str, str, str]] = []
        self.judged: list[str] = []
        self.heard: list[Alert] = []

    async def episode(self, number: int) -> Episode | None:
        return self.episodes.get(number)

    async def open_episodes(self) -> Sequence[Episode]:
        return [each for each in self.episodes.values() if each.open]

    async def acted(
        self, episode: int, action: str, at: datetime, by: str, reason: str, until: datetime | None
    ) -> None:
        self.actions.append((episode, action, by, reason))

    async def firing(self) -> Sequence[Episode]:
        return [each for each in self.episodes.values() if each.open and each.alert.firing]

    async def hear(self, group: Group) -> None:
        self.heard += group.alerts

    async def stopped(self, fingerprints: Collection[str]) -> None:
        """What has stopped is not over yet: nobody knows how the room stands."""
        self.judged += fingerprints
        for number, each in self.episodes.items():
            if each.alert.fingerprint in fingerprints:
                over = msgspec.structs.replace(each.alert, ends_at=datetime.now(UTC))
                self.episodes[number] = msgspec.structs.replace(each, alert=over)

    def end(self, number: int) -> None:
        self.episodes[number] = msgspec.structs.replace(self.episodes[number], end="quiet")


def episode(
    number: int,
    labels: Mapping[str, str],
    severity: str = "critical",
    since: datetime = SINCE,
    annotations: Mapping[str, str] | None = None,
) -> Episode:
    alert = Alert(f"f{number}", labels["alertname"], severity, labels, annotations or {}, since)
    return Episode(number, alert)


def dropped(room: str, hall: str = "3") -> dict[str, str]:
    return {
        "alertname": "LivemonRoomDropped", "severity": "critical", "platform": "wechat", "room": room, "hall": hall,
        "anchor": '王姐"海鲜\\',
    }  # fmt: skip
