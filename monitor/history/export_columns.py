"""The columns of an export: what PostgreSQL calls their types, and their values a batch at a time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any, Literal, Protocol

import msgspec

from monitor.commands.answer import plain

Kind = Literal["text", "integer", "decimal", "money", "float", "flag", "date", "utc", "local"]
type Values = Sequence[Any]

# By the names of pg_type. What is not here (uuid, arrays, json, intervals ...) is text, as `livemon sql` shows it.
KINDS: dict[str, Kind] = {
    "bool": "flag",
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "numeric": "decimal",
    "float4": "float",
    "float8": "float",
    "date": "date",
    "timestamp": "local",
}


class ExportError(Exception):
    """Why rows cannot be exported, for a person."""


class Column(msgspec.Struct, frozen=True):
    """`money` is a decimal of two places, `utc` an aware instant, `local` what a clock in the event's zone shows."""

    name: str
    kind: Kind


class Attribute(Protocol):
    """A column of an answer, as asyncpg describes it."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> Any: ...


class Columns:
    """The columns of one answer. An instant becomes two, `..._utc` and `..._local`; an id is text, whatever it was.

    With `money_beside_minor` the decimal `gmv` beside a `gmv_minor` is money: so it is in our views, and so the type of
    a column does not depend on what is in it. Raises ExportError where two columns have the same name.
    """

    def __init__(self, attributes: Sequence[Attribute], zone: tzinfo, *, money_beside_minor: bool = False) -> None:
        self._zone = zone
        names = {attribute.name for attribute in attributes} if money_beside_minor else set()
        self._asked = [_kind(attribute, names) for attribute in attributes]
        self.out: list[Column] = []
        for attribute, kind in zip(attributes, self._asked, strict=True):
            if kind == "utc":
                self.out += [Column(f"{attribute.name}_utc", "utc"), Column(f"{attribute.name}_local", "local")]
            else:
                self.out.append(Column(attribute.name, kind))
        if len({column.name for column in self.out}) < len(self.out):
            raise ExportError("two columns have the same name: name them apart with AS")

    def values(self, rows: Sequence[Iterable[object]]) -> list[Values]:
        """A list for each column of `out`; of no rows too."""
        told: list[Values] = []
        asked: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(self._asked)
        for kind, column in zip(self._asked, asked, strict=True):
            if kind == "utc":
                told += [column, [None if value is None else _local(value, self._zone) for value in column]]
            elif kind == "text":
                told.append([value if value is None or type(value) is str else self._text(value) for value in column])
            else:
                told.append(column)
        return told

    def _text(self, value: object) -> str:
        return plain(value, self._zone)


def _kind(attribute: Attribute, names: set[str]) -> Kind:
    if attribute.name == "id" or attribute.name.endswith("_id"):
        return "text"
    if attribute.type.name == "timestamptz":
        return "utc"
    kind = KINDS.get(attribute.type.name, "text")
    return "money" if kind == "decimal" and f"{attribute.name}_minor" in names else kind


def _local(instant: datetime, zone: tzinfo) -> datetime:
    """With its offset. PostgreSQL's infinities come without one, as the first and the last instant of Python's."""
    if instant.tzinfo is None:
        return instant
    try:
        return instant.astimezone(zone)
    except (OverflowError, ValueError):  # years that only one of the two clocks has
        return instant
