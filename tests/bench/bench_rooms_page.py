"""Measures /metrics/rooms against prometheus-client's generate_latest with the same series, in one run."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from monitor.http.rooms_page import FAMILIES, RoomsPage, make_prefixes
from monitor.live.room import Room
from monitor.live.watch import Watch
from tests.http.stand_in import busy_watch

ROOMS = 12_000
TURNS = 7
INFO = ("platform", "room", "anchor", "hall", "city", "category", "tier")


def info_values(room: Room) -> tuple[str, ...]:
    row = room.row
    return (row.platform, row.external_id, row.anchor, row.hall, row.city, row.category, str(row.tier))


def with_children(watch: Watch) -> CollectorRegistry:
    """The usual way: one child per series, set beforehand; only its rendering is timed."""
    registry = CollectorRegistry()
    for family in FAMILIES:
        metric = (Counter if family.kind == "counter" else Gauge)(
            family.name, family.text, ("platform", "room"), registry=registry
        )
        for room, value in zip(watch.rooms, family.read(watch.rooms), strict=True):
            if value is not None:
                child = metric.labels(room.row.platform, room.row.external_id)
                child.inc(value)
    info = Gauge("livemon_room_info", "Who broadcasts in the room, 1.", INFO, registry=registry)
    for room in watch.rooms:
        info.labels(*info_values(room)).set(1)
    return registry


class Fresh:
    """The other way: a collector that builds its families at each scrape."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES:
            kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            metric = kind(family.name, family.text, labels=("platform", "room"))
            for room, value in zip(self.watch.rooms, family.read(self.watch.rooms), strict=True):
                if value is not None:
                    metric.add_metric((room.row.platform, room.row.external_id), value)
            yield metric
        info = GaugeMetricFamily("livemon_room_info", "Who broadcasts in the room, 1.", labels=INFO)
        for room in self.watch.rooms:
            info.add_metric(info_values(room), 1)
        yield info


def median_ms(work: Callable[[], object], turns: int, clock: Callable[[], float] = time.perf_counter) -> float:
    took = []
    for _ in range(turns):
        start = clock()
        work()
        took.append((clock() - start) * 1000)
    return sorted(took)[turns // 2]


async def longest_block_ms(page: RoomsPage) -> float:
    """How long other tasks of the loop had to wait, at worst, while whole pages were made and packed."""
    worst = 0.0
    done = False

    async def beat() -> None:
        nonlocal worst
        while not done:
            start = time.perf_counter()
            await asyncio.sleep(0)
            worst = max(worst, time.perf_counter() - start)

    async with asyncio.TaskGroup() as group:
        group.create_task(beat())
        for _ in range(TURNS):
            await page.fresh()
        done = True
    return worst * 1000


def measure(rooms: int = ROOMS, turns: int = TURNS, clock: Callable[[], float] = time.perf_counter) -> dict[str, Any]:
    disable_created_metrics()  # type: ignore[no-untyped-call]
    watch = busy_watch(rooms)
    page = RoomsPage(lambda: watch)
    with asyncio.Runner() as runner:
        first = median_ms(lambda: runner.run(make_prefixes(watch)), 3, clock)
        text = runner.run(page.render())
        ours = median_ms(lambda: runner.run(page.render()), turns, clock)
        block = runner.run(longest_block_ms(page))
        packed = len(runner.run(page.fresh()).packed)
    children = with_children(watch)
    usual = median_ms(lambda: generate_latest(children), 3, clock)
    registry = CollectorRegistry()
    registry.register(Fresh(watch))
    fresh = median_ms(lambda: generate_latest(registry), 3, clock)
    series = sum(1 for line in text.splitlines() if not line.startswith(b"#"))
    theirs = sum(1 for line in generate_latest(children).splitlines() if not line.startswith(b"#"))
    if series != theirs:
        raise AssertionError(f"not the same series: {series} against {theirs}")
    return {
        "name": "rooms_page", "rooms": rooms, "series": series, "bytes": len(text), "gzip_bytes": packed,
        "ours_ms": round(ours, 2), "generate_latest_ms": round(usual, 1), "ratio": round(usual / ours, 1),
        "custom_collector_ms": round(fresh, 1), "custom_collector_ratio": round(fresh / ours, 1),
        "roster_change_ms": round(first, 1), "longest_block_ms": round(block, 2),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure()))
