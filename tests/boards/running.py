"""A busy evening that runs: `livemon rehearse` as a user starts it, and Prometheus and Alertmanager with our rules.

What a quiet hour would show only after long, its plan makes happen at once: streams that drop and come back, others
that stay away, a hall that could not be seen and one that cannot be seen now, pushes that stay away or come twice.
Two things are not as shipped: the play runs SPEED times as fast as life, and grace is GRACE_S (an ordinary setting).
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg

from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import free_ports
from monitor.store.cluster import PORT, Cluster
from tests.acceptance.alerts.speeds import PRODUCTION, Ports, watching
from tests.boards.sources import POSTGRES, POSTGRES_HALL, Addresses

ROOMS, SPEED, GRACE_S, FOR_S = 400, 8.0, 20.0, 900.0
HAPPENED_S_MAX = 170.0
STOP_S_MAX = 60.0
SCRAPED_S = 12.0  # so long after the last of HAPPENED: Prometheus scrapes and evaluates each 5 s

PLAN = """
title = "看板演练"
opens = "20:20"

[[fault]]
what = "streams_drop"
minute = 0.2
lasts_s = 12
platform = "nginx_rtmp"
hall = "A"

[[fault]]
what = "streams_drop"
minute = 0.75
lasts_s = 12
platform = "nginx_rtmp"
hall = "B"

[[fault]]
what = "streams_drop"
minute = 0.35
lasts_s = 14
platform = "wechat"
share = 0.3

[[fault]]
what = "streams_drop"
minute = 0.5
lasts_min = 20
platform = "doudian"
share = 0.15

[[fault]]
what = "streams_drop"
minute = 0.55
lasts_min = 20
platform = "nginx_rtmp"
hall = "D"
share = 0.5

[[fault]]
what = "feed_outage"
name = "hall-b"
how = "error"
minute = 0.2
lasts_s = 20

[[fault]]
what = "feed_outage"
name = "hall-c"
how = "hang"
minute = 0.8
lasts_min = 20

[[fault]]
what = "pushes_stop"
name = "kwaixiaodian"
minute = 0.2
lasts_s = 25

[[fault]]
what = "pushes_twice"
name = "own-shops"
minute = 0.2
lasts_s = 60

[[fault]]
what = "streams_drop"
minute = 1.4
lasts_min = 20
platform = "kwaixiaodian"
share = 0.2
"""
PLAY = """
import sys
import monitor.rehearsal.rehearse as rehearse
rehearse.USUAL_PORT, rehearse.USUAL_HOOKS_PORT = int(sys.argv.pop(1)), int(sys.argv.pop(1))
rehearse.GRACE_S = float(sys.argv.pop(1))
from monitor.cli import main
raise SystemExit(main())
"""
# What must have happened before anybody looks, each as SQL that says so.
HAPPENED = {
    "orders were paid": "SELECT count(*) > 50 FROM sale WHERE kind = 'paid'",
    "money was given back": "SELECT count(*) > 0 FROM sale WHERE kind <> 'paid'",
    "rooms dropped and came back": "SELECT count(*) > 0 FROM drop_log WHERE outcome = 'resumed'",
    "rooms are lost": "SELECT count(*) > 0 FROM room_now WHERE state = 'lost'",
    "rooms are dropped": "SELECT count(*) > 0 FROM room_now WHERE state = 'dropped'",
    "a feed was blind": "SELECT count(*) > 0 FROM feed_blind WHERE to_at IS NOT NULL",
    "a feed is blind": "SELECT count(*) > 0 FROM room_now WHERE state = 'blind'",
    "broadcasts ended": "SELECT count(*) > 0 FROM session_summary WHERE closed_at IS NOT NULL",
    "minutes were summed": "SELECT count(DISTINCT minute) > 1 FROM event_minute",
    "one room has it all": """
        SELECT count(*) > 0 FROM room_now AS now JOIN session_summary AS summary USING (session_id)
        WHERE now.state = 'live' AND kbps > 0 AND summary.drops > 0 AND summary.orders > 0 AND summary.blind_s > 0""",
    "an alert was stored": "SELECT count(*) > 0 FROM alert",
}


class Evening(NamedTuple):
    """Where all of it is."""

    folder: Path
    ports: Ports
    addresses: Addresses


@asynccontextmanager
async def evening_of(
    folder: Path, *, rooms: int = ROOMS, speed: float = SPEED, more_s: float = 0.0,
    meanwhile: Callable[[], object] | None = None,
) -> AsyncIterator[Evening]:  # fmt: skip
    """All of it runs while the block does, and everything of HAPPENED has; `more_s`: so much longer is waited, and
    `meanwhile` is done in a thread beside it.

    Raises AssertionError, with the end of the rehearsal's own words, if it has not within HAPPENED_S_MAX.
    """
    async with AsyncExitStack() as stack:
        evening = await _begun(stack, folder, rooms, speed)
        if meanwhile is not None:
            await asyncio.to_thread(meanwhile)
        await _happened(evening, more_s)
        yield evening


@contextmanager
def running(folder: Path, meanwhile: Callable[[], object]) -> Iterator[Evening]:
    """The same for who has no loop."""
    with asyncio.Runner() as runner:
        around = evening_of(folder, meanwhile=meanwhile)
        evening = runner.run(around.__aenter__())
        try:
            yield evening
        finally:
            runner.run(around.__aexit__(None, None, None))


async def _begun(stack: AsyncExitStack, folder: Path, rooms: int, speed: float) -> Evening:
    folder.mkdir(parents=True, exist_ok=True)
    livemon, hooks, prometheus, alertmanager = free_ports(4)
    ports = Ports(livemon, prometheus, alertmanager)
    plan, told = folder / "plan.toml", folder / "told.toml"
    plan.write_text(PLAN)
    contacts = folder / "contacts.csv"
    contacts.write_text("id,name,mobile\nzhang,张三,13800000001\n")
    told.write_text(
        f'purpose = "rehearsal"\ndata_dir = "untouched"\ncontacts = "{contacts}"\n'
        f'alertmanager_url = "http://127.0.0.1:{alertmanager}"\n'
    )
    home = folder / "rehearsal"
    command = [
        sys.executable, "-c", PLAY, *map(str, (livemon, hooks, GRACE_S)), "rehearse", "--rooms", str(rooms),
        "--speed", f"{speed:g}", "--for", f"{FOR_S:g}", "--faults", str(plan), "--robots", str(told),
        "--data-dir", str(home),
    ]  # fmt: skip
    play = stack.enter_context(Program(command, folder / "rehearsal.log"))
    stack.callback(play.stop, within_s=STOP_S_MAX)  # as Ctrl-C does: livemon and its PostgreSQL go with it
    await stack.enter_async_context(watching(folder / "watch", ports, PRODUCTION))
    databases = await _databases(home / "data", play)
    return Evening(folder, ports, Addresses(f"http://127.0.0.1:{prometheus}", databases))


async def _databases(data: Path, play: Program) -> dict[str, str]:
    """DSNs of the embedded server, as soon as its roles may read."""
    cluster, end_s = Cluster(data), time.monotonic() + HAPPENED_S_MAX
    while time.monotonic() < end_s:
        assert play.running, play.log.read_text()[-3000:]
        if (cluster.passwords / "livemon_hall").exists() and (socket := cluster.socket()) is not None:
            roles = {POSTGRES: "livemon_reader", POSTGRES_HALL: "livemon_hall"}
            found = {
                uid: f"postgresql://{role}:{cluster.password(role)}@/livemon?host={socket}&port={PORT}"
                for uid, role in roles.items()
            }
            try:
                for dsn in found.values():
                    connection = await asyncpg.connect(dsn)
                    await connection.fetch("SELECT FROM setting")
                    await connection.close()
            except (OSError, asyncpg.PostgresError):
                pass  # it starts, or is not migrated yet
            else:
                return found
        await asyncio.sleep(0.3)
    raise AssertionError(play.log.read_text()[-3000:])


async def _happened(evening: Evening, more_s: float) -> None:
    missing, end_s = dict(HAPPENED), time.monotonic() + HAPPENED_S_MAX
    connection = await asyncpg.connect(evening.addresses.databases[POSTGRES])
    try:
        while missing and time.monotonic() < end_s:
            await asyncio.sleep(1.0)
            now = {name: await connection.fetchval(query) for name, query in missing.items()}
            missing = {name: query for name, query in missing.items() if not now[name]}
    finally:
        await connection.close()
    log = (evening.folder / "rehearsal.log").read_text()[-2000:]
    assert not missing, f"after {HAPPENED_S_MAX:g} s not: {', '.join(missing)}\n{log}"
    await asyncio.sleep(SCRAPED_S + more_s)
