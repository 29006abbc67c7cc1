"""The metrics of deliveries that are kept: their truth is the spool's, read at each scrape."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from .labels import name_label
from .sources import Sources


class KeptFrames:
    """Deliveries that were acknowledged and are not rows yet, by feed."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def collect(self) -> Iterator[Metric]:
        found = self.sources.standing().frames
        kept = GaugeMetricFamily(
            "livemon_frames_spooled",
            "Deliveries that wait to be read (waiting), or for an answer of their platform (pending).",
            labels=("feed", "state"),
        )
        oldest = GaugeMetricFamily(
            "livemon_frames_oldest_timestamp_seconds",
            "When the oldest of them was received; 0 while there is none.",
            labels=("feed",),
        )
        called = {name for name, feed in self.sources.watch().feeds.items() if not feed.tells}
        for name in sorted(called | set(found)):
            count, feed = found.get(name), name_label(name)
            kept.add_metric((feed, "waiting"), count.waiting if count else 0)
            kept.add_metric((feed, "pending"), count.pending if count else 0)
            oldest.add_metric((feed,), count.oldest_at if count else 0.0)
        yield from (kept, oldest)
