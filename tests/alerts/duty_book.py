"""A book of episodes in memory, as duty asks for one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from monitor.alerts.alert import Alert, Episode

SINCE = datetime(2026, 11, 19, 12, 14, 5, tzinfo=UTC)


class MemoryBook:
    """Keeps what it is told in lists."""

    def __init__(self, *episodes: Episode) -> None:
        self.episodes = {each.number: each for each in episodes}
        self.actions: list[tuple[int, str, str, str]] = []
        self.judged: list[int] = []

    async def episode(self, number: int) -> Episode | None:
        return self.episodes.get(number)

    async def open_episodes(self) -> Sequence[Episode]:
        return [each for each in self.episodes.values() if each.open]

    async def acted(
        self, episode: int, action: str, at: datetime, by: str, reason: str, until: datetime | None
    ) -> None:
        self.actions.append((episode, action, by, reason))

    async def stopped(self, episode: int) -> None:
        self.judged.append(episode)


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
