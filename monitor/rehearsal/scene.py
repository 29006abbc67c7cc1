"""What every played platform is given, and what each of them gives: the seam at which a new platform is added."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Literal, Protocol

import aiohttp
import msgspec

from .event.cast import Part
from .event.order import Happened, Order
from .event.play import Play
from .event.tempo import Tempo
from .truth import Truth

How = Literal["refuse", "hang", "error", "garbage"]


@dataclass
class Trouble:
    """What is wrong with a platform at this instant; the director of a drill sets it, the platform obeys.

    `feed`: how its interface fails (connections cut, no answer, 502, an answer that is none), or None. `pushing`: False
    while it delivers nothing, though orders go on. `twice`: everything is delivered a second time.
    """

    feed: How | None = None
    pushing: bool = True
    twice: bool = False


@dataclass(frozen=True)
class Scene:
    """One play as a platform sees it. `secret` makes a secret of this name, the same for the same seed and name."""

    play: Play
    tempo: Tempo
    truth: Truth
    http: aiohttp.ClientSession
    hooks_url: str  # livemon's, as http://127.0.0.1:8791
    secret: Callable[[str], bytes]
    interval_s: float = 5.0  # how often livemon shall ask own servers

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    @property
    def play_s(self) -> float:
        return self.tempo.play_s(self.now())

    def order_id(self, order: Order) -> str:
        """19 digits, at most 2**63; no other play has the same ones (but one that began in the same minute)."""
        return f"{int(self.tempo.began_at.timestamp()) // 60:08d}{order.number:011d}"


class Settings(msgspec.Struct, frozen=True):
    """What livemon must be told to see a platform: ordinary settings, as an administrator would write them.

    `stanzas` is text for livemon.toml ([[app]] and [[feed]] tables, `secret_file = "secrets/<name>"`), `secrets` the
    files beside it, `accounts` rows of a file for `livemon account import`, by its column names.
    """

    stanzas: str
    secrets: Mapping[str, bytes] = {}
    accounts: Sequence[Mapping[str, str]] = ()


class Platform(Protocol):
    """One played platform (or one hall of own servers): serves what the play says, by the platform's own rules."""

    SHOWS: ClassVar[str]  # the `Part.platform` whose rooms it shows itself; "" for none
    SELLS_ON: ClassVar[str]  # the `Part.sells_on` whose orders it is told of; "" for one that sells nothing
    name: str  # what a plan of faults calls it
    trouble: Trouble

    async def open(self) -> None:
        """Listen on free ports of loopback; from now on it answers."""

    def settings(self) -> Settings:
        """After `open`."""

    async def run(self) -> None:
        """Deliver what is due until cancelled. Runs while livemon does, and while livemon is down."""

    def happened(self, event: Happened) -> None:
        """Something happened to one of its orders and is told from now on: record it in `truth.sold`, deliver it."""

    def waiting(self) -> int:
        """Deliveries that livemon has not taken yet."""

    async def close(self) -> None: ...


@dataclass
class Parts:
    """The parts that a feed of a platform is about, in the order of its frames in the truth."""

    feed: str
    parts: list[Part] = field(default_factory=list)
