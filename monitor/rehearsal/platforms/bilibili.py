"""Bilibili in a play: an app that runs in each room, and a socket a room that tells when it goes on and off air, and
what is given there. Its rooms sell in shops of JD."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from ..manners import feed_name
from ..scene import Scene, Settings, Trouble
from .bilibili_api import FakeBilibili
from .bilibili_rooms import NAME, WAY, BilibiliRooms
from .unsold import Unsold

KEY = "LNLIVEACCESSKEY0000001"
STANZAS = """\
[[app]]
name = "{name}"
platform = "bilibili"
key = "{key}"
secret_file = "secrets/{name}"
api_url = "{api}"
calls_per_s = 200

[[feed]]
kind = "bilibili_open"
name = "{feed}"
app = "{name}"
app_id = {app_id}
"""


class Bilibili(Unsold[FakeBilibili]):
    SHOWS: ClassVar[str] = NAME
    FORGET_EVERY_S = 1_200.0  # twice as long as a nonce is good
    name = NAME

    def __init__(self, scene: Scene) -> None:
        self.scene, self.trouble = scene, Trouble()
        self.secret = scene.secret(NAME)
        self.fake = FakeBilibili(KEY, self.secret, scene.now, trouble=self.trouble)
        self.rooms = BilibiliRooms(scene, self.trouble, self.fake.sockets)
        self.fake.codes = {self._code(part.room): part.room for part in self.rooms.parts}

    def settings(self) -> Settings:
        """Each broadcaster has given an identity code."""
        text = STANZAS.format(name=NAME, key=KEY, api=self.url, feed=feed_name(WAY, NAME), app_id=self.fake.app_id)
        accounts: list[Mapping[str, str]] = [
            {"platform": NAME, "app": NAME, "anchor": room, "name": f"直播间{room}", "access_token": code}
            for code, room in self.fake.codes.items()
        ]
        return Settings(text, {NAME: self.secret}, accounts)

    def _code(self, room: str) -> str:
        return self.scene.secret(f"{NAME} {room}").decode()[:14].upper()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.fake.sockets.mishaps.run())
            group.create_task(self.rooms.run())
            await super().run()
