"""The two data sources as Grafana's own answer: frames of named columns, from a real Prometheus and PostgreSQL.

What becomes of the answer is written anew from how Grafana 12 does it (`sql_engine.go` and `LongToWide` of its SQL data
sources, `getMetricNameFromLabels` of Prometheus). Queries come with their variables put in; macros are expanded here.
"""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import aiohttp
import asyncpg

from tests.boards.macros import Opened, promql_sent, sql_sent

type Json = dict[str, Any]

TIMES, NUMBERS = {"timestamptz", "timestamp", "date"}, {"int2", "int4", "int8", "float4", "float8", "numeric"}
LEGEND = re.compile(r"\{\{\s*(.+?)\s*\}\}")
LABEL_VALUES = re.compile(r"label_values\(\s*(.+?)\s*,\s*(\w+)\s*\)")
POSTGRES, POSTGRES_HALL = "livemon-postgres", "livemon-postgres-hall"
CONNECTIONS_MAX = 4
ANSWER_S_MAX = 20.0


class QueryFailed(Exception):
    """The data source refused; the text is what a panel would show."""


class Addresses(NamedTuple):
    """`prometheus`: URL; `databases`: uid of the data source -> DSN of its role."""

    prometheus: str
    databases: Mapping[str, str]


class Sources:
    """Asks as Grafana does; each answer is a list of frames: {"refId", "fields": [{"name", "type", "values", ...}]}."""

    def __init__(self, addresses: Addresses, http: aiohttp.ClientSession, pools: Mapping[str, asyncpg.Pool]) -> None:
        self.addresses, self._http, self._pools = addresses, http, pools

    async def answer(self, target: Json, opened: Opened, *, ref: str = "") -> list[Json]:
        """Of one target of a panel, or of a query that looks like one. Raises QueryFailed."""
        ref = ref or str(target.get("refId", "A"))
        if "expr" in target:
            return await self._prometheus(target, opened, ref)
        uid, text = target["datasource"]["uid"], sql_sent(target["rawSql"], opened)
        names, kinds, rows = await self.rows(uid, text)
        if target.get("format") == "time_series":
            return [_as_series(names, kinds, rows, ref)]
        return [{"refId": ref, "fields": _columns(names, kinds, rows)}]

    async def rows(self, uid: str, text: str) -> tuple[list[str], list[str], list[tuple[Any, ...]]]:
        """Names and types of the columns, and the rows, of SQL as it is. Raises QueryFailed."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX), self._pools[uid].acquire() as connection:
                asked = await connection.prepare(text)
                columns = asked.get_attributes()
                found = [tuple(row) for row in await asked.fetch()]
        except (asyncpg.PostgresError, TimeoutError) as error:
            raise QueryFailed(f"{type(error).__name__}: {error}") from error
        return [column.name for column in columns], [column.type.name for column in columns], found

    async def _prometheus(self, target: Json, opened: Opened, ref: str) -> list[Json]:
        expression, instant = promql_sent(target["expr"], opened), bool(target.get("instant"))
        if (labels := LABEL_VALUES.fullmatch(expression.strip())) is not None:
            return [await self._label_values(labels[1], labels[2], opened, ref)]
        step_s = max(1, round(opened.interval.total_seconds()))
        asked: dict[str, str] = {"query": expression}
        if instant:
            asked["time"] = str(opened.to_at.timestamp())
        else:
            first, last = (at.timestamp() // step_s * step_s for at in (opened.from_at, opened.to_at))
            asked |= {"start": str(first), "end": str(last), "step": str(step_s)}
        path = "query" if instant else "query_range"
        async with self._http.post(f"{self.addresses.prometheus}/api/v1/{path}", data=asked) as reply:
            told = await reply.json()
        if told["status"] != "success":
            raise QueryFailed(f"{told.get('errorType')}: {told.get('error')}")
        kind, found = told["data"]["resultType"], told["data"]["result"]
        if kind == "scalar":
            found = [{"metric": {}, "value": found}]
        series = [(each["metric"], each.get("values") or [each["value"]]) for each in found]
        if target.get("format") == "table":
            return [_as_table(series, ref)]
        legend = str(target.get("legendFormat") or "")
        return [_one_series(labels, points, legend, expression, step_s, ref) for labels, points in series]

    async def _label_values(self, selector: str, label: str, opened: Opened, ref: str) -> Json:
        """What a variable of Prometheus asks."""
        span = {"match[]": selector, "start": str(opened.from_at.timestamp()), "end": str(opened.to_at.timestamp())}
        async with self._http.get(f"{self.addresses.prometheus}/api/v1/label/{label}/values", params=span) as reply:
            told = await reply.json()
        if told["status"] != "success":
            raise QueryFailed(f"{told.get('errorType')}: {told.get('error')}")
        return {"refId": ref, "fields": [{"name": label, "type": "string", "values": told["data"]}]}


@asynccontextmanager
async def asked(addresses: Addresses) -> AsyncIterator[Sources]:
    """Connections as they are needed, and closed at the end."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_S_MAX)))
        pools = {}
        for uid, dsn in addresses.databases.items():
            made = asyncpg.create_pool(dsn, min_size=0, max_size=CONNECTIONS_MAX)
            pools[uid] = await stack.enter_async_context(made)
        yield Sources(addresses, http, pools)


# --- Prometheus -------------------------------------------------------------------------------------------------------


def _one_series(labels: Json, points: list[Any], legend: str, expression: str, step_s: int, ref: str) -> Json:
    times = [round(float(at) * 1000) for at, _ in points]
    values = [_number(text) for _, text in points]
    shown = _name(labels, legend, expression)
    return {
        "refId": ref,
        "name": shown,
        "fields": [
            {"name": "Time", "type": "time", "values": times, "config": {"interval": step_s * 1000}},
            {"name": "Value", "type": "number", "values": values, "labels": labels,
             "config": {"displayNameFromDS": shown}},
        ],
    }  # fmt: skip


def _name(labels: Json, legend: str, expression: str) -> str:
    if legend and legend != "__auto":
        return LEGEND.sub(lambda found: str(labels.get(found[1], "")), legend)
    rest, metric = (
        {name: value for name, value in labels.items() if name != "__name__"},
        str(labels.get("__name__", "")),
    )
    if not rest:
        return metric or expression
    return metric + "{" + ", ".join(f'{name}="{value}"' for name, value in rest.items()) + "}"


def _as_table(series: list[tuple[Json, list[Any]]], ref: str) -> Json:
    """A row for each series, its newest value; labels are columns."""
    names = sorted({name for labels, _ in series for name in labels})
    fields: list[Json] = [
        {"name": "Time", "type": "time", "values": [round(float(points[-1][0]) * 1000) for _, points in series]}
    ]
    fields += [
        {"name": name, "type": "string", "values": [labels.get(name, "") for labels, _ in series]} for name in names
    ]
    value = {"name": "Value", "type": "number", "values": [_number(points[-1][1]) for _, points in series]}
    return {"refId": ref, "fields": [*fields, value]}


def _number(text: str) -> float | None:
    """JSON has no NaN and no infinity: both are nothing that can be drawn."""
    value = float(text)
    return value if math.isfinite(value) else None


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _columns(names: list[str], kinds: list[str], rows: list[tuple[Any, ...]]) -> list[Json]:
    made = []
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        what = "time" if kind in TIMES else "number" if kind in NUMBERS else "boolean" if kind == "bool" else "string"
        made.append({"name": name, "type": what, "values": [_value(row[place], what) for row in rows]})
    return made


def _value(value: Any, what: str) -> Any:
    if value is None or what == "boolean":
        return value
    if what == "number":
        return _number(value)
    if what == "string":
        return str(value)
    at = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    assert isinstance(value, date)
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _as_series(names: list[str], kinds: list[str], rows: list[tuple[Any, ...]], ref: str) -> Json:
    """Long (a row for each time and series) made wide (a column for each series). Raises QueryFailed."""
    columns = _columns(names, kinds, rows)
    place = next((index for index, name in enumerate(names) if name.lower() == "time"), None)
    if place is None:
        raise QueryFailed("db has no time column: no time column found")
    times, others = columns[place]["values"], [column for column in columns if column is not columns[place]]
    if columns[place]["type"] == "number":  # seconds since 1970, as $__timeGroup makes them
        times = [None if value is None else round(value * 1000) for value in times]
    if any(at is None for at in times) or any(one > other for one, other in pairwise(times)):
        raise QueryFailed("long series must be sorted ascending by time")
    texts = [column for column in others if column["type"] == "string"]
    numbers = [column for column in others if column["type"] == "number"]
    if not texts:
        fields = [{**column, "labels": {}} for column in numbers]
        return {"refId": ref, "fields": [{"name": "Time", "type": "time", "values": times}, *fields]}
    steps = sorted(set(times))
    at_step = {at: index for index, at in enumerate(steps)}
    series: dict[tuple[str, ...], list[list[Any]]] = {}
    for index, at in enumerate(times):
        key = tuple(str(text["values"][index] or "") for text in texts)
        kept = series.setdefault(key, [[None] * len(steps) for _ in numbers])
        for number, values in zip(numbers, kept, strict=True):
            values[at_step[at]] = number["values"][index]
    fields = []
    for key in sorted(series):
        labels = dict(zip((text["name"] for text in texts), key, strict=True))
        for number, values in zip(numbers, series[key], strict=True):
            named: Json = {"name": number["name"], "type": "number", "values": values, "labels": labels}
            if len(columns) == 3 and "metric" in labels:  # as before Grafana 8: the series is called as it says
                named |= {"name": labels["metric"], "labels": {}}
            fields.append(named)
    return {"refId": ref, "fields": [{"name": "Time", "type": "time", "values": steps}, *fields]}


def span(from_ms: float, to_ms: float, interval_ms: float) -> Opened:
    """What a panel of Grafana tells with its query."""
    from_at, to_at = (datetime.fromtimestamp(at / 1000, UTC) for at in (from_ms, to_ms))
    return Opened(from_at, to_at, interval=timedelta(milliseconds=interval_ms))
