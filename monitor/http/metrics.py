"""Every metric of the process, of feeds and of the pipeline in one place; room series have a page of their own."""

import platform as machine
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from monitor.live.failure import Reason

from .account_metrics import AccountMetrics
from .alert_metrics import AlertMetrics
from .frame_metrics import KeptFrames
from .guard import Refusal
from .labels import clean, name_label
from .outcome import OUTCOMES
from .probe_metrics import Probes
from .sources import Sources
from .sums import FEED_STATES, SIGNALS, STATES, is_up, platform_sums

FAILURE_REASONS: tuple[Reason, ...] = get_args(Reason)
UNKNOWN_OUTCOMES = ("committed", "absent")
REFUSALS: tuple[Refusal, ...] = get_args(Refusal)
BOOK_FAMILIES = {
    "received": "Rows taken on: sealed, shed or quarantined.",
    "written": "Rows that PostgreSQL holds.",
    "duplicates": "Rows that PostgreSQL held already.",
    "quarantined": "Rows kept aside with their reason.",
    "shed": "Rows let go by policy.",
    "reoffered": "Rows offered again though applied before; they move no books.",
    "lost": "Rows that a failover lost beyond retention.",
}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
ACK_SECONDS = (0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LATE_SECONDS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)
FSYNC_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """A registry of our own. Attributes are what others move; what has its truth elsewhere is read at each scrape."""

    def __init__(self, sources: Sources, version: str) -> None:
        # One more series for each counter, of no use to anyone.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.feed_names: frozenset[str] = frozenset()
        self.hook_names: frozenset[str] = frozenset()
        self._of_feeds_and_sales(self.registry)
        self._of_the_pipeline(self.registry)
        self._of_the_process(self.registry)
        self.of_accounts = AccountMetrics(sources, self.registry)
        self.of_alerts = AlertMetrics(self.registry)
        build = InfoMetricFamily("livemon_build", "What runs here.")
        build.add_metric((), {"version": version, "python": machine.python_version()})
        for made in (RoomSums, FeedSights, Pipeline, KeptFrames, Probes):
            self.registry.register(made(sources))
        self.registry.register(Fixed(build))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def _of_feeds_and_sales(self, registry: CollectorRegistry) -> None:
        self.feed_messages = Counter("livemon_feed_messages_total", "Good frames.", ("feed",), registry=registry)
        self.feed_failures = Counter(
            "livemon_feed_failures_total", "Failures of a feed.", ("feed", "reason"), registry=registry
        )
        self.feed_poll_duration = Histogram(
            "livemon_feed_poll_duration_seconds",
            "From asking a feed to its frame.",
            ("feed",),
            buckets=SECONDS,
            registry=registry,
        )
        self.orders = Counter(
            "livemon_orders_total", "Orders paid, as PostgreSQL took them for new.", ("platform",), registry=registry
        )
        self.sales_minor = Counter(
            "livemon_sales_minor_total", "Orders paid, in minor units.", ("platform", "currency"), registry=registry
        )
        self.sale_lag = Histogram(
            "livemon_sale_lag_seconds",
            "How long after it happened we received a sale that PostgreSQL took for new; a file is as late as it is.",
            ("platform",),
            buckets=LATE_SECONDS,
            registry=registry,
        )

        self.hook_requests = Counter(
            "livemon_hook_requests_total",
            "Requests to a hook; feed is empty where the path is nobody's.",
            ("feed", "outcome"),
            registry=registry,
        )
        self.hook_ack_duration = Histogram(
            "livemon_hook_ack_duration_seconds",
            "From the last byte of a true delivery to its answer.",
            buckets=ACK_SECONDS,
            registry=registry,
        )
        self.hook_requests.labels("", "not_found")

    def _of_the_pipeline(self, registry: CollectorRegistry) -> None:
        self.write_duration = Histogram(
            "livemon_write_duration_seconds", "One batch, BEGIN to COMMIT.", buckets=SECONDS, registry=registry
        )
        self.fsync_duration = Histogram(
            "livemon_fsync_duration_seconds", "One commit of the spool.", buckets=FSYNC_SECONDS, registry=registry
        )
        self.unknown_resolved = Counter(
            "livemon_batches_unknown_resolved_total",
            "Batches whose COMMIT was cut, by what had become of them.",
            ("outcome",),
            registry=registry,
        )
        for outcome in UNKNOWN_OUTCOMES:
            self.unknown_resolved.labels(outcome)

    def _of_the_process(self, registry: CollectorRegistry) -> None:
        self.clock_skew = Gauge(
            "livemon_clock_skew_seconds",
            "Wall clock less the stamps we give, sampled each second: the widest of the last half minute.",
            registry=registry,
        )
        self.loop_lag = Gauge(
            "livemon_loop_lag_seconds", "How late the event loop woke, sampled each second.", registry=registry
        )
        self.config_rejected = Counter(
            "livemon_config_rejected_total", "Reloads refused for a bad file.", registry=registry
        )
        self.connections_refused = Counter(
            "livemon_connections_refused_total", "Connections cut by the guard.", ("reason",), registry=registry
        )
        for reason in REFUSALS:
            self.connections_refused.labels(reason)

    def feeds_are(self, names: Iterable[str]) -> None:
        """The feeds of the present config: each has all its series from now on at 0, those gone have none."""
        wanted = frozenset(names)
        for name in wanted - self.feed_names:
            self.feed_messages.labels(name)
            self.feed_poll_duration.labels(name)
            for reason in FAILURE_REASONS:
                self.feed_failures.labels(name, reason)
        for name in self.feed_names - wanted:
            self.feed_messages.remove(name)
            self.feed_poll_duration.remove(name)
            for reason in FAILURE_REASONS:
                self.feed_failures.remove(name, reason)
        self.feed_names = wanted

    def hooks_are(self, names: Iterable[str]) -> None:
        """The feeds that are called, in the same way."""
        wanted = frozenset(names)
        for outcome in OUTCOMES:
            for name in wanted - self.hook_names:
                self.hook_requests.labels(name, outcome)
            for name in self.hook_names - wanted:
                self.hook_requests.remove(name, outcome)
        self.hook_names = wanted

    def platforms_are(self, names: Iterable[str], currency: str) -> None:
        """Sums of sales start at 0, so that the first sale is an increase."""
        for name in names:
            self.orders.labels(name_label(name))
            self.sales_minor.labels(name_label(name), currency)
            self.sale_lag.labels(name_label(name))

    def sold(self, platform: str, kind: str, amount_minor: int, currency: str, lag_s: float) -> None:
        """A commit returned this sale as new. Only a paid order counts: created ones, refunds and gifts are not GMV.

        `lag_s`: received minus event time, of every kind; a platform's clock that is ahead of ours tells 0.
        """
        self.sale_lag.labels(name_label(platform)).observe(max(0.0, lag_s))
        if kind == "paid":
            self.orders.labels(name_label(platform)).inc()
            self.sales_minor.labels(name_label(platform), clean(currency)).inc(amount_minor)


class Fixed:
    """A family that never changes."""

    def __init__(self, family: Metric) -> None:
        self.family = family

    def collect(self) -> Iterator[Metric]:
        yield self.family


class RoomSums:
    """Rooms and viewers per platform, summed at each scrape."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def collect(self) -> Iterator[Metric]:
        rooms = GaugeMetricFamily("livemon_rooms", "Rooms of the roster.", labels=("platform", "state"))
        covered = GaugeMetricFamily(
            "livemon_rooms_covered", "Rooms of which a feed tells this.", labels=("platform", "signal")
        )
        expected = GaugeMetricFamily("livemon_rooms_expected", "Rooms inside their schedule.", labels=("platform",))
        viewers = GaugeMetricFamily("livemon_viewers", "Viewers of all rooms that can be seen.", labels=("platform",))
        for name, sums in platform_sums(self.sources.watch()).items():
            platform = name_label(name)
            for state, count in zip(STATES, sums.states, strict=True):
                rooms.add_metric((platform, state), count)
            for signal in SIGNALS:
                covered.add_metric((platform, signal), sums.covered[signal])
            expected.add_metric((platform,), sums.expected)
            viewers.add_metric((platform,), sums.viewers)
        yield from (rooms, covered, expected, viewers)


class FeedSights:
    """What the watch knows of each feed."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "livemon_feed_up",
            "1 while the feed can be seen; 0 says nothing of rooms.",
            labels=("feed", "platform", "hall"),
        )
        state = GaugeMetricFamily("livemon_feed_state", "1 for the state it is in.", labels=("feed", "state"))
        unlisted = GaugeMetricFamily("livemon_rooms_unlisted", "Rooms seen that the roster lacks.", labels=("feed",))
        last = GaugeMetricFamily(
            "livemon_feed_last_message_timestamp_seconds", "The last good frame; 0 before the first.", labels=("feed",)
        )
        for name, feed in self.sources.watch().feeds.items():
            up.add_metric((name, name_label(feed.platform), clean(feed.hall)), is_up(feed))
            for known in FEED_STATES:
                state.add_metric((name, known), feed.state == known)
            unlisted.add_metric((name,), len(feed.unlisted) + feed.unlisted_more)
            last.add_metric((name,), seconds(feed.last_message_at))
        yield from (up, state, unlisted, last)


class Pipeline:
    """The books, the spool and the writer, as they stand."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def collect(self) -> Iterator[Metric]:
        standing, writer = self.sources.standing(), self.sources.writer()
        for column, text in BOOK_FAMILIES.items():
            moved = CounterMetricFamily(f"livemon_{column}", text, labels=("kind",))
            for kind, book in standing.books.items():
                moved.add_metric((kind,), getattr(book, column))
            yield moved
        spooled = GaugeMetricFamily("livemon_spooled", "Rows that wait on disk.", labels=("kind",))
        difference = GaugeMetricFamily("livemon_books_difference", "0 when the books balance.", labels=("kind",))
        for kind, book in standing.books.items():
            spooled.add_metric((kind,), book.spooled)
            difference.add_metric((kind,), book.difference)
        yield from (spooled, difference)
        yield GaugeMetricFamily("livemon_spool_bytes", "Bytes that wait on disk.", standing.pending_bytes)
        most = self.sources.spool_bytes_max
        yield GaugeMetricFamily("livemon_spool_bytes_max", "How many may wait: spool_bytes_max.", most)
        yield GaugeMetricFamily(
            "livemon_spool_oldest_timestamp_seconds",
            "When the oldest waiting batch was sealed; 0 while none waits.",
            standing.oldest_sealed_at or 0.0,
        )
        yield GaugeMetricFamily(
            "livemon_writer_blocked_since_timestamp_seconds", "0 while it writes.", seconds(writer.blocked_since)
        )
        yield GaugeMetricFamily(
            "livemon_rollup_lag_seconds",
            "Age of the oldest minute that is over and not summed yet; 0 if none.",
            self.sources.rollup_lag_s(),
        )
        yield GaugeMetricFamily(
            "livemon_partitions_ready_until_timestamp_seconds",
            "Days stand ready up to here; 0 while unknown.",
            seconds(writer.partitions_ready_until),
        )


def seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
