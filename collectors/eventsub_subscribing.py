"""Subscribes an EventSub session to channels, in the names of the accounts that the roster gives them."""

from collections.abc import Callable, Sequence
from functools import partial

from .api_feed import Platform, RoomUnseen
from .apis.twitch_calls import is_user_id, read_subscribed, subscribe
from .collector import FeedRefused
from .eventsub_messages import KINDS

PERSON_NEEDED = "auth"


class Subscribing:
    """`left` are the channels that could not be subscribed to so far: they are only asked about, and tried again.

    `session_id` tells what the session is called at that moment.
    """

    def __init__(self, session_id: Callable[[], str], rooms: Sequence[str], platform: Platform) -> None:
        self._session_id, self._platform = session_id, platform
        self.left = list(filter(is_user_id, rooms))
        self._done = 0
        self._cost = self._total_cost = self._cost_max = 0

    async def begin(self) -> None:
        """A session that is subscribed to nothing is none. Raises FeedRefused, ConnectionResetError."""
        why = await self.go_on()
        if self.left and not self._done:
            if why == PERSON_NEEDED:
                raise FeedRefused("no channel can be subscribed to: link the account that their roster rows name")
            raise ConnectionResetError(f"no channel could be subscribed to: {why}")

    async def go_on(self) -> str:
        """Try all that are left; says why the last one of those could not be that still are."""
        trying, self.left, why = self.left, [], ""
        for room in trying:
            try:
                await self._subscribe(room)
                self._done += 1
            except RoomUnseen as unseen:
                self.left.append(room)
                why = str(unseen)
                if 0 < self._cost_max <= self._total_cost:
                    raise self._spent(len(trying)) from unseen
        return why

    async def _subscribe(self, room: str) -> None:
        for kind in KINDS:
            make = partial(subscribe, kind=kind, user_id=room, session_id=self._session_id())
            told = read_subscribed(await self._platform.ask(make, room))
            self._cost += sum(one.cost for one in told.data)
            self._total_cost, self._cost_max = told.total_cost, told.max_total_cost

    def _spent(self, wanted: int) -> Exception:
        """Others may spend it, too: a connection of ours that Twitch has not yet given up, or another program."""
        spent = f"the cost of this user's subscriptions is spent ({self._total_cost} of {self._cost_max})"
        if self._cost < self._cost_max:
            return ConnectionResetError(f"{spent}, {self._total_cost - self._cost} of it elsewhere")
        return FeedRefused(
            f"{spent} after {self._done} of {wanted} channels: name fewer rooms, or have broadcasters authorise the app"
        )
