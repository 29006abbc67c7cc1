"""The monitor as a whole: wires all rooms of the house, starts them in order, stops them in order.

Nothing waits for PostgreSQL, except the feeds of a spool that is new: until the sessions that an earlier spool left
open have been read, they stay blind.
"""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from collectors.tick import Sale
from monitor.accounts.desk import Desk
from monitor.alerts.desk import Desk as AlertDesk
from monitor.alerts.desk import people_of
from monitor.chores import Chores, OpenSession
from monitor.config import Config, ConfigError, load
from monitor.crew import Crew
from monitor.duty_room import house_of
from monitor.embedded_keeper import EmbeddedKeeper
from monitor.facts import RosterRoom, Slot
from monitor.history import roller
from monitor.http import listener, web
from monitor.http.guard import Guard
from monitor.http.metrics import Metrics
from monitor.http.sources import Sources
from monitor.live.blindness import recalled
from monitor.live.clock import Clock
from monitor.live.record import encoded
from monitor.live.session import Session
from monitor.live.watch import Watch
from monitor.orders import Orders
from monitor.outlets import outlets_of
from monitor.probe.prober import Prober
from monitor.problem import of_file
from monitor.purpose import marked
from monitor.reader_pace import slow
from monitor.reload import taken_over
from monitor.store.apply import Connection
from monitor.store.db import Database
from monitor.store.disk import untrusted
from monitor.store.store import Store
from monitor.writer_sight import reasons_of, sight_of

log = logging.getLogger(__name__)
VERSION = version("livemon")
COMMAND_TIMEOUT_S = 20.0
COLLECT = 10_000, 10, 20
"""New objects that make a collection of the youngest due, and how many of each age make one of the next age due.
Nearly nothing here goes in circles, and to walk through all that 12,000 rooms with accounts hold takes 0.7 s, in which
nobody is heard: by Python's own thresholds each 20 s, by these a few times an hour."""


class App:
    """One run of the monitor."""

    def __init__(self, config: Config, path: Path, robots: bool = False) -> None:
        """Opens the spool and goes on from what it holds. Raises ConfigError and the errors of the spool's disk.

        `robots`: in a rehearsal they speak, too.
        """
        self.config, self.path = config, path
        folder = config.data_dir / "spool"
        if (why := untrusted(config.data_dir)) is not None:
            raise of_file(path, f"data_dir: {why}", "the spool must survive a power cut")
        self.clock = Clock()
        self.stopping, self.reloading, self.ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.watch = Watch(config.grace_s, config.end_slack_s, config.event_currency)
        self.database = Database.of(config)
        self.keeper = EmbeddedKeeper(self.database, config, path) if self.database.embedded else None
        self.metrics = Metrics(self._sources(), VERSION)
        self.store = Store(
            folder, self._connect, self.clock.now, self, self._tend, self._sold, config.spool_bytes_max, (ConfigError,),
            purpose=config.purpose,
        )  # fmt: skip
        self.roller = roller.make(
            self._connect, lambda: self.store.sealer.standing.oldest_sealed_at, self.clock.now,
            slow if self.database.embedded else None,
        )  # fmt: skip
        self.rostered = False
        self.orders = Orders(config, path, self.store, self.watch, self.clock, self.metrics, self._watching)
        self.accounts = Desk(
            config, self.store, self.watch, self.clock.now, self.orders.reader, self.orders.lane,
            self.orders.server_lane.hold, lambda: self.orders.apps, self.metrics.of_accounts,
            failed=lambda feed, reason: self.metrics.feed_failures.labels(feed, reason).inc(),
        )  # fmt: skip
        self.orders.hooks.door = self.accounts.door()
        self.prober = Prober(self.watch, self.clock.now)
        outlets = outlets_of(self.store.inbox, self.metrics, self.prober)
        self.crew = Crew(self.watch, self.clock.now, outlets, self.orders.line, self.accounts.line, self.prober)
        self.chores = self._take_up()
        house = house_of(self.watch, self.clock, self.store, self.accounts, self.database, self.keeper)
        self.alerts = AlertDesk(config, path, house, self.metrics.of_alerts, robots)

    def _take_up(self) -> Chores:
        """Roster, sessions and feeds as the spool remembers them."""
        spool, now = self.store.spool, self.clock.now()
        roster_version, rooms, slots = spool.roster()
        heard = self.watch.load(rooms, slots, self.config.feeds, now)
        sessions = {key: msgspec.msgpack.decode(state, type=Session) for key, state in spool.room_states().items()}
        self.watch.restore(sessions, spool.feed_states(), now)
        self.rostered = roster_version >= 0
        self.store.inbox.put(heard)
        self._name_feeds()
        known = None if spool.knows_sessions else self._sessions_known
        if known is None:
            self.ready.set()
        return Chores(
            self.config, self.path, self.watch, self._roster_changed, known, self.store.put_on_disk, roster_version,
            self.orders.reader.bring_back, self.clock.now,
        )  # fmt: skip

    # --- one run -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until SIGTERM or SIGINT; then collectors go first, the inbox drains, the writer has a few seconds."""
        gc.collect()
        gc.freeze()  # the roster and all that was made so far stay as long as we do: no collection walks through them
        gc.set_threshold(*COLLECT)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self.reloading.set)
        guard = Guard(refused=lambda reason: self.metrics.connections_refused.labels(reason).inc())
        pages = web.make_app(self._sources(), self.metrics, VERSION, self.alerts.routes())
        try:
            served = await web.start(pages, *self.config.address, guard)
        except OSError:
            await self.alerts.close()
            raise
        hello = marked(f"livemon {VERSION} listens on", self.config.purpose)
        log.info("%s http://%s, data in %s", hello, self.config.listen, self.config.data_dir)
        try:
            async with asyncio.TaskGroup() as group:
                storing = group.create_task(self.store.run(), name="store")
                ordering = group.create_task(self.orders.run(), name="orders")
                await self.accounts.open()
                asking = group.create_task(self.accounts.run(self.stopping), name="accounts")
                others = [
                    group.create_task(work, name=name)
                    for name, work in (
                        ("tick", self._tick()),
                        ("roller", self.roller.run()),
                        ("alerts", self.alerts.run()),
                        ("prober", self.prober.run()),
                    )
                ]
                if self.keeper is not None:
                    others.append(group.create_task(self.keeper.keep(), name="embedded postgres"))
                await self.orders.open()
                self.crew.muster(self.config.feeds)
                await self.crew.work(self.ready, self.stopping)
                await asking
                await self.orders.stop()
                await ordering
                self.store.stop()
                await storing
                for task in others:
                    task.cancel()
        finally:
            await self.orders.stop()
            await listener.stop(served)
            await self.alerts.close()
        if self.keeper is not None:
            await self.keeper.release()

    async def _tick(self) -> None:
        """Once a second: the clock, what time alone decides, a reload if one was asked for, the loop's own lag."""
        loop = asyncio.get_running_loop()
        due = loop.time() + 1.0
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.metrics.loop_lag.set(max(0.0, loop.time() - due))
            due = loop.time() + 1.0
            stepped = self.clock.check()
            self.metrics.clock_skew.set(self.clock.widest_s)
            await self.store.inbox.room(0, 1)
            now = self.clock.now()
            if stepped:
                log.warning("the wall clock stepped: stamps follow it from now on, and every feed has a blind span")
                self.store.inbox.put(self.watch.stepped(now))
            self.store.inbox.put(self.watch.tend(now))
            taken, self.store.spool.fsync_s = self.store.spool.fsync_s, []
            for seconds in taken:
                self.metrics.fsync_duration.observe(seconds)
            if self.reloading.is_set():
                self.reloading.clear()
                await self._reload()

    async def _reload(self) -> None:
        """SIGHUP: what `reload` names follows the file; a bad file changes nothing and is said."""
        try:
            config = await asyncio.to_thread(load, self.path)
            people = await asyncio.to_thread(people_of, config)
        except ConfigError as error:
            self.metrics.config_rejected.inc()
            log.error("the config was not taken over: %s", error)
            return
        self.config = self.chores.config = taken_over(self.config, config)
        _, rooms, slots = await self.store.sealer.call(self.store.spool.roster)
        self._reload_watch(rooms, slots)
        self.orders.reload(self.config)
        self.accounts.configure(self.config)
        self.alerts.configure(self.config, people)
        log.info("the config was read again: %d feeds", len(config.feeds))

    # --- what others are given ---------------------------------------------------------------------------------------

    async def _connect(self, name: str, settings: dict[str, str] | None = None) -> Connection:
        if self.keeper is not None:
            self.keeper.check()
        conn = await self.database.connect("writer", name, command_timeout=COMMAND_TIMEOUT_S, settings=settings)
        return await self.chores.recognised(conn)

    async def _tend(self, conn: Connection) -> None:
        await self.chores.tend(conn)
        await self.accounts.look(conn)

    async def _roster_changed(self, number: int, rooms: Sequence[RosterRoom], slots: Sequence[Slot]) -> None:
        """The mirror first: a room is watched only when the next start will know its id, too."""
        await self.store.sealer.call(self.store.spool.mirror, number, rooms, slots)
        self._reload_watch(rooms, slots)
        self.rostered = True
        self.orders.reader.rostered()

    def _watching(self) -> bool:
        return self.rostered and self.ready.is_set()

    def _reload_watch(self, rooms: Sequence[RosterRoom], slots: Sequence[Slot]) -> None:
        self.store.inbox.put(self.watch.load(rooms, slots, self.config.feeds, self.clock.now()))
        self._name_feeds()
        self.crew.muster(self.config.feeds)

    def _name_feeds(self) -> None:
        self.metrics.feeds_are(self.watch.feeds)
        self.metrics.platforms_are({room.platform for room in self.watch.rooms}, self.config.event_currency)

    async def _sessions_known(self, found: Sequence[OpenSession]) -> None:
        ours = await self.store.sealer.call(self.store.spool.room_states)  # what a repair has saved knows better
        sessions = {
            (s.platform, s.room): recalled(s.opened_at, s.number, s.change, s.at)
            for s in found
            if (s.platform, s.room) not in ours
        }
        states = {key: encoded(session) for key, session in sessions.items()}
        await self.store.sealer.call(self.store.spool.learn_sessions, states)
        self.watch.restore(sessions, (), self.clock.now())
        self.ready.set()
        self.orders.reader.rostered()

    def _sold(self, sales: Sequence[Sale]) -> None:
        self.accounts.sold(sales)
        for sale in sales:
            lag_s = (sale.received_at - sale.at).total_seconds()
            self.metrics.sold(sale.platform, sale.kind, sale.amount_minor, sale.currency, lag_s)
            if sale.room is not None:
                self.watch.sold(sale.platform, sale.room, sale.kind, sale.amount_minor, sale.currency)

    def wrote(self, seconds: float, rows: int) -> None:
        self.metrics.write_duration.observe(seconds)

    def resolved(self, outcome: str) -> None:
        self.metrics.unknown_resolved.labels(outcome).inc()

    # --- what the pages are told -------------------------------------------------------------------------------------

    def _sources(self) -> Sources:
        return Sources(
            now=self.clock.now,
            watch=lambda: self.watch,
            standing=lambda: self.store.sealer.standing,
            writer=lambda: sight_of(self.store.writer, self.chores.ready_until),
            reasons=lambda: reasons_of(self.store.writer),
            accounts=lambda: self.accounts.counts(),
            breakers=lambda: self.accounts.client.breaker_states(),
            polls=lambda: self.accounts.reconcile.standing(),
            probes=lambda: self.prober.counts(),
            waits=lambda: self.accounts.details.waits(),
            rollup_lag_s=lambda: self.roller.lag_s(self.clock.now()),
            event=self.config.shown_name,
            spool_bytes_max=self.config.spool_bytes_max,
        )


async def run(config: Config, path: Path, robots: bool = False) -> None:
    """Run the monitor until it is told to stop."""
    with contextlib.suppress(asyncio.CancelledError):
        await App(config, path, robots).run()
