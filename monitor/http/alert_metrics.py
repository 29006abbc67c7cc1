"""The metrics of alerts: what Alertmanager posted, and what could not be told to whom."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter

SEVERITIES = ("warning", "info")  # what is critical is never given up
OTHER = "other"  # alerts of other people's rules say what they like
HEARTBEAT = "deadman"  # the outside heartbeat is counted with the robots, under a name that none of them may have


class AlertMetrics:
    """Counters that others move."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.posts = Counter(
            "livemon_alert_posts_total", "Posts of Alertmanager by what became of them.", ("outcome",),
            registry=registry,
        )  # fmt: skip
        self.deliveries_failed = Counter(
            "livemon_deliveries_failed_total", "Attempts to tell a robot, or the outside heartbeat, that failed.",
            ("robot",), registry=registry,
        )  # fmt: skip
        self.messages_given_up = Counter(
            "livemon_messages_given_up_total",
            "Messages that nobody is told any more: a day old, or of a robot that was removed. None is critical.",
            ("severity",), registry=registry,
        )  # fmt: skip
        for severity in (*SEVERITIES, OTHER):
            self.messages_given_up.labels(severity)
        self._robots: frozenset[str] = frozenset()
        self.deliveries_failed.labels(HEARTBEAT)

    def outcomes_are(self, names: Iterable[str]) -> None:
        """Each counts from 0."""
        for name in names:
            self.posts.labels(name)

    def robots_are(self, names: Iterable[str]) -> None:
        """The robots of the present config: each counts from 0, so that the first failure is an increase."""
        wanted = frozenset(names)
        for name in wanted - self._robots:
            self.deliveries_failed.labels(name)
        for name in self._robots - wanted:
            self.deliveries_failed.remove(name)
        self._robots = wanted

    def posted(self, outcome: str) -> None:
        self.posts.labels(outcome).inc()

    def failed(self, robot: str) -> None:
        self.deliveries_failed.labels(robot).inc()

    def given_up(self, severity: str) -> None:
        self.messages_given_up.labels(severity if severity in SEVERITIES else OTHER).inc()
