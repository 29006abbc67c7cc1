"""What Alertmanager tells us of, as plain values: an alert, and the episode that the book keeps of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

End = Literal["", "recovered", "not_recovered", "quiet"]


def instant(at: datetime) -> datetime | None:
    """Of an alert, aware UTC, to the millisecond, as Alertmanager's API shows what its webhook may say to the
    nanosecond. None: its zero, which is the year 1, or nonsense."""
    if at.tzinfo is None or not 1971 < at.year < 9_000:
        return None
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


class Alert(msgspec.Struct, frozen=True):
    """One alert: firing while `ends_at` is None.

    `fingerprint` names its labels; with `starts_at` (aware UTC) it names the episode.
    """

    fingerprint: str
    name: str
    severity: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None

    @property
    def firing(self) -> bool:
        return self.ends_at is None

    @property
    def room(self) -> tuple[str, str] | None:
        """(platform, room) of an alert that speaks of one room."""
        platform, room = self.labels.get("platform", ""), self.labels.get("room", "")
        return (platform, room) if platform and room else None

    @property
    def runbook_url(self) -> str:
        """Where somebody's own rule keeps its runbook; '' where it does not say, or nothing that a browser opens."""
        url = self.annotations.get("runbook_url", "")
        return url if url.startswith(("https://", "http://")) else ""

    @property
    def key(self) -> tuple[str, datetime]:
        return self.fingerprint, self.starts_at


class Episode(msgspec.Struct, frozen=True):
    """One alert from its beginning to its end: one (fingerprint, starts_at).

    `number` is the #4821 of messages; it counts up within a data_dir. `end`: '' while it goes on, `recovered` (恢复),
    `not_recovered` (未恢复), `quiet` (nothing is said: nobody knows, or what ended is not what people were told of).
    """

    number: int
    alert: Alert
    end: End = ""

    @property
    def open(self) -> bool:
        return not self.end
