"""The rooms of a played WeChat as its live dashboard shows them: what the play says, and what of it was answered.

A room is a video account with a key of its own; a broadcast is a live, whose stream may break off and come back.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from ..event.cast import Part
from ..scene import Scene
from ..truth import OFF_AIR
from .wechat_dashboard import Dashboard, PlayedLive

PLATFORM = "wechat"
LIVES_MAX = 2  # the one that is on or was last, and the one before: who asks late may still ask for that


class WechatLives:
    """Fills a dashboard, and writes down in the truth how each room was said to stand, room by room.

    An answer that names a live which is over says so by itself only if nobody asks for that live next: what a list said
    is taken back then, because what counts is said by the live's own data.
    """

    def __init__(self, scene: Scene, dashboard: Dashboard) -> None:
        self.scene, self.parts = scene, [part for part in scene.play.parts if part.platform == PLATFORM]
        self.money: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
        self._by_list: dict[str, int] = {}
        dashboard.accounts = {part.room: partial(self.lives, part) for part in self.parts}
        dashboard.listed, dashboard.shown = self.listed, self.shown

    def accounts(self, app: str) -> tuple[list[Mapping[str, str]], dict[str, tuple[str, str]]]:
        """A row of the file of accounts for each room, and by appid its secret and its room."""
        keys = {f"wxlive{part.number:06d}": part.room for part in self.parts}
        secrets = {key: self.scene.secret(f"wechat live {room}").decode()[:32] for key, room in keys.items()}
        said = {"platform": PLATFORM, "app": app}
        rows: list[Mapping[str, str]] = [
            said | {"anchor": room, "name": f"视频号{room}", "key": key, "secret": secrets[key]}
            for key, room in keys.items()
        ]
        return rows, {key: (secrets[key], room) for key, room in keys.items()}

    def sold(self, room: str, at: datetime, fen: int) -> None:
        """An order of this room was paid: its live's own total of money moves."""
        self.money[room].append((at, fen))

    def lives(self, part: Part, at: datetime) -> Sequence[PlayedLive]:
        clock_s = (at - self.scene.tempo.began_at).total_seconds()
        now = self.scene.play.room(part.number, clock_s)
        begun = [
            broadcast
            for broadcast in self.scene.play.until(part.number, clock_s * self.scene.tempo.speed)
            if broadcast.ending != "absent" and broadcast.number <= now.broadcast
        ]
        found = []
        for broadcast in begun[-LIVES_MAX:]:
            created_at, is_last = self.scene.tempo.at(broadcast.starts_s), broadcast.number == now.broadcast
            living = is_last and now.publishing
            gmv = sum(fen for paid_at, fen in self.money[part.room] if paid_at >= created_at)
            found.append(
                PlayedLive(
                    f"export/{part.room}/{broadcast.number}", created_at, living,
                    now.viewers if living else 0, now.views_total if is_last else 0, gmv,
                )
            )  # fmt: skip
        return found

    def listed(self, account: str, lives: Sequence[PlayedLive], at: datetime) -> None:
        """Today's list went out: where no live is on, that says that the room is not."""
        self._by_list.pop(account, None)
        if not any(live.living for live in lives):
            self._by_list[account] = self.scene.truth.served(self._feed(account), at, [OFF_AIR])

    def shown(self, account: str, live: PlayedLive, at: datetime) -> None:
        """A live's own data went out."""
        if (row := self._by_list.pop(account, None)) is not None:
            self.scene.truth.withdraw(row)
        self.scene.truth.served(self._feed(account), at, [live.viewers if live.living else OFF_AIR])

    def _feed(self, account: str) -> str:
        return f"live-{PLATFORM}:{account}"
