"""The metrics of accounts: how they stand, calls of platforms, pushes that were missed, details that are waited for."""

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric

from collectors.open_api import Verdict

from .labels import clean, name_label
from .sources import Sources
from .witness_word import NONE, witness_of

ACCOUNT_STATES = ("ok", "expiring", "refused", "missing")
BREAKER_STATES = ("closed", "half_open", "open")
OBSTACLES = ("no_app", "no_api", "no_account", "refused", "to_ask", "asked")
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
REFRESHED = ("granted", "refused", "failed")


class AccountMetrics:
    """Counters that others move."""

    def __init__(self, sources: Sources, registry: CollectorRegistry) -> None:
        self.push_missed = Counter(
            "livemon_push_missed_total", "Facts that a poll found and no push had told.", ("feed",), registry=registry
        )
        self.app_calls = Counter(
            "livemon_app_calls_total", "Calls of platforms by what they answered.", ("app", "name", "verdict"),
            registry=registry,
        )  # fmt: skip
        self.refreshes = Counter(
            "livemon_account_refreshes_total", "Tokens asked for anew.", ("app", "outcome"), registry=registry
        )
        self.orders_refused = Counter(
            "livemon_account_orders_refused_total", "Files beside orders about accounts that were set aside.",
            registry=registry,
        )  # fmt: skip
        self._pushes: frozenset[str] = frozenset()
        registry.register(AccountStands(sources))

    def pushes_are(self, names: Iterable[str]) -> None:
        """The push feeds of the present config: each counts from 0, so that the first miss is an increase."""
        wanted = frozenset(names)
        for name in wanted - self._pushes:
            self.push_missed.labels(name)
        for name in self._pushes - wanted:
            self.push_missed.remove(name)
        self._pushes = wanted

    def apps_are(self, names: Iterable[str]) -> None:
        """The apps of the present config, in the same way."""
        for name in names:
            for outcome in REFRESHED:
                self.refreshes.labels(name, outcome)

    def missed(self, feed: str, facts: int) -> None:
        self.push_missed.labels(feed).inc(facts)

    def called(self, app: str, name: str, verdict: Verdict) -> None:
        self.app_calls.labels(app, clean(name), verdict).inc()

    def refreshed(self, app: str, outcome: str) -> None:
        self.refreshes.labels(app, outcome).inc()


class AccountStands:
    """What has its truth elsewhere, read at each scrape."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def collect(self) -> Iterator[Metric]:
        yield counted(
            "livemon_accounts", "Accounts by state.", ("platform", "state"), ACCOUNT_STATES, self.sources.accounts()
        )
        yield counted(
            "livemon_app_breakers", "Ways to an app: open ones are not called for a while.", ("app", "state"),
            BREAKER_STATES, self.sources.breakers(),
        )  # fmt: skip
        polls, feeds = self.sources.polls(), self.sources.watch().feeds
        witnessed = GaugeMetricFamily(
            "livemon_feed_witnessed", "Of a push: 1 where polls would find what it misses.", labels=("feed",)
        )
        shops = GaugeMetricFamily("livemon_polled_shops", "Shops that are polled.", labels=("feed", "state"))
        for name, sight in feeds.items():
            if witness := witness_of(sight.row, polls.get(name)):
                witnessed.add_metric((name,), witness != NONE)
        for name, standing in polls.items():
            shops.add_metric((name, "good"), standing.shops - standing.failing)
            shops.add_metric((name, "failing"), standing.failing)
        needs = GaugeMetricFamily(
            "livemon_details_open", "Answers that kept deliveries wait for, and why.", labels=("feed", "obstacle")
        )
        for feed, waits in self.sources.waits().items():
            found = {wait.obstacle: wait.needs for wait in waits}
            for obstacle in OBSTACLES:
                needs.add_metric((name_label(feed), obstacle), found.get(obstacle, 0))
        yield from (witnessed, shops, needs)


def counted(
    name: str, text: str, labels: tuple[str, str], states: Iterable[str], counts: Mapping[tuple[str, str], int]
) -> Metric:
    """A gauge of every state of each that has any, also of those that none is in."""
    family, states = GaugeMetricFamily(name, text, labels=labels), tuple(states)
    for of in sorted({of for of, _ in counts}):
        for state in states:
            family.add_metric((name_label(of), state), counts.get((of, state), 0))
    return family
