"""What a kept frame comes to: sales that may be written, ticks, what must be asked first, what is kept apart and why.

Pure, and deaf to what a parser may throw: nothing that comes from outside ends the reading, and nothing of what people
are called or where they live gets into a reason.
"""

import re
import traceback
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from collectors.collector import BadFrame
from collectors.hook import App, Details, Meaning, Need, Notice
from collectors.tick import Sale, Tick
from monitor.sale_rules import SaleRules, Unfit
from monitor.store.keeping import as_text

REASON_CHARS_MAX = 120
SAMPLE_CHARS_MAX = 128
NEEDS_MAX = 100
NUMBERS = re.compile(r"\d{5,}")
NOT_PLAIN = re.compile(r"[^ -~]+")


class Unreadable(Exception):
    """The frame as a whole means nothing to us: the reason, and whether it was one of those a parser names."""

    def __init__(self, reason: str, foreseen: bool) -> None:
        self.reason, self.foreseen = reason, foreseen
        super().__init__(reason)


class Parsing(Protocol):
    """A row whose frames are kept: a hook, or an order socket."""

    def parse(self, frame: bytes, at: datetime, app: App, details: Details) -> Meaning: ...


class Apart(msgspec.Struct, frozen=True):
    """One item that cannot be written; `raw` are its own bytes, where the parser could tell."""

    reason: str
    sample: str
    raw: bytes = b""
    kind: Literal["sale", "tick"] = "sale"


class Understood(msgspec.Struct):
    """While `needs` is not empty there is nothing else in it."""

    sales: list[Sale] = []
    ticks: Sequence[Tick] = ()
    needs: tuple[Need, ...] = ()
    apart: list[Apart] = []
    filed: bool = False
    notices: Sequence[Notice] = ()


def understand(row: Parsing, app: App, frame: bytes, at: datetime, details: Details, rules: SaleRules) -> Understood:
    """Raises Unreadable, and nothing else."""
    try:
        meaning = row.parse(frame, at, app, details)
        if meaning.needs:
            return Understood(needs=tuple(meaning.needs)[:NEEDS_MAX])
        return judged(meaning, at, rules)
    except BadFrame as error:
        raise Unreadable(masked(str(error)), foreseen=True) from None
    except Exception as error:  # noqa: BLE001  whatever a parser does, the frame is kept and the reading goes on
        raise Unreadable(f"{type(error).__name__} at {place_of(error)}", foreseen=False) from None


def judged(meaning: Meaning, at: datetime, rules: SaleRules) -> Understood:
    """Its sales as they may be written, and those that may not apart."""
    understood = Understood(ticks=meaning.ticks, filed=meaning.filed, notices=meaning.notices)
    for bad in meaning.bad:
        understood.apart.append(Apart(masked(bad.reason), _sample(bad.sample), bad.raw, bad.kind))
    for sale in meaning.sales:
        try:
            understood.sales.append(rules.fit(sale, at))
        except Unfit as error:
            understood.apart.append(Apart(str(error), _sample(sale.event_id)))
    return understood


def masked(reason: str) -> str:
    """A reason is made of our own plain words: what is not, and every long number, is struck out."""
    return NUMBERS.sub("#", NOT_PLAIN.sub("*", reason))[:REASON_CHARS_MAX]


def _sample(told: object) -> str:
    return as_text(told, bare=True)[:SAMPLE_CHARS_MAX]


def place_of(error: Exception) -> str:
    """The line of code; never the message, which may repeat what it stumbled over."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
