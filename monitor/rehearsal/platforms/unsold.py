"""Who shows rooms of a play, and sells nothing."""

import asyncio
from typing import ClassVar, Protocol

from ..event.order import Happened


class Fake(Protocol):
    """Who answers in the platform's words."""

    async def serve(self) -> str: ...
    async def close(self) -> None: ...
    def forget(self) -> None: ...


class SellsNothing:
    """`name`: of its feed, or its platform."""

    SELLS_ON: ClassVar[str] = ""
    SHOWS: ClassVar[str] = ""
    name: str

    def happened(self, event: Happened) -> None:
        raise AssertionError(f"{self.name} sells nothing: {event}")

    def waiting(self) -> int:
        return 0


class Unsold[F: Fake](SellsNothing):
    """A platform with an interface of its own."""

    FORGET_EVERY_S: ClassVar[float] = 60.0  # what was asked in a week need not be remembered

    fake: F
    url = ""

    async def open(self) -> None:
        self.url = await self.fake.serve()

    async def run(self) -> None:
        """Nothing is delivered."""
        while True:
            await asyncio.sleep(self.FORGET_EVERY_S)
            self.fake.forget()

    async def close(self) -> None:
        await self.fake.close()
