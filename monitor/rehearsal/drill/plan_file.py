"""A plan of a drill in its TOML file, read as a whole: right in every line, or refused with all that is wrong."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from monitor.config_shape import Complaint, Shape
from monitor.problem import ConfigError, Problem, of_file, quoted
from monitor.toml_lines import Lines

from .faults import KINDS, AnyFault, See, clash, what
from .plan import Head, Plan

READY = Path(__file__).parent / "plans"
BYTES_MAX = 1024 * 1024
OPENS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def ready_plans() -> dict[str, Path]:
    """The plans that come with livemon, by name."""
    return {path.stem: path for path in sorted(READY.glob("*.toml"))}


def load(given: str) -> Plan:
    """The plan in this file, or the ready one of this name; ConfigError holds all that is wrong."""
    path = ready_plans().get(given) or Path(given)
    text = _text(path)
    raw = _parse(path, text)
    shape = Shape(_no_hook, Head)
    shape.table(raw, Head)
    _sees(shape, raw, ())
    faults: dict[int, AnyFault] = {}
    for number, row in enumerate(_tables(raw, "fault")):
        place, before = ("fault", number), len(shape.complaints)
        kind = _kind(row, place, shape.complaints)
        if kind is not None:
            shape.table(row, kind, place)
            _sees(shape, row, place)
            if len(shape.complaints) == before:
                faults[number] = msgspec.convert(row, kind)
    complaints = [*shape.complaints, *_sense(raw, faults)]
    places = Lines(text)
    if complaints:
        raise ConfigError(Problem(str(path), places.of(at), what_is, todo) for at, what_is, todo in complaints)
    lines = tuple(places.of(("fault", number)) for number in faults)
    return Plan(msgspec.convert(raw, Head), tuple(faults.values()), str(path), lines)


def _kind(row: dict[str, Any], place: tuple[str, int], complaints: list[Complaint]) -> type[AnyFault] | None:
    given, known = row.get("what"), f"give one of: {', '.join(sorted(KINDS))}"
    if isinstance(given, str) and given in KINDS:
        return KINDS[given]
    if given is None:
        complaints.append((place, "this [[fault]] does not say what happens", f'add what = "..." ({known})'))
    else:
        shown = quoted(given) if isinstance(given, str) else "this"
        complaints.append(((*place, "what"), f"{shown} is no kind of fault", known))
    return None


def _sees(shape: Shape, raw: dict[str, Any], place: tuple[str | int, ...]) -> None:
    for number, row in enumerate(_tables(raw, "see")):
        shape.table(row, See, (*place, "see", number))


def _tables(raw: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The tables of a list; none where it is something else, of which the shape has complained already."""
    rows = raw.get(key)
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else []


def _sense(raw: dict[str, Any], faults: dict[int, AnyFault]) -> Iterator[Complaint]:
    opens, for_s = raw.get("opens"), raw.get("for_s")
    if isinstance(opens, str) and not OPENS.fullmatch(opens):
        yield ("opens",), f"opens is {quoted(opens)}", 'give a time of day, as "20:00"'
    if "opens" in raw and "midnight_in_min" in raw:
        yield ("opens",), "opens and midnight_in_min both say when the play begins", "keep one of them"
    end_s = for_s if isinstance(for_s, int | float) else float("inf")
    for number, fault in faults.items():
        place = ("fault", number)
        yield from _lengths(fault, place)
        if fault.to_s > end_s:
            yield place, f"it lasts until second {fault.to_s:g}, the play only until {end_s:g}", "raise for_s"
        for index, see in enumerate(fault.see):
            if see.minute < fault.minute:
                at = (*place, "see", index, "minute")
                yield (
                    at,
                    f"minute {see.minute:g} is before the fault begins",
                    f"minutes count as in minute = {fault.minute:g}",
                )
    numbers = list(faults)
    for index, number in enumerate(numbers):
        for other in numbers[:index]:
            if clash(faults[number], faults[other]):
                todo = "begin it when the other one is over (programs need 30 s more)"
                yield ("fault", number), f"it meets [[fault]] number {other + 1}, which hits the same", todo


def _lengths(fault: AnyFault, place: tuple[str, int]) -> Iterator[Complaint]:
    if fault.lasts_s is not None and fault.lasts_min is not None:
        yield (*place, "lasts_min"), "lasts_s and lasts_min both say how long it lasts", "keep one of them"
    elif fault.LASTS == "must" and not fault.length_s:
        yield place, f"how long does {what(fault)} last?", "add lasts_min = 4, or lasts_s"
    elif fault.LASTS == "never" and fault.length_s:
        yield (*place, "lasts_s"), f"{what(fault)} happens at one instant", "remove how long it lasts"


def _no_hook(kind: type, value: object) -> object:
    raise ValueError(f"{kind} is not of TOML")


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        names = ", ".join(ready_plans())
        raise of_file(path, f"cannot be read: {error.strerror}", f"name a file, or a ready plan: {names}") from error
    if len(raw) > BYTES_MAX:
        raise of_file(path, f"is larger than {BYTES_MAX:_} bytes", "this is no plan")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, "is not UTF-8 text", "save the file as UTF-8")]) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise of_file(path, "nests too deep", "write it flat") from error
    except ValueError as error:
        lines = text.splitlines() or [""]
        said, _, place = str(error).partition(" (at ")
        found = re.match(r"line (\d+)", place)
        line = min(int(found[1]) if found else len(lines), len(lines))
        chinese = any(char in lines[line - 1].partition("#")[0] for char in "＝“”‘’，［］｛｝")
        todo = 'use the ASCII signs = " , [ ] { } instead of the Chinese ones' if chinese else "correct this line"
        raise ConfigError([Problem(str(path), line, f"not TOML: {said[:1].lower()}{said[1:]}", todo)]) from error
