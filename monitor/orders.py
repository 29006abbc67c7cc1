"""The order desk: keys, the lane to the disk, the reader, and the hooks through which platforms call, put together."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import cast

from collectors.collector import FeedRow
from collectors.hook import App, CalledRow, OrderSocketRow
from monitor.apps import read_apps
from monitor.config import Config
from monitor.http import hooks, listener
from monitor.http.guard import Guard, Limits
from monitor.http.metrics import Metrics
from monitor.keys import BUYER_KEY, SPOOL_KEY, keys_of
from monitor.live.clock import Clock
from monitor.live.watch import Watch
from monitor.order_line import Conversing, OrderLine
from monitor.problem import of_file
from monitor.rates import Rates
from monitor.reading import Reader
from monitor.sale_rules import SaleRules
from monitor.secret import SecretError
from monitor.server_lane import Outlets as LaneOutlets
from monitor.server_lane import ServerLane
from monitor.store.cipher import CannotDecrypt, Cipher
from monitor.store.disk import SpoolFull
from monitor.store.frames import FrameLane
from monitor.store.renewal import check_key
from monitor.store.store import Store

log = logging.getLogger(__name__)


class Orders:
    def __init__(
        self,
        config: Config,
        path: Path,
        store: Store,
        watch: Watch,
        clock: Clock,
        metrics: Metrics,
        watching: Callable[[], bool],
    ) -> None:
        """Raises SecretError where a key or a secret will not do, ConfigError where the spool was under another key."""
        self.config = config
        self._buyer_key = keys_of(config.buyer_key_file, config.data_dir / BUYER_KEY)[0]
        cipher = Cipher([key.reveal() for key in keys_of(config.spool_key_file, config.data_dir / SPOOL_KEY)])
        self.apps = read_apps(config.apps)
        self._now, self._metrics = clock.now, metrics
        self.lane = FrameLane(store.spool, store.sealer, cipher)
        _check_key(self.lane, store, path)
        self.reader = Reader(
            store, self.lane, watch, clock.now, self._rules(), self.app_of,
            failed=lambda feed: metrics.feed_failures.labels(feed, "bad_frame").inc(), watching=watching,
        )  # fmt: skip
        self.server_lane = ServerLane(watch, self._lane_outlets(store, watching))
        guard = Guard(
            Limits(trusted=tuple(config.proxies)),
            refused=lambda reason: metrics.connections_refused.labels(reason).inc(),
        )
        self.hooks = hooks.Hooks(self._outlets(), guard)
        self._served: listener.Served | None = None
        self._follow()

    def app_of(self, row: FeedRow) -> App | None:
        """The application that a feed names; one that names none needs none."""
        name = getattr(row, "app", "")
        return self.apps.get(name) if name else App("", row.platform or row.PLATFORM)

    def line(self, row: OrderSocketRow) -> OrderLine:
        """An order socket for `supervise`."""
        return OrderLine(row, cast(Conversing, row), self.app_of, self.lane.keep, self._now)

    def reload(self, config: Config) -> None:
        """The config was read again, and with it the secrets: a file that will not do leaves those we have."""
        self.config = config
        try:
            self.apps = read_apps(config.apps)
        except SecretError as error:
            self._metrics.config_rejected.inc()
            log.error("the secrets of the apps stay as they were: %s", error)
        self.reader.rules = self._rules()
        self._follow()

    def _rules(self) -> SaleRules:
        event = self.config.event
        return SaleRules(self._buyer_key.reveal(), Rates(self.config.rates), event.starts_at if event else None)

    def _follow(self) -> None:
        feeds = self.config.feeds
        self.hooks.serve_feeds(feeds, self.apps)
        self.reader.configured(feeds)
        self._metrics.hooks_are(row.name for row in feeds if isinstance(row, CalledRow))

    def _outlets(self) -> hooks.Outlets:
        metrics = self._metrics
        return hooks.Outlets(
            keep=self.lane.keep,
            full=(SpoolFull,),
            now=self._now,
            heard=lambda feed, at: metrics.feed_messages.labels(feed).inc(),
            counted=lambda feed, outcome: metrics.hook_requests.labels(feed, outcome).inc(),
            took=metrics.hook_ack_duration.observe,
            hold=self.server_lane.hold,
        )

    def _lane_outlets(self, store: Store, watching: Callable[[], bool]) -> LaneOutlets:
        metrics = self._metrics
        return LaneOutlets(
            room=store.inbox.room,
            put=store.inbox.put,
            encrypt=self.lane.cipher.encrypt,
            failed=lambda feed: metrics.feed_failures.labels(feed, "bad_frame").inc(),
            app_of=self.app_of,
            rules=lambda: self.reader.rules,
            watching=watching,
            now=self._now,
        )

    # --- one run -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Listen, if the config wants it. Raises OSError where the address is taken."""
        address = self.config.hooks_address
        if address is not None:
            await self.lane.make_ready()
            self._served = await hooks.start(self.hooks, *address)
            log.info("hooks are taken at http://%s:%d/hooks/", address[0], self._served.port)

    async def run(self) -> None:
        """Keep and read until `stop`. Raises SpoolDiskFailed, SpoolUnreadable."""
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self.lane.run(), name="frame lane")
            others = [
                group.create_task(self.reader.run(), name="reader"),
                group.create_task(self.server_lane.run(), name="server lane"),
            ]
            await keeping
            for task in others:
                task.cancel()

    async def stop(self) -> None:
        """Nobody calls us any more, what was taken is kept, and what is not read waits for the next start."""
        if self._served is not None:
            served, self._served = self._served, None
            await listener.stop(served)
        self.lane.close()


def _check_key(lane: FrameLane, store: Store, path: Path) -> None:
    """Better not to start than to set aside all that waits, because somebody exchanged a key."""
    try:
        check_key(store.spool, lane.hours)
    except CannotDecrypt as error:
        raise of_file(
            path,
            "the deliveries in the spool are encrypted under another spool key",
            "put the earlier key back; to rotate it, write it below the new one in spool_key_file",
        ) from error
