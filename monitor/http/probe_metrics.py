"""The metric of looks at rooms in doubt; its truth is the prober's, read at each scrape."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from .sources import Sources


class Probes:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def collect(self) -> Iterator[Metric]:
        looks = CounterMetricFamily(
            "livemon_probes", "Looks at rooms in doubt by what they showed.", labels=("feed", "outcome")
        )
        for labels, count in self.sources.probes().items():
            looks.add_metric(labels, count)
        yield looks
