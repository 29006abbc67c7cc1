"""Whether the tables of a config file have the keys and types they should, told as a person would want to hear it."""

import difflib
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import inspect

from collectors.collector import FeedRow
from monitor.problem import quoted
from monitor.toml_lines import Path

Complaint = tuple[Path, str, str]
"""Where in the file, what is wrong, what to do."""

Row = tuple[Path, dict[str, Any]]
"""A table of a list: its place, and its sound keys."""

Hook = Callable[[type, object], object]

LATER_KINDS = frozenset("owncast ovenmediaengine kick twitch_hooks".split())


class Shape:
    """Reads raw tables against structs; gathers complaints, and keeps what is sound for the checks of sense."""

    def __init__(self, hook: Hook, top: type) -> None:
        self._hook = hook
        self._top = {field.encode_name for field in msgspec.structs.fields(top)}
        self.complaints: list[Complaint] = []

    def table(self, raw: dict[str, Any], cls: type, at: Path = ()) -> dict[str, Any]:
        """The keys of `raw` that are as `cls` wants them."""
        shape = inspect.type_info(cls)
        assert isinstance(shape, inspect.StructType)  # noqa: S101 - only structs are tables
        types = {field.encode_name: field.type for field in msgspec.structs.fields(cls)}
        fields = {field.encode_name: field for field in shape.fields}
        sound: dict[str, Any] = {}
        for key, value in raw.items():
            if key in fields:
                sound |= self._value(key, value, fields[key].type, types[key], (*at, key))
            elif key != shape.tag_field:
                self._unknown(key, (*at, key), sorted(fields), getattr(cls, "ELSEWHERE", {}))
        for key, field in fields.items():
            if field.required and key not in raw:
                self._say(at, f"{_place((*at, key))} is missing", f"add it: {key} = {_example(field.type)}")
        return sound

    def tables(self, raw: list[dict[str, Any]], cls: type, at: Path) -> list[Row]:
        """The rows of a list whose tables are all of one shape, each with its sound keys."""
        return [((*at, number), self.table(row, cls, (*at, number))) for number, row in enumerate(raw)]

    def rows(self, raw: list[dict[str, Any]], union: object, at: Path) -> list[Row]:
        """The rows whose kind is known, with it and the sound keys; what else a kind itself demands is asked of it."""
        kinds = kinds_of(union)
        found: list[Row] = []
        for number, row in enumerate(raw):
            place = (*at, number)
            cls = self._kind(row, kinds, place)
            if cls is None:
                continue
            before = len(self.complaints)
            sound = self.table(row, cls, place)
            if len(self.complaints) == before:
                self._convert(row, cls, place)
            found.append((place, sound | {"kind": row["kind"]}))
        return found

    def _kind(self, row: dict[str, Any], kinds: Mapping[str, type], place: Path) -> type | None:
        known = ", ".join(sorted(kinds))
        kind = row.get("kind")
        if kind is None:
            self._say(place, f"this [[{place[0]}]] has no kind", f'add kind = "..." (known: {known})')
        elif not isinstance(kind, str):
            self._say((*place, "kind"), "kind is not a text", f"give one of: {known}")
        elif kind in kinds:
            return kinds[kind]
        elif kind in LATER_KINDS:
            self._say((*place, "kind"), f"kind {quoted(kind)} comes with a later release", f"this one knows: {known}")
        else:
            near = difflib.get_close_matches(kind, sorted(kinds), 1)
            todo = f"did you mean {quoted(near[0])}?" if near else f"this release knows: {known}"
            self._say((*place, "kind"), f"unknown kind {quoted(kind)}", todo)
        return None

    def _unknown(self, key: str, at: Path, known: list[str], elsewhere: Mapping[str, str]) -> None:
        what = f"unknown key {quoted(key)}{_inside(at)}"
        near = difflib.get_close_matches(key.lower(), known, 1)
        if key in elsewhere:
            self._say(at, what, elsewhere[key])
        elif key in self._top:
            self._say(at, what, "it belongs above the first [table] of the file")
        elif near:
            self._say(at, what, f"did you mean {quoted(near[0])}?")
        else:
            self._say(at, what, f"remove it (known here: {', '.join(known)})")

    def _value(self, key: str, value: object, shape: inspect.Type, type_: Any, at: Path) -> dict[str, object]:
        inner = _without_none(shape)
        if isinstance(inner, inspect.StructType):
            if isinstance(value, dict):
                return {key: self.table(value, inner.cls, at)}
            self._say(at, f"{_place(at)} is not a table", f"write it as [{key}], with its keys on lines below")
        elif isinstance(inner, inspect.ListType) and _tables(inner):
            if isinstance(value, list) and all(isinstance(row, dict) for row in value):
                return {key: value}
            self._say(at, f"{_place(at)} is not a list of tables", f"write each as [[{key}]], with its keys below")
        elif _fits(value, type_, self._hook):
            return {key: value}
        elif isinstance(inner, inspect.ListType) and isinstance(value, list):
            for number, item in enumerate(value):
                if not isinstance(item, str):
                    self._say((*at, number), f"{_place(at)} holds {_shown(item)}", "give texts in quotes only")
        else:
            self._say(at, f"{_place(at)} is {_shown(value)}", f"give {_wanted(inner)}")
        return {}

    def _convert(self, row: dict[str, Any], cls: type, place: Path) -> None:
        try:
            made: object = msgspec.convert(row, cls, dec_hook=self._hook)
        except msgspec.ValidationError as error:
            what = str(error).partition(" - at `$")[0]
            self._say(place, what, "correct this table")
            return
        for key, what, todo in made.complaints() if isinstance(made, FeedRow) else ():
            self._say((*place, *key), what, todo)

    def _say(self, at: Path, what: str, todo: str) -> None:
        self.complaints.append((at, what, todo))


def kinds_of(union: object) -> dict[str, type]:
    """The classes of a tagged union (or of a single tagged class) by their tag."""
    shape = inspect.type_info(union)
    members = shape.types if isinstance(shape, inspect.UnionType) else (shape,)
    return {str(member.tag): member.cls for member in members if isinstance(member, inspect.StructType)}


def _without_none(shape: inspect.Type) -> inspect.Type:
    if isinstance(shape, inspect.UnionType):
        return next(inner for inner in shape.types if not isinstance(inner, inspect.NoneType))
    return shape


def _tables(shape: inspect.ListType) -> bool:
    return isinstance(shape.item_type, inspect.StructType | inspect.UnionType)


def _fits(value: object, type_: Any, hook: Hook) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False
    try:
        msgspec.convert(value, type_, dec_hook=hook)
    except msgspec.ValidationError:
        return False
    return True


def _place(at: Path) -> str:
    """The key as a person would name it: `grace_s`, `event.name`; of a row of a list just the key."""
    words = [str(part) for part in at if isinstance(part, str)]
    if any(isinstance(part, int) for part in at):
        words = words[1:]
    return ".".join(words)


def _inside(at: Path) -> str:
    tables = [part for part in at[:-1] if isinstance(part, str)]
    if not tables:
        return ""
    return f" in [[{tables[0]}]]" if isinstance(at[1], int) else f" in [{'.'.join(tables)}]"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, float) or abs(value) < 10**30 else "a huge number"
    if isinstance(value, datetime):
        return "a time without an offset" if value.tzinfo is None else "a time"
    if value == "":
        return "an empty text"
    for type_, name in {str: "a text", list: "a list", dict: "a table"}.items():
        if isinstance(value, type_):
            return name
    return "a day or a time of day"


def _wanted(shape: inspect.Type) -> str:
    match shape:
        case inspect.IntType(ge=low, le=high):
            return "a whole number" + _range(low, high)
        case inspect.FloatType(ge=low, le=high):
            return "a number" + _range(low, high)
        case inspect.BoolType():
            return "true or false, without quotes"
        case inspect.DateTimeType():
            return "a time with its offset, as 2026-11-19T00:00:00+08:00"
        case inspect.ListType():
            return 'a list of texts, as ["live/room1", "live/room2"]'
        case inspect.DictType(value_type=inspect.FloatType(ge=low, le=high)):
            return 'numbers by name, as { "order.searchList" = 5 }, each' + _range(low, high)
        case inspect.DictType(value_type=inspect.CustomType()):
            return 'the files by name, as { token = "secrets/token" }'
        case inspect.DictType():
            return 'texts by name, as { Accept = "application/json" }'
        case inspect.CustomType(cls=cls):
            return str(getattr(cls, "WANTED", 'a path in quotes, as "secrets/pg"'))
        case inspect.LiteralType(values=values):
            return "one of: " + ", ".join(str(value) for value in values)
    return "a text in quotes"


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:_} to {high:_}"
    if low is not None:
        return f" of at least {low:_}"
    return "" if high is None else f" of at most {high:_}"


def _example(shape: inspect.Type) -> str:
    match _without_none(shape):
        case inspect.IntType() | inspect.FloatType():
            return "1"
        case inspect.BoolType():
            return "true"
        case inspect.DateTimeType():
            return "2026-11-19T00:00:00+08:00"
    return '"..."'
