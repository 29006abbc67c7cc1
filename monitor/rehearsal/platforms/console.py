"""The operator's own console: it exports the rooms of one platform as a list in pages, which livemon reads by a feed
that TOML alone describes (http_json).

All pages of a list are one look at the rooms: a cursor names the instant of the first one, and where the next begins.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from ..manners import EVERY_S, feed_name
from ..scene import Scene, Settings, Trouble
from ..truth import OFF_AIR
from .page_server import PageServer, one_page
from .room_words import FIELDS, entry, unix_ms
from .unsold import SellsNothing

WAY, PATH = "list", "/export/lives"
PAGE_ROOMS = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STANZA = """\
[[feed]]
kind = "http_json"
name = "{name}"
platform = "{platform}"
url = "{url}?size={size}&after={{cursor}}"
headers = {{ Authorization = "Bearer {{token}}" }}
secrets = {{ token = "secrets/{name}" }}
interval_s = {interval_s}
rooms_at = "data.lives"
cursor = "data.next"
total = "data.total"
complete = true
live_when = ["LIVE"]
ended_when = ["ENDED"]
ok_when = "code == `0`"

{fields}"""


class Console(SellsNothing):
    """Lists who is on air, and whose last broadcast was ended. A stream that dropped is on no page until it is back."""

    def __init__(self, scene: Scene, platform: str, page_rooms: int = PAGE_ROOMS) -> None:
        self.scene, self.platform, self.page_rooms = scene, platform, page_rooms
        self.name = feed_name(WAY, platform)
        self.trouble = Trouble()
        self.parts = [part for part in scene.play.parts if part.platform == platform]
        self.secret = scene.secret(self.name)
        self.server = PageServer(
            self.name, one_page(PATH, self.page, b"Authorization: Bearer " + self.secret), scene.truth, self.trouble,
            scene.now, "nginx/1.26.3", "application/json",
        )  # fmt: skip
        self.url = ""
        self._looked: tuple[int, list[dict[str, Any]], list[int]] = (-1, [], [])

    async def open(self) -> None:
        self.url = await self.server.open() + PATH

    def settings(self) -> Settings:
        stanza = STANZA.format(
            name=self.name, platform=self.platform, url=self.url, size=self.page_rooms, interval_s=EVERY_S[self.name],
            fields=FIELDS,
        )  # fmt: skip
        return Settings(stanza, {self.name: self.secret})

    async def run(self) -> None:
        """It answers, and delivers nothing."""

    def page(self, at: datetime, query: str) -> tuple[bytes, Sequence[int] | None]:
        """One page; on the last one, too, what all of them say of each room."""
        after = parse_qs(query).get("after", [""])[0]
        look_ms, begin = map(int, after.split("-")) if after else (unix_ms(at), 0)
        lives, viewers = self._look(look_ms)
        end = begin + self.page_rooms
        more = end < len(lives)
        data = {"total": len(lives), "next": f"{look_ms}-{end}" if more else "", "lives": lives[begin:end]}
        body = json.dumps({"code": 0, "data": data}, ensure_ascii=False, separators=(",", ":")).encode()
        return body, None if more else viewers

    def _look(self, at_ms: int) -> tuple[list[dict[str, Any]], list[int]]:
        if self._looked[0] != at_ms:
            clock_s = (EPOCH + timedelta(milliseconds=at_ms) - self.scene.tempo.began_at).total_seconds()
            rooms = self.scene.play.rooms(clock_s, [part.number for part in self.parts])
            told = [entry(now) for now in rooms]
            lives = [it[0] for it in told if it is not None]
            self._looked = at_ms, lives, [OFF_AIR if it is None else it[1] for it in told]
        return self._looked[1], self._looked[2]

    async def close(self) -> None:
        await self.server.close()
