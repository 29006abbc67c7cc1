"""Bilibili's rooms in the real monitor: codes come as a file, gifts reach PostgreSQL once, kill -9 loses no run."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.platforms.bilibili_api import FakeBilibili
from tests.acceptance.hall import listening, seen
from tests.acceptance.test_accounts import House

pytestmark = [pytest.mark.real, pytest.mark.slow]
ROOM, OTHER = "24330218", "545068"
BLIND, LIVE, OFFLINE = 3, 1, 0
TABLES = """
[[app]]
name = "bili"
platform = "bilibili"
key = "access-key"
secret_file = "bili.secret"
api_url = "{api}"

[[feed]]
kind = "bilibili_open"
name = "bilibili"
app = "bili"
app_id = 1234567890123
interval_s = 2.0
"""


def now() -> datetime:
    return datetime.now(UTC)


def written(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class Hall(House):
    def __init__(self, folder: Path, database: object, fake: FakeBilibili, api: str) -> None:
        self.fake = fake
        self.secret_of(folder)
        super().__init__(folder, database, "bilibili", ROOM, "", TABLES.format(api=api))
        written(folder / "roster.csv", ["platform,room,anchor", f"bilibili,{ROOM},草莓姐", f"bilibili,{OTHER},海参哥"])
        codes = [f"bilibili,bili,{room},CODE{room}" for room in (ROOM, OTHER)]
        self.codes = written(folder / "codes.csv", ["platform,app,anchor,access_token", *codes])
        fake.codes |= {f"CODE{room}": room for room in (ROOM, OTHER)}

    def secret_of(self, folder: Path) -> None:
        (folder / "bili.secret").touch(mode=0o600)
        (folder / "bili.secret").write_text("secret")

    def push(self, name: str, room: str = ROOM, **data: object) -> None:  # type: ignore[override]
        told = {"room_id": int(room), "timestamp": int(now().timestamp()), "open_id": "u1", **data}
        assert self.fake.sockets.push(room, name, told) == 1

    def gift(self, number: int, **data: object) -> None:
        gift = {"gift_id": 1, "gift_name": "小花花", "gift_num": 2, "price": 300, "r_price": 300, "paid": True}
        self.push("SEND_GIFT", msg_id=f"m-{number}", **gift | data)

    async def rows(self, question: str, *answer: tuple[object, ...]) -> None:
        """Wait until these are the rows of the answer."""
        found: list[tuple[object, ...]] = []
        conn = await self.database.connect("owner")
        try:
            async with asyncio.timeout(30):
                while found != list(answer):
                    found = [tuple(row) for row in await conn.fetch(question)]
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"{question}: {found}, not {answer}") from None
        finally:
            await conn.close()

    async def listeners(self, count: int) -> None:
        async with asyncio.timeout(30):
            while sum(map(len, self.fake.sockets.heard.values())) != count:
                await asyncio.sleep(0.05)


async def test_gifts_reach_postgresql_once_and_a_kill_loses_no_run(tmp_path, database):
    fake = FakeBilibili("access-key", b"secret", now)
    api = await fake.serve()
    fake.sockets.version = 2
    hall = Hall(tmp_path, database, fake, api)
    try:
        async with Livemon(hall.config, f"http://127.0.0.1:{hall.port}") as livemon:
            await listening(livemon)
            await seen(livemon, ROOM, 30, state=BLIND)
            await hall.type("account", "import", str(hall.codes))
            await hall.listeners(2)
            hall.push("LIVE_START", msg_id="a-1")
            await seen(livemon, ROOM, 15, state=LIVE)
            for number in (1, 2, 1):  # the first one twice
                hall.gift(number)
            hall.gift(3, paid=False)
            gifts = "SELECT event_id, kind, amount_minor, units, room_id IS NOT NULL FROM sale ORDER BY event_id"
            first = [(f"{ROOM}:m-{number}:gift", "gift", 30, 2, True) for number in (1, 2)]
            await hall.rows(gifts, *first)
            livemon.kill()
            await hall.listeners(0)
            livemon.start()
            await listening(livemon)
            await hall.listeners(2)
            assert sorted(fake.started) == sorted([ROOM, OTHER]), "the runs that it found were gone on with"
            await seen(livemon, ROOM, 5, state=BLIND)  # nobody can be asked how it stands
            hall.push("LIKE", like_count=3)
            await seen(livemon, ROOM, 15, state=LIVE)
            hall.gift(2)
            hall.gift(4)
            await hall.rows(gifts, *first, (f"{ROOM}:m-4:gift", "gift", 30, 2, True))
            hall.push("LIVE_END", msg_id="a-2")
            await seen(livemon, ROOM, 15, state=OFFLINE)
            await hall.rows("SELECT close_reason, drops FROM session_summary", ("ended", 0))
            fake.expired.add(f"CODE{OTHER}")
            del fake.games[next(game.game_id for game in fake.games.values() if game.room == OTHER)]
            await hall.rows("SELECT anchor, state FROM account WHERE state <> 'ok'", (OTHER, "refused"))
            await seen(livemon, ROOM, 5, state=OFFLINE)
            await hall.rows("SELECT state, count(*) FROM quarantine GROUP BY state")
            assert await livemon.stop() == 0
        kept = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
        assert kept
        assert not any(word in data for data in kept for word in (b"CODE" + ROOM.encode(), b"auth_body", b'"key"'))
    finally:
        await fake.close()
