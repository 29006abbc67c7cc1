"""A platform of a play that shows rooms, and on which nothing is sold."""

import asyncio
from typing import ClassVar, Protocol

from ..event.order import Happened


class Fake(Protocol):
    """Who answers in the platform's words."""

    async def serve(self) -> str: ...
    async def close(self) -> None: ...
    def forget(self) -> None: ...


class Unsold[F: Fake]:
    SELLS_ON: ClassVar[str] = ""
    FORGET_EVERY_S: ClassVar[float] = 60.0  # what was asked in a week need not be remembered

    name: str
    fake: F
    url = ""

    async def open(self) -> None:
        self.url = await self.fake.serve()

    async def run(self) -> None:
        """Nothing is delivered."""
        while True:
            await asyncio.sleep(self.FORGET_EVERY_S)
            self.fake.forget()

    def happened(self, event: Happened) -> None:
        raise AssertionError(f"nothing is sold on {self.name}: {event}")

    def waiting(self) -> int:
        return 0

    async def close(self) -> None:
        await self.fake.close()
