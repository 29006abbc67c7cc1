"""What was said by a socket while nobody listened: whether even a perfect listener need not have heard it."""

import asyncio
import time

from ..scene import Scene, Trouble

BACK_S_MAX = 10.0  # so long after a connection, or a trouble, ended nobody need be back
START_S_MAX = 120.0  # so long into a play nobody need be there yet
LOOK_EVERY_S = 0.1


class Untold:
    """Of each of several listeners. What is not `excused` was told: who did not hear it must say that he could not."""

    def __init__(self, scene: Scene, trouble: Trouble) -> None:
        self.scene, self.trouble = scene, trouble
        self._troubled_s = float("-inf")
        self._known: set[str] = set()
        self._left_s: dict[str, float] = {}

    async def run(self) -> None:
        """Look at the trouble, until cancelled."""
        while True:
            self._look()
            await asyncio.sleep(LOOK_EVERY_S)

    def heard(self, whom: str) -> None:
        self._known.add(whom)

    def left(self, whom: str) -> None:
        """Its connection ended."""
        self._left_s[whom] = time.monotonic()

    def excused(self, whom: str) -> bool:
        self._look()
        if whom not in self._known and self.scene.play_s / self.scene.tempo.speed < START_S_MAX:
            return True
        return time.monotonic() - max(self._left_s.get(whom, self._troubled_s), self._troubled_s) < BACK_S_MAX

    def _look(self) -> None:
        if self.trouble.feed is not None or not self.trouble.pushing:
            self._troubled_s = time.monotonic()
