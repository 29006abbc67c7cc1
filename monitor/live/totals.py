"""What a platform itself says of a session's money, as often as it is worth a row: kept beside ours, never added."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from collectors.tick import Tick
from monitor.facts import PlatformTotal
from monitor.live.room import Room

EVERY = timedelta(minutes=10)  # a room that sells without pause is a row so often; each end of a session is one, too
AMOUNT_MAX = 2**63 - 1


class Totals:
    """Of one feed: what was told last of each room's session."""

    def __init__(self) -> None:
        self._told: dict[str, PlatformTotal] = {}

    def take(self, ticks: Iterable[Tick], listed: Mapping[str, Room]) -> list[PlatformTotal]:
        """Those of a frame that are to be written: of another amount than before, and late enough, or at the end.

        A total belongs to the session whose key its tick has; one of another session, or of none, is no use.
        """
        found = []
        for tick in ticks:
            room = listed.get(tick.room)
            if tick.gmv_minor is None or tick.currency is None or room is None:
                continue
            opened_at, key = room.session.opened_at, room.session.key
            if opened_at is None or key != tick.session_key or not 0 <= tick.gmv_minor <= AMOUNT_MAX:
                continue
            total = PlatformTotal(room.platform, tick.room, tick.at, opened_at, tick.gmv_minor, tick.currency)
            if self._is_news(total, tick.live is False):
                self._told[tick.room] = total
                found.append(total)
        return found

    def _is_news(self, total: PlatformTotal, at_the_end: bool) -> bool:
        known = self._told.get(total.room)
        if known is None or known.opened_at != total.opened_at:
            return True
        if known.gmv_minor == total.gmv_minor or total.at <= known.at:
            return False
        return at_the_end or total.at - known.at >= EVERY
