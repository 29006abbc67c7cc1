"""What boards ask, asked of data sources that run: which of it comes back with nothing to draw."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg

from tests.boards.asked import Asked, asked_of, first_choices, opened_at
from tests.boards.macros import Chosen, NotUnderstood, Opened
from tests.boards.sources import POSTGRES, QueryFailed, Sources

type Json = dict[str, Any]


async def dead(
    board: Json, name: str, sources: Sources, chosen: Mapping[str, Chosen]
) -> AsyncIterator[tuple[str, str]]:
    """Of each query of the board that draws nothing: its name, and why. `chosen`: values of variables."""
    opened = await opened_now(board, sources, chosen)
    for one in asked_of(name, board):
        try:
            frames = await sources.answer(target_of(one), opened)
        except (QueryFailed, NotUnderstood) as error:
            yield one.name, str(error)
        else:
            if not any(draws(frame, one) for frame in frames):
                yield one.name, "nothing"


async def opened_now(board: Json, sources: Sources, chosen: Mapping[str, Chosen]) -> Opened:
    """As somebody opens it now."""
    opened = opened_at(board, datetime.now(UTC), chosen)
    connection = await asyncpg.connect(sources.addresses.databases[POSTGRES])
    try:
        known = {name: choice async for name, choice in first_choices(board, opened, connection)}
    finally:
        await connection.close()
    return opened._replace(chosen=dict(opened.chosen) | known)


def target_of(one: Asked) -> Json:
    """As the board's JSON has it."""
    if one.language == "promql":
        return {"expr": one.text, "instant": one.instant}
    return {"rawSql": one.text, "format": one.shape, "datasource": {"uid": one.source}}


def draws(frame: Json, one: Asked) -> bool:
    """A number over time or at an instant; of a table a value in any column that is not its time."""
    needs_number = (one.language == "promql" and not one.what.startswith("$")) or one.shape == "time_series"
    kinds = {"number"} if needs_number else {"number", "string", "boolean", "time"}
    fields = [field for field in frame["fields"] if field["type"] in kinds]
    return any(value is not None for field in fields for value in field["values"])
