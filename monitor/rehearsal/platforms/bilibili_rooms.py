"""What happens in the rooms of a played Bilibili, told over their sockets: who goes on and off air, likes, and gifts.

A stream that drops stays on air: the platform says when a broadcast begins and when it is ended, and no more. Likes and
gifts are the world's, whatever the speed of the play. What nobody hears is not told again.
"""

import asyncio
import heapq
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..event.cast import Part
from ..manners import EVERY_S, feed_name
from ..scene import Scene, Trouble
from ..truth import NOT_TOLD, OFF_AIR, Fact
from .bilibili_gifts import Gift, gifts
from .bilibili_sockets import LiveSockets
from .untold import Untold

NAME, WAY = "bilibili", "heard"
LIKE_EVERY_S = EVERY_S[feed_name(WAY, NAME)]  # a listener may keep one in 30 s, so each of these is kept
LOOK_EVERY_S = 0.25
TOLD_AFTER_S = 1.0  # so late that its second is over: of what comes sooner nobody could say when it was heard
AT_THE_END = timedelta(milliseconds=990)


class BilibiliRooms:
    """In the truth each room is a feed of its own: signs of life that say nothing of it, and messages that do.

    All that is told has the platform's stamp, in whole seconds; a like is of just before its second, and what begins or
    ends a broadcast of the end of its own.
    """

    def __init__(self, scene: Scene, trouble: Trouble, sockets: LiveSockets) -> None:
        self.scene, self.trouble, self.sockets = scene, trouble, sockets
        self.parts = [part for part in scene.play.parts if part.platform == NAME]
        self.untold = Untold(scene, trouble)
        sockets.beaten, sockets.left = self.beaten, self.left
        # A heap: the second of the play at which it is told, the room's number, what it is, and when that happens.
        self._due: list[tuple[float, int, str, float]] = []
        self._messages = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.untold.run())
            for part in self.parts:
                self._plan(part, self.scene.play_s)
            while True:
                play_s = self.scene.play_s
                while self._due and self._due[0][0] <= play_s:
                    _, number, what, at_s = heapq.heappop(self._due)
                    self._happens(self.scene.play.parts[number], what, at_s)
                await asyncio.sleep(LOOK_EVERY_S)

    def beaten(self, room: str) -> None:
        """A heartbeat was answered: whoever listens could have heard."""
        self.untold.heard(room)
        self.scene.truth.served(feed_name(WAY, NAME, room), self.scene.now(), [NOT_TOLD], "alive")

    def left(self, room: str) -> None:
        """Whoever listened is gone, and may be back before anybody misses him."""
        self.untold.left(room)
        self.scene.truth.served(feed_name(WAY, NAME, room), self.scene.now(), None, "failed")

    def _plan(self, part: Part, play_s: float) -> None:
        """What comes next in this room, as it stands then."""
        broadcast = self.scene.play.broadcast(part.number, play_s)
        if broadcast.starts_s > play_s:
            self._tell(part, "begins", broadcast.starts_s, TOLD_AFTER_S)
            return
        dice = random.Random(f"likes {part.number}")  # noqa: S311 (a play, no secret)
        first_s = self.scene.play_s + self.scene.tempo.in_play(dice.uniform(0.5, LIKE_EVERY_S))
        self._tell(part, "like", first_s)
        self._tell(part, "ends", broadcast.ends_s, TOLD_AFTER_S)

    def _tell(self, part: Part, what: str, at_s: float, after_s: float = 0.0) -> None:
        heapq.heappush(self._due, (at_s + self.scene.tempo.in_play(after_s), part.number, what, at_s))

    def _happens(self, part: Part, what: str, at_s: float) -> None:
        broadcast = self.scene.play.broadcast(part.number, at_s)
        if what == "ends":
            self._stamped(part, "LIVE_END", at_s, OFF_AIR)
            self._plan(part, at_s)
        elif what == "begins":
            if broadcast.starts_s == at_s:  # else nobody came
                self._stamped(part, "LIVE_START", at_s, 0)
            self._plan(part, at_s)
        elif broadcast.starts_s <= at_s < broadcast.ends_s:
            self._liked(part)
            self._tell(part, "like", self.scene.play_s + self.scene.tempo.in_play(LIKE_EVERY_S))

    def _stamped(self, part: Part, name: str, at_s: float, says: int) -> None:
        second = self.scene.tempo.at(at_s).replace(microsecond=0)
        at, data = second + AT_THE_END, {"area_name": "购物", "title": part.anchor} | stamp(second)
        heard = self.sockets.push_raw(part.room, self.sockets.packed([self._message(part, name, data)]))
        if heard or not self.untold.excused(part.room):
            self.scene.truth.served(feed_name(WAY, NAME, part.room), at, [says], "stamped")
        else:
            self.scene.truth.served(feed_name(WAY, NAME, part.room), at, None, "failed")

    def _liked(self, part: Part) -> None:
        """One message of the socket holds what one look at a room has found."""
        at = self.scene.now()
        given = gifts(self.scene.play.seed, part, int(at.timestamp()))
        like = self._message(part, "LIKE", {"like_count": 3, "like_text": "为主播点赞了"} | stamp(at))
        told = [self._message(part, gift.name, gift.data | stamp(at)) for gift in given]
        heard = self.sockets.push_raw(part.room, self.sockets.packed([like, *told]))
        if not heard and self.untold.excused(part.room):
            return
        liked_at = at.replace(microsecond=0) - timedelta(milliseconds=1)
        self.scene.truth.served(feed_name(WAY, NAME, part.room), liked_at, [0], "stamped")
        self._given(part, given, at)
        if self.trouble.twice and told:
            self.sockets.push_raw(part.room, self.sockets.packed(told))

    def _given(self, part: Part, given: Sequence[Gift], at: datetime) -> None:
        stamped_at = datetime.fromtimestamp(int(at.timestamp()), UTC)
        for gift in (it for it in given if it.amount_minor):
            event_id = f"{part.room}:{gift.fact}:gift"
            fact = Fact(NAME, "", event_id, "gift", gift.amount_minor, "CNY", stamped_at, part.room)
            self.scene.truth.sold(fact, at)

    def _message(self, part: Part, name: str, data: dict[str, Any]) -> bytes:
        self._messages += 1
        about = {
            "room_id": int(part.room), "open_id": f"open-{part.room}",
            "msg_id": f"ln-{part.room}-{self._messages}",
        } | data  # fmt: skip
        return json.dumps({"cmd": f"LIVE_OPEN_PLATFORM_{name}", "data": about}, ensure_ascii=False).encode()


def stamp(at: datetime) -> dict[str, int]:
    return {"timestamp": int(at.timestamp())}
