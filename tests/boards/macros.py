"""What Grafana makes of a query before it sends it: variables in their formats, then the macros of PostgreSQL.

Written anew from how Grafana 12 behaves: `macros.go` of its PostgreSQL data source, `interpolateVariable` of its SQL
and Prometheus data sources, the formats of @grafana/scenes. What is not understood raises `NotUnderstood`, where
Grafana would send it as it stands and the database would complain. Pure functions; nothing is asked of anybody.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

# `$name`, `[[name:format]]`, `${name:format}`: as in @grafana/scenes.
VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:}]+))?(?::([^}]+))?\}", re.ASCII)
# The arguments end at the first `)`, so no function can stand in them.
MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
INTERVAL = re.compile(r"(\d+)(ms|[smhdw])")
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
MACRO_NAMES = {
    "time", "timeEpoch", "timeFilter", "timeFrom", "timeTo", "timeGroup", "timeGroupAlias", "unixEpochFilter",
    "unixEpochFrom", "unixEpochTo", "unixEpochNanoFilter", "unixEpochNanoFrom", "unixEpochNanoTo", "unixEpochGroup",
    "unixEpochGroupAlias",
}  # fmt: skip

type Format = Callable[[str | tuple[str, ...]], str]


class NotUnderstood(ValueError):
    """A variable, a format or a macro that Grafana does not know, or that no board of ours needs."""


class Chosen(NamedTuple):
    """What is chosen in a variable: one text, or several when it is `multi` (also when only one is chosen).

    `as_it_is`: the value that a board wrote for All. Grafana puts it in unquoted and unescaped whatever the format.
    """

    value: str | tuple[str, ...]
    quoted: bool = False  # the variable is multi or has All: without a format, SQL gets 'a','b' and PromQL (a|b)
    as_it_is: bool = False


class Opened(NamedTuple):
    """A board as it is open: from when to when, with what chosen, drawn at which step, scraped how often."""

    from_at: datetime
    to_at: datetime
    chosen: Mapping[str, Chosen] = {}
    interval: timedelta = timedelta(minutes=1)
    scrape: timedelta = timedelta(seconds=5)


def sql_sent(text: str, opened: Opened, *, search: str = "") -> str:
    """SQL as PostgreSQL gets it. `search`: what was typed into the field of a variable whose query has $__searchFilter.

    Raises:
        NotUnderstood: for what would be left of Grafana's syntax.
    """
    known = _built_in(opened) | {"__searchFilter": Chosen(search + "%")} | dict(opened.chosen)
    return _macros(_variables(text, known, opened, _sql_default, macros=True), opened)


def promql_sent(text: str, opened: Opened) -> str:
    """PromQL as Prometheus gets it; raises `NotUnderstood` as `sql_sent` does."""
    known = _built_in(opened) | dict(opened.chosen)
    step, scrape = opened.interval, opened.scrape
    known["__rate_interval"] = Chosen(interval_text(max(step + scrape, 4 * scrape)))
    return _variables(text, known, opened, _promql_default, macros=False)


def interval_text(length: timedelta) -> str:
    """As Grafana writes it: 90 s is `90s`, 60 s is `1m`."""
    milliseconds = round(length / timedelta(milliseconds=1))
    for unit, seconds in reversed(SECONDS.items()):
        if unit != "w" and milliseconds % round(seconds * 1000) == 0:
            return f"{milliseconds // round(seconds * 1000)}{unit}"
    raise NotUnderstood(f"an interval of {length}")


def default_choice(variable: Mapping[str, Any]) -> Chosen | None:
    """What is chosen when nobody chose, of a variable of a board's JSON; None when that is its query's first row."""
    several, all_of_them = bool(variable.get("multi")), bool(variable.get("includeAll"))
    current = variable.get("current", {}).get("value", "")
    if all_of_them and current in ("$__all", ["$__all"]):
        return Chosen(variable["allValue"], True, True) if variable.get("allValue") else None
    if variable["type"] == "textbox":
        return Chosen(str(variable.get("query", "") if isinstance(variable.get("query"), str) else ""))
    if not current:
        return None
    value = tuple(current) if isinstance(current, list) else str(current)
    return Chosen(value, several or all_of_them)


def _built_in(opened: Opened) -> dict[str, Chosen]:
    seconds = (opened.to_at - opened.from_at).total_seconds()
    return {
        "__interval": Chosen(interval_text(opened.interval)),
        "__interval_ms": Chosen(str(round(opened.interval.total_seconds() * 1000))),
        "__range": Chosen(f"{round(seconds)}s"),
        "__range_s": Chosen(str(round(seconds))),
        "__range_ms": Chosen(str(round(seconds * 1000))),
    }


def _variables(
    text: str, known: Mapping[str, Chosen], opened: Opened, default: Callable[[Chosen], str], *, macros: bool
) -> str:
    """In one pass, so that a chosen value which looks like a variable is left alone."""

    def one(found: re.Match[str]) -> str:
        name, told = found[1] or found[2] or found[4], found[3] or found[6]
        if found[5]:
            raise NotUnderstood(f"{found[0]}: a field of a variable")
        if name in ("__from", "__to"):
            return _instant(opened.from_at if name == "__from" else opened.to_at, told, found[0])
        if macros and found[1] and name.removeprefix("__") in MACRO_NAMES and text[found.end() :].startswith("("):
            return found[0]
        if name not in known:
            raise NotUnderstood(f"{found[0]}: no such variable")
        chosen = known[name]
        if chosen.as_it_is:
            return str(chosen.value)
        if told is None:
            return default(chosen)
        if told not in FORMATS:
            raise NotUnderstood(f"{found[0]}: no such format, or one that SQL minds")
        return FORMATS[told](chosen.value)

    return VARIABLE.sub(one, text)


def _instant(at: datetime, told: str | None, written: str) -> str:
    if told is None:
        return str(round(at.timestamp() * 1000))
    if told in ("date", "date:iso"):
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if told == "date:seconds":
        return str(round(at.timestamp()))
    raise NotUnderstood(f"{written}: no such format of a time")


def _several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _sql_default(chosen: Chosen) -> str:
    """Only what may be several is quoted; the rest stands in quotes that the query wrote."""
    if isinstance(chosen.value, str) and not chosen.quoted:
        return chosen.value.replace("'", "''")
    return ",".join("'" + each.replace("'", "''") + "'" for each in _several(chosen.value))


def _promql_default(chosen: Chosen) -> str:
    if isinstance(chosen.value, str) and not chosen.quoted:
        return chosen.value.replace("\\", "\\\\").replace("'", "\\\\'")
    escaped = [
        re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", each.replace("\\", "\\" * 4)) for each in _several(chosen.value)
    ]
    return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"


def _sqlstring(value: str | tuple[str, ...]) -> str:
    r"""A double quote becomes \" in newer @grafana/scenes: a trap, as PostgreSQL takes the backslash for text. In a
    pattern of LIKE or of a regular expression both mean the same."""
    return ",".join("'" + each.replace("'", "''").replace('"', '\\"') + "'" for each in _several(value))


def _regex(value: str | tuple[str, ...]) -> str:
    escaped = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", each) for each in _several(value)]
    return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"


# `singlequote` writes \', which ends a text of PostgreSQL's: it is missing here on purpose.
FORMATS: dict[str, Format] = {
    "csv": lambda value: ",".join(_several(value)),
    "raw": lambda value: ",".join(_several(value)),
    "pipe": lambda value: "|".join(_several(value)),
    "regex": _regex,
    "sqlstring": _sqlstring,
}


def _macros(text: str, opened: Opened) -> str:
    def one(found: re.Match[str]) -> str:
        name, arguments = found[1], [argument.strip(" ") for argument in found[2].split(",")]
        if not name.startswith("__") or name[2:] not in MACRO_NAMES:
            raise NotUnderstood(f"{found[0]}: no such macro")
        if any("(" in argument for argument in arguments):
            raise NotUnderstood(f"{found[0]}: a macro's arguments end at the first closing bracket")
        if name == "__timeGroup" and text[found.end() :].startswith(","):
            name = "__timeGroupAlias"  # what was written before Grafana 5.3 goes on working
        return _macro(name[2:], arguments, opened, found[0])

    return MACRO.sub(one, text)


def _macro(name: str, arguments: list[str], opened: Opened, written: str) -> str:
    first = arguments[0]
    if name in ("timeFrom", "timeTo", "unixEpochFrom", "unixEpochTo", "unixEpochNanoFrom", "unixEpochNanoTo"):
        at = opened.from_at if name.endswith("From") else opened.to_at
        if name.startswith("time"):
            return f"'{_rfc3339(at)}'"
        return str(_nanoseconds(at) if "Nano" in name else int(at.timestamp()))
    if not first:
        raise NotUnderstood(f"{written}: the macro needs a column")
    match name:
        case "time":
            return f'{first} AS "time"'
        case "timeEpoch":
            return f'extract(epoch from {first}) as "time"'
        case "timeFilter":
            return f"{first} BETWEEN '{_rfc3339(opened.from_at)}' AND '{_rfc3339(opened.to_at)}'"
        case "unixEpochFilter":
            return f"{first} >= {int(opened.from_at.timestamp())} AND {first} <= {int(opened.to_at.timestamp())}"
        case "unixEpochNanoFilter":
            return f"{first} >= {_nanoseconds(opened.from_at)} AND {first} <= {_nanoseconds(opened.to_at)}"
    step = _step(arguments, written)
    value = f"extract(epoch from {first})" if name.startswith("time") else f"({first})"
    grouped = f"floor({value}/{step})*{step}"
    return f'{grouped} AS "time"' if name.endswith("Alias") else grouped


def _step(arguments: list[str], written: str) -> str:
    """Seconds; the third argument says how Grafana fills gaps in what comes back, and changes nothing in the SQL."""
    found = INTERVAL.fullmatch(arguments[1].strip("'")) if len(arguments) in (2, 3) else None
    if found is None:
        raise NotUnderstood(f"{written}: needs a column, an interval such as '1m', and perhaps a fill")
    if len(arguments) == 3 and not re.fullmatch(r"NULL|previous|-?\d+(\.\d+)?", arguments[2]):
        raise NotUnderstood(f"{written}: gaps are filled with NULL, previous or a number")
    seconds = int(found[1]) * SECONDS[found[2]]
    return str(int(seconds)) if seconds == int(seconds) else repr(seconds)


def _rfc3339(at: datetime) -> str:
    """In UTC, without zeros at the end of a fraction."""
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def _nanoseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
