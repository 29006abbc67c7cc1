"""Robots and words for tests, and a child that hears alerts until it is killed: `-m tests.alerts.telling FOLDER`.

The child posts a group of one drop after the other to itself and prints the number of each that was answered.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.alerts.alert import Episode
from monitor.alerts.book import Book
from monitor.alerts.hearing import Hearing
from monitor.alerts.kept import DROPPED, How
from monitor.alerts.notice import Language, Notice
from monitor.alerts.saying import Rooms
from monitor.alerts.sight import DROPPED as ROOM_DROPPED
from monitor.alerts.sight import Counts
from monitor.alerts.webhook import Group
from monitor.config_alerts import Match, Robot, Texts
from tests.alerts.hall import AT, Hall, alert


class Words:
    """The numbers, and how many it is about."""

    def firing(self, episodes: Sequence[Episode], rooms: Rooms, counts: Counts, language: Language) -> Notice:
        numbers = tuple(f"#{episode.number}" for episode in episodes)
        worst = "critical" if any(one.alert.severity == "critical" for one in episodes) else "warning"
        return Notice("firing", worst, f"{language} {counts.told} of {counts.stopped}", numbers)

    def ended(self, episodes: Sequence[Episode], how: How, rooms: Rooms, language: Language) -> Notice:
        return Notice(how, "warning", language, tuple(f"#{episode.number}" for episode in episodes))


def robot(name: str, language: Language = "zh", **match: str) -> Robot:
    wanted = Match(**{key: Texts([value]) for key, value in match.items()}) if match else None
    return Robot(name=name, kind="wecom", url_file=Path("u"), match=wanted, language=language)


async def main(folder: Path) -> None:
    hall = Hall()
    hall.stand(range(100_000), ROOM_DROPPED)
    hearing = Hearing(Book(folder), hall.sight, [robot("a"), robot("b", "en")], Words(), lambda: datetime.now(UTC))
    first = hearing._memory.next_number - 1
    for room in range(first, 100_000):
        await hearing.hear(Group("g", {}, (alert(DROPPED, room, AT + timedelta(seconds=room)),)))
        print(room, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
