"""The words of messages, with the boards they lead to, the time it is and what rooms sold: what `saying` asks for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from monitor.alerts import wording
from monitor.alerts.alert import Episode
from monitor.alerts.boards import Boards
from monitor.alerts.kept import How
from monitor.alerts.notice import Language, Notice
from monitor.alerts.saying import Rooms
from monitor.alerts.sight import Counts

Sold = Callable[[Iterable[tuple[str, str]], datetime], Mapping[tuple[str, str], tuple[int, str]]]


class Spoken:
    """`boards` is asked each time: config and contacts may have been read anew."""

    def __init__(self, boards: Callable[[], Boards], now: Callable[[], datetime], sold: Sold | None = None) -> None:
        self._boards, self._now, self._sold = boards, now, sold

    def firing(self, episodes: Sequence[Episode], rooms: Rooms, counts: Counts, language: Language) -> Notice:
        now = self._now()
        sales = None if self._sold is None else self._sold(rooms, now)
        return wording.firing(episodes, rooms, counts, self._boards(), language, now, sales)

    def ended(self, episodes: Sequence[Episode], how: How, rooms: Rooms, language: Language) -> Notice:
        return wording.ended(episodes, how, rooms, self._boards(), language, self._now())
