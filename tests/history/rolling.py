"""A roller in a process of its own that asks before every statement, so that it can be killed at any of them.

`python -m tests.history.rolling FAULT` (DSN in the environment as ROLLER_DSN): writes the name of each statement to
stdout before it is sent, `commit` before a transaction ends, and goes on after one byte on stdin. FAULT plants a bug:
`marks_first` commits that marks are gone before their work, `hours_apart` sums hours in a transaction after that.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from monitor.history.roller import SETTINGS, Pair, Roller
from monitor.store.statements import SQL, statement

NAMES = {statement(f"history/{path.stem}"): path.stem for path in (SQL / "history").glob("*.sql")}
HOURS = ("clear_hour", "roll_hour", "clear_shops", "roll_shops", "clear_items", "roll_items")


def ask(name: str) -> None:
    """Blocks the whole process: nothing of it is on its way while it waits."""
    os.write(1, f"{name}\n".encode())
    if not os.read(0, 1):
        raise SystemExit("nobody is there")


class Asking:
    """A connection as the roller has it."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    async def execute(self, text: str, *told: Any) -> Any:
        ask(NAMES[text])
        return await self._conn.execute(text, *told)

    async def fetch(self, text: str, *told: Any) -> Any:
        ask(NAMES[text])
        return await self._conn.fetch(text, *told)

    async def fetchval(self, text: str, *told: Any) -> Any:
        ask(NAMES[text])
        return await self._conn.fetchval(text, *told)

    @asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[None]:
        async with self._conn.transaction(**options):
            yield
            ask("commit")

    def terminate(self) -> None:
        self._conn.terminate()


class MarksFirst(Roller):
    """The bug that the order of the real one rules out."""

    async def _roll(self, conn: Any, pairs: Sequence[Pair]) -> None:
        ask("commit")
        await conn._conn.execute("COMMIT; BEGIN")  # asyncpg's own transaction goes on in another of the server's
        await super()._roll(conn, pairs)


class WithoutHours(Asking):
    """Keeps back what sums hours."""

    def __init__(self, conn: Any) -> None:
        super().__init__(conn)
        self.later: list[tuple[Any, ...]] = []

    async def execute(self, text: str, *told: Any) -> Any:
        if NAMES[text] in HOURS:
            self.later.append((text, *told))
            return ""
        return await super().execute(text, *told)


class HoursApart(Roller):
    async def _transact(self, conn: Any, take: str, limit: int, *after: object, roll: bool = True) -> Sequence[Pair]:
        without = WithoutHours(conn._conn)
        pairs = await super()._transact(without, take, limit, *after, roll=roll)  # type: ignore[arg-type]
        async with conn.transaction():
            for text, *told in without.later:
                await conn.execute(text, *told)
        return pairs


FAULTS: dict[str, type[Roller]] = {"": Roller, "marks_first": MarksFirst, "hours_apart": HoursApart}


async def main() -> None:
    async def connect() -> Any:
        return Asking(await asyncpg.connect(os.environ["ROLLER_DSN"], server_settings=SETTINGS))

    await FAULTS[sys.argv[1]](connect).run()


if __name__ == "__main__":
    asyncio.run(main())
