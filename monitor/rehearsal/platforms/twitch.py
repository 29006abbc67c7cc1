"""Twitch in a play: channels that are listed while somebody sends them a picture, a hundred in a call.

Nothing is sold there. An answer tells of each channel that was asked about, so each is a feed of its own in the truth.
Events (EventSub) are left out: rows of ticks do not say which of two feeds told of a room, so nobody could tell a frame
of one that was lost from one of the other that came in the same moment.
"""

from collections.abc import Sequence
from typing import ClassVar

from ..manners import EVERY_S, feed_name
from ..scene import Scene, Settings, Trouble
from ..truth import OFF_AIR
from .twitch_api import FakeTwitch, PlayedStream
from .unsold import Unsold

NAME, WAY = "twitch", "live"
FEED = feed_name(WAY, NAME)
CLIENT_ID = "wbmytr93xzw8zbg0p1izqyzzc5mbiz"
STANZAS = """\
[[app]]
name = "{name}"
platform = "twitch"
key = "{key}"
secret_file = "secrets/{name}"
api_url = "{api}"

[[feed]]
kind = "twitch"
name = "{feed}"
app = "{name}"
interval_s = {interval_s}
"""


class Twitch(Unsold[FakeTwitch]):
    SHOWS: ClassVar[str] = NAME
    name = NAME

    def __init__(self, scene: Scene) -> None:
        self.scene, self.trouble = scene, Trouble()
        self.parts = {part.room: part for part in scene.play.parts if part.platform == NAME}
        self.secret = scene.secret(NAME)
        self.fake = FakeTwitch(CLIENT_ID, self.secret, scene.now, trouble=self.trouble, look=self.look, told=self.told)

    def settings(self) -> Settings:
        text = STANZAS.format(name=NAME, key=CLIENT_ID, api=self.url, feed=FEED, interval_s=EVERY_S[FEED])
        return Settings(text, {NAME: self.secret})

    def look(self, user_ids: Sequence[str]) -> None:
        """Who of these is on air now. A stream keeps its id when its encoder comes back."""
        play_s = self.scene.play_s
        for room in user_ids:
            self.fake.streams.pop(room, None)
            part = self.parts.get(room)
            if part is None:
                continue
            now = self.scene.play.room(part.number, play_s / self.scene.tempo.speed)
            if now.publishing:
                self.fake.streams[room] = PlayedStream(
                    f"4{part.number:06d}{now.broadcast:05d}", room, f"channel{room}", now.viewers,
                    self.scene.tempo.at(self.scene.play.broadcast(part.number, play_s).starts_s), part.anchor,
                )  # fmt: skip

    def told(self, user_ids: Sequence[str], streams: Sequence[PlayedStream]) -> None:
        """This was answered, now."""
        at, viewers = self.scene.now(), {stream.user_id: stream.viewers for stream in streams}
        for room in user_ids:
            self.scene.truth.served(feed_name(WAY, NAME, room), at, [viewers.get(room, OFF_AIR)])
