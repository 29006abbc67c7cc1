"""What the scenes share: a livemon with its halls and hooks, whose PostgreSQL is behind a door, and its pushes."""

import itertools
import json
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors.hook import Delivery
from collectors.orders.push_json import signature
from tests.acceptance.alerts.halls import Hall
from tests.acceptance.shop import SECRET, Line, sale
from tests.acceptance.test_accounts import House

PUSH_FEED = """
[[app]]
name = "{name}"
platform = "push_json"
secret_file = "push.secret"

[[feed]]
kind = "push_json"
name = "{name}"
app = "{name}"
platforms = {platforms}
"""
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name LIKE 'livemon-%' AND datname = current_database()"
)


class Ground(House):
    """`top` are keys of the config, `tables` its tables; the halls bring their feeds and their rooms."""

    def __init__(
        self, folder: Path, database: Any, halls: Sequence[Hall], *, top: str = "", tables: str = "",
        roster: Sequence[str] = (), pushes: dict[str, list[str]] | None = None,
    ) -> None:  # fmt: skip
        for name, platforms in (pushes or {}).items():
            tables += PUSH_FEED.format(name=name, platforms=platforms)
        tables += "".join(hall.feed() for hall in halls)
        super().__init__(folder, database, "doudian", "8800", "4463798", f"{top}\n{tables}")
        self.secret("push.secret", SECRET)
        lines = roster or [line for hall in halls for line in hall.roster()]
        text = "\n".join(["platform,room,anchor,hall,tier,shop,contact", *lines]) + "\n"
        (folder / "roster.csv").write_text(text, encoding="utf-8")
        self.rooms = len(lines)
        self.numbers = itertools.count(1)  # of deliveries
        self.door = folder / "door"
        self.open_door()
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(text.replace(f"?host={database.server.socket}", f"?host={self.door}"), encoding="utf-8")

    def open_door(self) -> None:
        self.door.symlink_to(self.database.server.socket)

    async def shut_door(self) -> None:
        """PostgreSQL is gone, as far as livemon can tell: its connections end, and no new one finds the way."""
        os.unlink(self.door)
        conn = await self.database.connect("postgres")
        await conn.execute(END_SESSIONS)
        await conn.close()

    async def sell(self, name: str, *sales: dict[str, object], signed_by: str = SECRET) -> int:
        """Push these to the feed; the status of the answer."""
        return await self.deliver(name, json.dumps({"sales": [sale(**told) for told in sales]}).encode(), signed_by)

    async def deliver(self, name: str, body: bytes, signed_by: str = SECRET) -> int:
        stamp, number = str(int(time.time())), f"d{next(self.numbers)}"
        told = signature(stamp, number, body, signed_by.encode())
        headers = {"x-livemon-timestamp": stamp, "x-livemon-id": number, "x-livemon-signature": told}
        line = Line(self.hooks)
        status, _ = await line.post(name, Delivery("POST", f"/hooks/{name}", "", headers, body))
        line.close()
        return status

    async def plan(self, *rooms: tuple[str, str]) -> None:
        """These rooms (platform, room) shall be on air since a minute ago, for an hour."""
        began = datetime.now(UTC) - timedelta(minutes=1)
        end = began + timedelta(hours=1)
        path = self.folder / "schedule.csv"
        rows = [f"{platform},{room},{began:%FT%T%:z},{end:%FT%T%:z}" for platform, room in rooms]
        path.write_text("\n".join(["platform,room,starts_at,ends_at", *rows]) + "\n")
        await self.type("schedule", "import", str(path))
