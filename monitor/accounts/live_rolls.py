"""What a feed with a socket for each room tells of them, passed on to the watch; and where its sockets may lead."""

from collections.abc import Callable, Mapping
from datetime import datetime

from collectors.collector import Now
from monitor.accounts.name_lookup import GuardedResolver
from monitor.facts import Heard
from monitor.live.failure import Reason
from monitor.live.watch import Watch


class WatchRolls:
    """`failed` counts: feed, reason. A room that stays unheard is counted once."""

    def __init__(
        self, watch: Watch, failed: Callable[[str, Reason], None], put: Callable[[Heard], None], now: Now
    ) -> None:
        self._watch, self._failed, self._put, self._now = watch, failed, put, now
        self._unheard: dict[tuple[str, str], Reason] = {}

    def heard(self, feed: str, rooms: Mapping[str, datetime]) -> None:
        for room in rooms:
            self._unheard.pop((feed, room), None)
        self._tell(self._watch.hear_rooms(feed, rooms))

    def unheard(self, feed: str, room: str, reason: Reason) -> None:
        if self._unheard.get((feed, room)) != reason:
            self._unheard[feed, room] = reason
            self._failed(feed, reason)
        self._tell(self._watch.fail_room(feed, room, reason, self._now()))

    def lost(self, feed: str, reason: Reason) -> None:
        self._failed(feed, reason)
        self._tell(self._watch.lose(feed, reason, self._now()))

    def _tell(self, heard: Heard) -> None:
        if heard.spans or heard.changes or heard.feed is not None:
            self._put(heard)


class LookedUp:
    """The address of a host, as of any call to a platform: a public one, unless the config names the host itself."""

    def __init__(self) -> None:
        self._guarded, self._open = GuardedResolver(guarded=True), GuardedResolver(guarded=False)

    async def __call__(self, host: str, anywhere: bool) -> str:
        """Raises OSError."""
        found = await (self._open if anywhere else self._guarded).resolve(host)
        if not found:
            raise OSError("the platform named a socket whose host has no address")
        return found[0]["host"]
