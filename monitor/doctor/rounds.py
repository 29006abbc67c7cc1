"""The doctor's round: all checks that this config gives rise to, one finding after the other as they come."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import aiohttp
import msgspec

from collectors.collector import FeedRow
from collectors.hook import App, CalledRow
from collectors.server_hook import ServerHookRow
from monitor.birth import recognise_folder
from monitor.config import Config
from monitor.crew import bounded_http
from monitor.doctor import disk
from monitor.doctor.accounts import check_apis
from monitor.doctor.alerts import check_alerts
from monitor.doctor.apps import check_apps
from monitor.doctor.clock import Dates, check_clock
from monitor.doctor.database import check_database
from monitor.doctor.feeds import check_feed
from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.doctor.hooks import check_certificate, check_hook, check_polls, hooks_of
from monitor.doctor.open_files import check_open_files
from monitor.doctor.probes import check_probes
from monitor.facts import RosterRoom
from monitor.live.clock import wall_time
from monitor.live.watch import Watch
from monitor.problem import ConfigError, of_file
from monitor.roster_file import read_roster_file

WEEK_S = 7 * 86_400.0
ASKED_AT_ONCE_MAX = 8
HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it is asked on this machine, not bound


async def round_of(config: Config, path: Path, send: bool = False) -> AsyncIterator[Finding]:
    """Every finding, in a fixed order; whatever can be asked at the same time is. `send`: robots are sent a message.

    Raises ConfigError where database or spool are for the other purpose.
    """
    recognise_folder(config, path)
    yield fine("config", f"{path}: {len(config.feeds)} feeds")
    yield disk.check_folder(config.data_dir)
    yield await asyncio.to_thread(disk.check_fsync, config.data_dir)
    database = await check_database(config)
    for finding in database.findings:
        yield finding
    if database.refused is not None:
        raise of_file(path, *database.refused)
    roster = await asyncio.to_thread(check_roster, config, database.rooms)
    if isinstance(roster, Finding):
        yield roster
    rooms = database.rooms or ([] if isinstance(roster, Finding) else roster)
    feeds = with_rooms(config.feeds, rooms)
    yield await asyncio.to_thread(check_need, config, feeds)
    for finding in check_probes(feeds):
        yield finding
    async with bounded_http() as http:
        dates = Dates()
        dates.listen(http)
        for finding in await _all_feeds(feeds, http):
            yield finding
        findings, apps = check_apps(config.apps)
        for finding in [*findings, *await _all_hooks(config, hooks_of(feeds), apps, http)]:
            yield finding
        for finding in await check_apis(config.apps, apps, config.hooks_url, wall_time()):
            yield finding
        for finding in await check_alerts(config, http, wall_time, send):
            yield finding
        monitor_url = _url(*config.address)
        yield await check_monitor(http, monitor_url)
        yield await check_open_files(http, monitor_url, feeds, config.hooks_address is not None)
    ours = {"the database": database.clock_s} if database.clock_s is not None else {}
    yield check_clock(ours | dates.ahead_s)
    now = wall_time().astimezone(config.zone)
    yield fine("timezone", f"days begin in {config.timezone}, where it is {now:%Y-%m-%d %H:%M %z} now")


def check_roster(config: Config, rooms: Sequence[RosterRoom]) -> Finding | list[RosterRoom]:
    """The rooms of the roster file where the database has none yet; a finding where there is none, or a bad one."""
    active = sum(room.active for room in rooms)
    if rooms:
        return fine("roster", f"{active} active rooms in the database")
    if config.roster is None:
        return wrong("roster", "no rooms at all: nothing would be watched", "`livemon roster import F.csv`")
    try:
        file = read_roster_file(config.roster.read_bytes(), str(config.roster))
        if file.problems:
            raise ConfigError(file.problems)
    except (OSError, ConfigError) as error:
        return wrong("roster", str(error).splitlines()[0], "`livemon check` names all that is wrong in it")
    return [
        RosterRoom(number, room.platform, room.external_id, hall=str(room.fields.get("hall") or ""))
        for number, room in enumerate(file.rooms, 1)
    ]


def with_rooms(feeds: Sequence[FeedRow], rooms: Sequence[RosterRoom]) -> list[FeedRow]:
    """The feeds as the monitor would start them, each with its rooms."""
    watch = Watch()
    watch.load(rooms, (), feeds, wall_time())
    return [msgspec.structs.replace(feed, rooms=watch.rooms_of(feed)) for feed in feeds]


def check_need(config: Config, feeds: Sequence[FeedRow]) -> Finding:
    """The disk against what rooms, intervals and the event's length will ask of it."""
    ticks_per_s = sum(len(feed.rooms or ()) / getattr(feed, "interval_s", 5.0) for feed in feeds if feed.TELLS_STATE)
    seconds = WEEK_S
    if config.event is not None:
        begins = max(config.event.starts_at, wall_time())
        seconds = max(0.0, (config.event.ends_at - begins).total_seconds())
    need = disk.need(
        ticks_per_s=ticks_per_s, seconds=seconds, spool_bytes_max=config.spool_bytes_max,
        spool_bytes=disk.spool_bytes(config.data_dir), embedded=config.dsn is None,
    )  # fmt: skip
    what = "the spool at its limit"
    if config.dsn is None:
        what += f", and the database for {seconds / 86_400:.1f} days at {ticks_per_s:,.1f} ticks a second"
    return disk.check_room(config.data_dir, need, what)


async def _all_feeds(feeds: Sequence[FeedRow], http: aiohttp.ClientSession) -> list[Finding]:
    turn = asyncio.Semaphore(ASKED_AT_ONCE_MAX)

    async def ask(feed: FeedRow) -> Finding:
        async with turn:
            return await check_feed(feed, http, wall_time)

    return list(await asyncio.gather(*(ask(feed) for feed in feeds if not isinstance(feed, CalledRow))))


async def _all_hooks(
    config: Config, hooks: Sequence[CalledRow], apps: Mapping[str, App], http: aiohttp.ClientSession
) -> list[Finding]:
    if not hooks or config.hooks_address is None:
        return []
    local = _url(*config.hooks_address)
    public = (config.hooks_url or "").rstrip("/")
    if public:
        urls = [await check_certificate(public, wall_time())]
    elif all(isinstance(row, ServerHookRow) for row in hooks):
        urls = []  # servers of the event call over its own network
    else:
        urls = [wrong("hooks_url", "not in the config: platforms cannot be told where to call", "give hooks_url")]
    asked = [
        check_hook(
            row, apps.get(row.app) or App(row.app, row.PLATFORM), http,
            local if isinstance(row, ServerHookRow) else public or local, local, wall_time(),
        )
        for row in hooks
    ]  # fmt: skip
    return [*urls, *check_polls(config.feeds), *await asyncio.gather(*asked)]


async def check_monitor(http: aiohttp.ClientSession, url: str) -> Finding:
    """The monitor itself, if it runs: is it ready?"""
    try:
        async with http.get(f"{url}/readyz", timeout=aiohttp.ClientTimeout(total=5.0)) as reply:
            body = (await reply.content.read(4096)).decode(errors="replace")
            status = reply.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return note("monitor", f"none runs on {url}", "start it with `livemon run`")
    if status == 200:
        return fine("monitor", f"runs on {url}, and is ready")
    return wrong("monitor", f"runs on {url}, and is not ready: {' '.join(body.split())[:200]}", "`livemon status`")


def _url(host: str, port: int) -> str:
    host = HERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
