"""A hall without a server of its own: its encoders push to a cloud, whose callbacks are all that tells of its rooms."""

from ..event.cast import OWN
from ..manners import feed_name
from ..scene import Scene, Settings, Trouble
from .calls import Caller, Words
from .stream import Counting, Streams
from .unsold import SellsNothing


class Cloud(SellsNothing):
    """The rooms of one hall (its letter). Nobody asks the cloud, so of its troubles only those of pushes are any: what
    they hold up is told later. A room that went live before livemon listened is not known until it stops, as in life.
    An encoder that froze is cut where the cloud does that (`manners.CUTS_S`), and nothing is told of it elsewhere."""

    def __init__(self, scene: Scene, hall: str, words: Words) -> None:
        numbers = [part.number for part in scene.play.parts if (part.platform, part.hall) == (OWN, hall)]
        self.name = feed_name("cloud", hall.lower())
        self.trouble = Trouble()
        self.caller = Caller(scene, "cloud", hall, Streams(scene.play, numbers, Counting()), words, self.trouble)

    async def open(self) -> None:
        """It calls, and is not called."""

    def settings(self) -> Settings:
        return self.caller.settings()

    async def run(self) -> None:
        await self.caller.run()

    def waiting(self) -> int:
        return self.caller.waiting

    async def close(self) -> None:
        """Nothing of it is open."""
