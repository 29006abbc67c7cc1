"""YouTube in a play: videos, each of which is one broadcast, fifty in a call. Nothing is sold there.

A stream that drops stays on air until its broadcast is ended: a video says when it began and was over, and no more.
An answer tells of each video that was asked for, so each is a feed of its own in the truth.
"""

from collections.abc import Sequence
from typing import ClassVar

from ..event.script import Broadcast
from ..manners import EVERY_S, feed_name
from ..scene import Scene, Settings, Trouble
from ..truth import OFF_AIR
from .unsold import Unsold
from .youtube_api import FakeYoutube, PlayedVideo

NAME, WAY = "youtube", "kept"
FEED = feed_name(WAY, NAME)
UNITS_A_DAY = 1_000_000  # of a project that Google has looked at: the usual 10,000 are for 50 rooms
STANZAS = """\
[[app]]
name = "{name}"
platform = "youtube"
secret_file = "secrets/{name}"
api_url = "{api}"

[[feed]]
kind = "youtube"
name = "{feed}"
app = "{name}"
interval_s = {interval_s}
units_per_day = {units}
"""


class Youtube(Unsold[FakeYoutube]):
    SHOWS: ClassVar[str] = NAME
    name = NAME

    def __init__(self, scene: Scene) -> None:
        self.scene, self.trouble = scene, Trouble()
        self.parts = {part.room: part for part in scene.play.parts if part.platform == NAME}
        self.secret = scene.secret(NAME)
        self.fake = FakeYoutube(
            "", self.secret, scene.now, trouble=self.trouble, units=UNITS_A_DAY, look=self.look, told=self.told
        )

    def settings(self) -> Settings:
        text = STANZAS.format(name=NAME, api=self.url, feed=FEED, interval_s=EVERY_S[FEED], units=UNITS_A_DAY)
        return Settings(text, {NAME: self.secret})

    def look(self, ids: Sequence[str]) -> None:
        """How these videos stand now; what is not among the rooms is no video."""
        play_s, at = self.scene.play_s, self.scene.tempo.at
        for room in ids:
            part = self.parts.get(room)
            if part is None:
                continue
            now = self.scene.play.room(part.number, play_s / self.scene.tempo.speed)
            begun = self._begun(part.number, play_s)
            self.fake.videos[room] = PlayedVideo(room, viewers=now.viewers or None) if begun is None else PlayedVideo(
                room, at(begun.starts_s), at(begun.starts_s), at(begun.ends_s) if begun.ends_s <= play_s else None,
                now.viewers or None,
            )  # fmt: skip

    def _begun(self, number: int, play_s: float) -> Broadcast | None:
        """The one broadcast of a video, if it has begun."""
        return next((it for it in self.scene.play.until(number, play_s) if it.ending != "absent"), None)

    def told(self, ids: Sequence[str], videos: Sequence[PlayedVideo]) -> None:
        """This was answered, now. Where nobody watches no number is shown."""
        at, on_air = self.scene.now(), {it.id: it.viewers or 0 for it in videos if it.began_at and not it.ended_at}
        for room in ids:
            self.scene.truth.served(feed_name(WAY, NAME, room), at, [on_air.get(room, OFF_AIR)])
