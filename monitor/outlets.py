"""Where the collectors of the monitor lead to: the inbox, the counters of feeds, and who looks at rooms in doubt."""

from datetime import datetime

from monitor.facts import Heard
from monitor.http.metrics import Metrics
from monitor.live.supervise import Outlets
from monitor.probe.prober import Prober
from monitor.store.inbox import Inbox
from monitor.store.keeping import keep_frame


def outlets_of(inbox: Inbox, metrics: Metrics, prober: Prober) -> Outlets:
    def put(heard: Heard) -> None:
        inbox.put(heard)
        prober.heard(heard.changes)

    def quarantine(feed: str, frame: bytes, at: datetime, reason: str) -> None:
        inbox.put(Heard(quarantine=[keep_frame(feed, frame, reason, at)]))

    return Outlets(
        room=inbox.room,
        put=put,
        quarantine=quarantine,
        failed=lambda feed, reason: metrics.feed_failures.labels(feed, reason).inc(),
        heard=lambda feed: metrics.feed_messages.labels(feed).inc(),
        polled=lambda feed, seconds: metrics.feed_poll_duration.labels(feed).observe(seconds),
    )
