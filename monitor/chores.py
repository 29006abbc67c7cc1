"""What the monitor does in PostgreSQL between batches, on the writer's own connection.

Looks whether the database is ours, follows the roster, keeps partitions ready, tells which feeds see which rooms,
carries out what a person decided about quarantined rows, erases deliveries that are done with, ends readers that go on
for too long, and has sales attributed. Whatever fails here counts as a failure of PostgreSQL: it is tried again where
that is, in the writer.
"""

import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from asyncpg import Record

from collectors.apis import APIS
from monitor.attribution import Attribution
from monitor.birth import recognise
from monitor.config import Config
from monitor.facts import ChangeName, Heard, RosterRoom, Slot
from monitor.live.watch import Watch
from monitor.reader_limits import cut_readers
from monitor.reader_pace import slow_readers
from monitor.roster import fill_empty, read_roster
from monitor.store.apply import Connection
from monitor.store.cipher import is_encrypted
from monitor.store.disk import SpoolFull
from monitor.store.keeping import CannotRevive, revive
from monitor.store.migrate import schema_version, version_needed
from monitor.store.reunion import Held
from monitor.store.statements import statement

log = logging.getLogger(__name__)
PARTITIONS_S = 600.0
UNLISTED_S = 10.0
ERASE_S = 10.0
NEVER_S = -math.inf  # not 0: a machine that has just booted is younger than the waits above
ERASE_AFTER = timedelta(days=1)  # of a delivery in quarantine, since it was tried again or dropped


BringBack = Callable[[str, str, datetime, bytes, str], Awaitable[Heard]]
"""Kind, feed, received at, payload and sample of a quarantined row, as what it brings. Raises CannotRevive."""


async def keyless(kind: str, feed: str, at: datetime, payload: bytes, sample: str) -> Heard:
    raise CannotRevive("it is encrypted, and there is no key")


class OpenSession(msgspec.Struct, frozen=True):
    """A session that PostgreSQL has as open, and its last change."""

    platform: str
    room: str
    opened_at: datetime
    number: int
    change: ChangeName
    at: datetime


class Chores:
    """`roster_changed` and `sessions_known` hand over what was read; `put` takes rows brought back from quarantine.

    `bring_back` makes rows of a delivery that lies encrypted in quarantine.
    """

    def __init__(
        self,
        config: Config,
        config_path: Path,
        watch: Watch,
        roster_changed: Callable[[int, Sequence[RosterRoom], Sequence[Slot]], "object"],
        sessions_known: Callable[[Sequence[OpenSession]], "object"] | None,
        put: Callable[[Heard], Awaitable[None]],
        roster_version: int,
        bring_back: BringBack = keyless,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config, self.config_path, self.watch = config, config_path, watch
        self._roster_changed, self._sessions_known, self._put = roster_changed, sessions_known, put
        self._roster_version, self._bring_back = roster_version, bring_back
        self._attribution = Attribution()
        self._conn: Connection | None = None
        self._partitions_at = self._unlisted_at = self._erased_at = NEVER_S
        self._now, self._monotonic = now, monotonic
        self._told_feeds: list[tuple[str, ...]] = []
        self._told_rooms = -1
        self._told_apps: list[tuple[str, str]] | None = None
        self.ready_until: datetime | None = None

    async def tend(self, conn: Connection) -> None:
        """Every few seconds, and first of all at each connect."""
        if conn is not self._conn:
            await self._greet(conn)
            self._conn = conn
        await self._follow_roster(conn)
        await self._read_sessions(conn)
        now = self._monotonic()
        if now - self._partitions_at >= PARTITIONS_S:
            row = await conn.fetchrow(statement("writer/ensure_days_ahead"))
            self.ready_until, self._partitions_at = (row["ready_until"] if row else None), now
        await self._tell_feeds(conn)
        await self._tell_apps(conn)
        if now - self._unlisted_at >= UNLISTED_S:
            await self._tell_unlisted(conn)
            self._unlisted_at = now
        await self._carry_out(conn)
        if self.config.dsn is None:
            await slow_readers(conn)
        if now - self._erased_at >= ERASE_S:
            await conn.execute(statement("chores/erase_deliveries"), self._now())
            if cut := await cut_readers(conn):
                log.warning("ended %d sessions of readers that went on for too long", cut)
            self._erased_at = now
        await self._attribution.catch_up(conn, self._roster_version)

    async def recognised(self, conn: Connection) -> Connection:
        """The connection, if this database is of our schema and of our event; else it is ended.

        Asked before anything else at each connect: rooms that the spool gives back are not another's, either. Raises
        Held, and ConfigError where waiting helps nobody.
        """
        try:
            found, needed = await schema_version(conn), version_needed()
            if found < needed:
                raise Held(f"the schema is at migration {found}, this release needs {needed}: run `livemon migrate`")
            await recognise(conn, self.config, self.config_path)
        except BaseException:
            conn.terminate()
            raise
        return conn

    async def _greet(self, conn: Connection) -> None:
        event = self.config.event
        window = ("", None, None) if event is None else (event.name, event.starts_at, event.ends_at)
        await conn.execute(statement("chores/set_event"), *window)
        self._partitions_at = self._unlisted_at = self._erased_at = NEVER_S
        self._told_feeds, self._told_rooms, self._told_apps = [], -1, None

    async def _follow_roster(self, conn: Connection) -> None:
        if await conn.fetchval(statement("roster/version")) == self._roster_version:
            return
        if self.config.roster is not None:
            await fill_empty(conn, self.config.roster)
        version, rooms, slots = await read_roster(conn)
        result = self._roster_changed(version, rooms, slots)
        if hasattr(result, "__await__"):
            await result
        self._roster_version = version
        log.info("roster version %d: %d rooms, %d slots", version, sum(room.active for room in rooms), len(slots))

    async def _read_sessions(self, conn: Connection) -> None:
        """Once in the life of a spool: the sessions that an earlier one left open."""
        if self._sessions_known is None:
            return
        rows = await conn.fetch(statement("writer/open_sessions"))
        result = self._sessions_known([OpenSession(*row) for row in rows])
        if hasattr(result, "__await__"):
            await result
        self._sessions_known = None

    async def _tell_feeds(self, conn: Connection) -> None:
        feeds = [
            (
                f.name,
                f.row.__struct_config__.tag,
                f.platform,
                f.hall,
                ",".join(f.row.signals()),
                f.state,
                f.detail[:500],
            )
            for f in self.watch.feeds.values()
        ]
        if feeds != self._told_feeds:
            columns = [list(column) for column in zip(*feeds, strict=True)] or [[]] * 7
            await conn.execute(statement("chores/put_feeds"), *columns)
            self._told_feeds = [tuple(map(str, feed)) for feed in feeds]
        if self.watch.roster_generation != self._told_rooms:
            pairs = [(feed.name, room.room_id) for feed in self.watch.feeds.values() for room in feed.rooms]
            names, rooms = [name for name, _ in pairs], [room for _, room in pairs]
            async with conn.transaction():
                await conn.execute(statement("chores/end_feed_rooms"), names, rooms)
                await conn.execute(statement("chores/begin_feed_rooms"), names, rooms)
            self._told_rooms = self.watch.roster_generation

    async def _tell_apps(self, conn: Connection) -> None:
        """Those with accounts: so that a shop of the roster that nobody has linked yet is listed as missing."""
        apps = [(app.name, app.platform) for app in self.config.apps if app.platform in APIS]
        if apps != self._told_apps:
            await conn.execute(statement("chores/put_apps"), [name for name, _ in apps], [of for _, of in apps])
            self._told_apps = apps

    async def _tell_unlisted(self, conn: Connection) -> None:
        rows = [
            (feed.name, feed.platform, room, first_at, last_at)
            for feed in self.watch.feeds.values()
            for room, (first_at, last_at) in feed.unlisted.items()
        ]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            await conn.execute(statement("chores/put_unlisted"), *columns)
        await conn.execute(statement("chores/forget_unlisted"))

    async def _carry_out(self, conn: Connection) -> None:
        for row in await conn.fetch(statement("chores/quarantine_asked")):
            if row["state"] == "drop":
                await self._done(conn, row, "dropped")
                continue
            try:
                heard = await self._brought_back(row)
            except SpoolFull:
                continue  # asked for again, until there is room
            except CannotRevive as error:
                why = f"tried again, not a row: {error}"[:500].replace("\0", "")
                await self._done(conn, row, "kept", why)
                continue
            # On disk before the row is marked: a crash between the two means a second try, and the second try of a fact
            # is a duplicate, of a tick a row.
            await self._put(heard)
            await self._done(conn, row, "retried")

    async def _done(self, conn: Connection, row: Record, state: str, why: str | None = None) -> None:
        """Nobody needs the bytes of a delivery when it is done with; a row of ours names nobody, and stays whole."""
        goes = state != "kept" and is_encrypted(row["payload"])
        erase_at = self._now() + ERASE_AFTER if goes else None
        asked = row["state"]
        await conn.execute(statement("chores/quarantine_done"), row["quarantine_id"], state, why, asked, erase_at)

    async def _brought_back(self, row: Record) -> Heard:
        """A new receipt. A frame is read again by its feed's parser; its ticks are rows and decide nothing."""
        kind, feed_name, at, payload = row["kind"], row["feed"], row["received_at"], row["payload"]
        if row["erased_at"] is not None:
            raise CannotRevive("its bytes were erased")
        if is_encrypted(payload):
            return await self._bring_back(kind, feed_name, at, payload, row["sample"])
        if kind != "frame":
            return revive(payload)
        feed = self.watch.feeds.get(feed_name)
        if feed is None:
            raise CannotRevive(f"there is no feed {feed_name} now")
        try:
            ticks = feed.row.parse(payload, at)  # type: ignore[attr-defined]  # every row of `Feed` is a Collector
        except Exception as error:
            raise CannotRevive(f"{type(error).__name__}: {error}") from error
        listed = feed.listed
        return Heard(ticks=[(listed[tick.room].room_id, tick) for tick in ticks if tick.room in listed])
