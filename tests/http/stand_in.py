"""A watch that stands still: what the pages read of rooms and feeds, set by hand."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from monitor.facts import RosterRoom

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
NAMES = ("小雪直播", "辽宁大樱桃", "盘锦河蟹", "鞍山南果梨", "Anna Q.")
CITIES = ("沈阳", "大连", "鞍山", "丹东", "锦州")


@dataclass(slots=True)
class StillRoom:
    row: RosterRoom
    state: int = 3
    viewers: int | None = None
    kbps: int | None = None
    views_total: int = 0
    likes_total: int = 0
    orders_total: int = 0
    sales_minor_total: int = 0
    refunds_minor_total: int = 0
    drops_total: int = 0
    last_tick_at: float = 0.0
    expected: bool = False

    @property
    def platform(self) -> str:
        return self.row.platform


@dataclass
class StillWatch:
    rooms: list[Any] = field(default_factory=list)
    feeds: dict[str, Any] = field(default_factory=dict)
    roster_generation: int = 1


def still_feed(name: str, rooms: list[Any], **more: Any) -> Any:
    kind = SimpleNamespace(TELLS_STATE=True, viewers=True, kind="nginx_rtmp")
    facts: dict[str, Any] = {
        "name": name, "row": kind, "tells": True, "platform": "nginx_rtmp", "hall": "A", "rooms": rooms,
        "state": "ok", "detail": "", "last_message_at": NOW, "failures": 0, "unlisted": {}, "unlisted_more": 0,
        "blind_from": None, "blind_cause": "",
    }  # fmt: skip
    return SimpleNamespace(**(facts | more))


def busy_watch(count: int, seed: int = 7) -> StillWatch:
    """So many rooms of a busy evening: most are live, some are off, some blind."""
    dice = random.Random(seed)
    rooms = []
    for index in range(count):
        row = RosterRoom(
            index + 1, "nginx_rtmp", f"live/room{index:05d}", anchor=f"{dice.choice(NAMES)}{index}", hall="ABCD"[index % 4],
            city=dice.choice(CITIES), category="服饰", tier=index % 3 + 1,
        )  # fmt: skip
        state = dice.choices((0, 1, 2, 3, 4, 5), (20, 70, 2, 5, 1, 2))[0]
        told = state not in (3, 5)
        rooms.append(
            StillRoom(
                row, state, dice.randrange(50_000) if told else None, dice.randrange(8_000) if told else None,
                dice.randrange(10**7), dice.randrange(10**8), dice.randrange(20_000), dice.randrange(10**9),
                dice.randrange(10**7), dice.randrange(9), NOW.timestamp() + dice.random(), dice.random() < 0.8,
            )  # fmt: skip
        )
    return StillWatch(rooms)
