"""/metrics: the names and labels that alerts and boards rely on, each with its number."""

import subprocess
from datetime import timedelta

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from collectors.tick import Tick
from monitor.facts import RosterRoom
from monitor.http.metrics import Metrics
from monitor.http.outcome import OUTCOMES
from monitor.http.sources import Sources, WriterSight
from tests.http.stand_in import (
    NOW,
    StillBook,
    StillFrames,
    StillHooks,
    StillRow,
    StillStanding,
    still_sources,
    still_watch,
)

Labels = tuple[tuple[str, str], ...]

OF_THE_CONTRACT = {
    "livemon_rooms": ("platform", "state"),
    "livemon_rooms_covered": ("platform", "signal"),
    "livemon_rooms_unlisted": ("feed",),
    "livemon_rooms_expected": ("platform",),
    "livemon_viewers": ("platform",),
    "livemon_orders_total": ("platform",),
    "livemon_sales_minor_total": ("currency", "platform"),
    "livemon_sale_lag_seconds_bucket": ("le", "platform"),
    "livemon_feed_up": ("feed", "hall", "platform"),
    "livemon_feed_messages_total": ("feed",),
    "livemon_feed_failures_total": ("feed", "reason"),
    "livemon_feed_last_message_timestamp_seconds": ("feed",),
    "livemon_feed_poll_duration_seconds_bucket": ("feed", "le"),
    "livemon_feed_state": ("feed", "state"),
    "livemon_received_total": ("kind",),
    "livemon_written_total": ("kind",),
    "livemon_quarantined_total": ("kind",),
    "livemon_shed_total": ("kind",),
    "livemon_duplicates_total": ("kind",),
    "livemon_reoffered_total": ("kind",),
    "livemon_lost_total": ("kind",),
    "livemon_spooled": ("kind",),
    "livemon_books_difference": ("kind",),
    "livemon_spool_bytes": (),
    "livemon_spool_oldest_timestamp_seconds": (),
    "livemon_write_duration_seconds_bucket": ("le",),
    "livemon_batches_unknown_resolved_total": ("outcome",),
    "livemon_fsync_duration_seconds_bucket": ("le",),
    "livemon_clock_skew_seconds": (),
    "livemon_partitions_ready_until_timestamp_seconds": (),
    "livemon_rollup_lag_seconds": (),
    "livemon_writer_blocked_since_timestamp_seconds": (),
    "livemon_loop_lag_seconds": (),
    "livemon_build_info": ("python", "version"),
    "process_cpu_seconds_total": (),
    "process_open_fds": (),
    "process_resident_memory_bytes": (),
}


def metrics_of(sources: Sources) -> Metrics:
    metrics = Metrics(sources, "0.1.0")
    metrics.feeds_are(sources.watch().feeds)
    metrics.platforms_are({room.platform for room in sources.watch().rooms}, "CNY")
    return metrics


def numbers(metrics: Metrics) -> dict[tuple[str, Labels], float]:
    found = {}
    for family in text_string_to_metric_families(generate_latest(metrics.registry).decode()):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def rows(count: int, hall: str = "A") -> list[RosterRoom]:
    return [RosterRoom(number + 1, "nginx_rtmp", f"live/{number}", hall=hall) for number in range(count)]


def test_every_name_of_the_contract_is_there_from_the_start_with_its_labels() -> None:
    labels = {
        name: tuple(key for key, _ in pairs) for name, pairs in numbers(metrics_of(still_sources(still_watch(rows(1)))))
    }
    missing = {name: wanted for name, wanted in OF_THE_CONTRACT.items() if labels.get(name) != wanted}
    assert not missing
    assert not [name for name in labels if name.endswith("_created")]


def test_promtool_has_nothing_to_say() -> None:
    page = generate_latest(metrics_of(still_sources(still_watch(rows(3)))).registry)
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_looks_at_rooms_are_counted_by_feed_and_outcome() -> None:
    looks = {("hall-a", "nothing"): 2, ("hall-a", "shed"): 0}
    found = numbers(metrics_of(still_sources(still_watch(rows(1)), probes=lambda: looks)))
    shown = {pairs: value for (name, pairs), value in found.items() if name == "livemon_probes_total"}
    assert shown == {(("feed", feed), ("outcome", outcome)): count for (feed, outcome), count in looks.items()}


def test_failure_reasons_and_outcomes_are_there_before_they_happen() -> None:
    found = numbers(metrics_of(still_sources(still_watch(rows(1)))))
    reasons = {dict(pairs)["reason"] for name, pairs in found if name == "livemon_feed_failures_total"}
    assert {"connect", "timeout", "bad_frame", "silence", "refused", "unknown"} <= reasons
    outcomes = {dict(pairs)["outcome"] for name, pairs in found if name == "livemon_batches_unknown_resolved_total"}
    assert outcomes == {"committed", "absent"}


def test_rooms_are_summed_by_platform_and_state_with_zeros() -> None:
    watch = still_watch([*rows(3), RosterRoom(9, "wechat", "w1")])
    ticks = [
        Tick("hall-a", "live/0", NOW, "status", live=True, viewers=40),
        Tick("hall-a", "live/1", NOW, "status", live=True, viewers=2),
    ]
    watch.hear("hall-a", NOW, ticks, NOW)
    found = numbers(metrics_of(still_sources(watch)))
    shown = {
        dict(p)["state"]: v
        for (n, p), v in found.items()
        if n == "livemon_rooms" and dict(p)["platform"] == "nginx_rtmp"
    }
    assert shown == {"offline": 0, "live": 2, "dropped": 0, "blind": 1, "lost": 0, "unwatched": 0}
    assert found["livemon_rooms", (("platform", "wechat"), ("state", "unwatched"))] == 1
    assert found["livemon_viewers", (("platform", "nginx_rtmp"),)] == 42
    assert found["livemon_viewers", (("platform", "wechat"),)] == 0


def test_a_room_is_covered_once_however_many_feeds_list_it() -> None:
    feeds = [StillRow(name="a"), StillRow(name="relay", viewers=False), StillRow(name="one", rooms=["live/0"])]
    found = numbers(metrics_of(still_sources(still_watch(rows(3), feeds))))
    assert found["livemon_rooms_covered", (("platform", "nginx_rtmp"), ("signal", "live"))] == 3
    assert found["livemon_rooms_covered", (("platform", "nginx_rtmp"), ("signal", "viewers"))] == 3
    assert found["livemon_rooms_covered", (("platform", "nginx_rtmp"), ("signal", "sales"))] == 0
    found = numbers(metrics_of(still_sources(still_watch(rows(3), feeds[1:]))))
    assert found["livemon_rooms_covered", (("platform", "nginx_rtmp"), ("signal", "viewers"))] == 1


def test_a_feed_is_up_while_it_can_be_seen() -> None:
    watch = still_watch(rows(1), [StillRow(name="hall-a", hall="A"), StillHooks(name="hooks")])
    metrics = metrics_of(still_sources(watch))
    up = ("livemon_feed_up", (("feed", "hall-a"), ("hall", "A"), ("platform", "nginx_rtmp")))
    hooks = ("livemon_feed_up", (("feed", "hooks"), ("hall", ""), ("platform", "nginx_rtmp")))
    assert (numbers(metrics)[up], numbers(metrics)[hooks]) == (0, 1)
    watch.hear("hall-a", NOW, [], NOW)
    assert numbers(metrics)[up] == 1
    watch.fail("hall-a", "connect", NOW)
    assert numbers(metrics)[up] == 1
    watch.fail("hall-a", "connect", NOW + timedelta(seconds=5))
    found = numbers(metrics)
    assert found[up] == 0
    assert found["livemon_feed_state", (("feed", "hall-a"), ("state", "blind"))] == 1
    assert found["livemon_feed_state", (("feed", "hall-a"), ("state", "ok"))] == 0
    watch.refuse("hall-a", "bad key", NOW)
    assert numbers(metrics)["livemon_feed_state", (("feed", "hall-a"), ("state", "refused"))] == 1
    assert found["livemon_feed_last_message_timestamp_seconds", (("feed", "hall-a"),)] == NOW.timestamp()


def test_a_hundred_thousand_strange_rooms_are_one_number() -> None:
    """J35: they are counted, and none becomes a label."""
    watch = still_watch(rows(1))
    ticks = [Tick("hall-a", f"stranger{number}", NOW, "status", live=True) for number in range(100_000)]
    metrics = metrics_of(still_sources(watch))
    before = len(generate_latest(metrics.registry).splitlines())
    watch.hear("hall-a", NOW, ticks, NOW)
    assert numbers(metrics)["livemon_rooms_unlisted", (("feed", "hall-a"),)] == 100_000
    assert len(generate_latest(metrics.registry).splitlines()) == before


def test_the_books_are_shown_to_the_unit() -> None:
    book = StillBook(received=100, written=80, duplicates=5, quarantined=1, shed=2, spooled=11, reoffered=7, lost=3)
    standing = StillStanding({"tick": book}, 4, 2048, 1763900000.5)
    blocked = WriterSight(False, NOW, "disk full", NOW + timedelta(days=2))
    sources = still_sources(still_watch([]), standing=lambda: standing, writer=lambda: blocked)
    found = {
        name: value
        for (name, pairs), value in numbers(metrics_of(sources)).items()
        if pairs in ((), (("kind", "tick"),))
    }
    shown = {name.removeprefix("livemon_"): value for name, value in found.items()}
    for column in ("received", "written", "duplicates", "quarantined", "shed", "reoffered", "lost"):
        assert shown[f"{column}_total"] == getattr(book, column)
    assert (shown["spooled"], shown["books_difference"]) == (11, 1)
    assert (shown["spool_bytes"], shown["spool_oldest_timestamp_seconds"]) == (2048, 1763900000.5)
    assert shown["writer_blocked_since_timestamp_seconds"] == NOW.timestamp()
    assert shown["partitions_ready_until_timestamp_seconds"] == NOW.timestamp() + 2 * 86_400


def test_deliveries_that_are_not_rows_yet_are_counted_by_feed_and_aged() -> None:
    standing = StillStanding(frames={"shop": StillFrames(3, 40, 1763900000.5)})
    watch = still_watch([], [StillHooks(name="hooks"), StillRow(name="hall-a")])
    found = numbers(metrics_of(still_sources(watch, standing=lambda: standing)))
    kept = {labels: value for (name, labels), value in found.items() if name == "livemon_frames_spooled"}
    assert {tuple(value for _, value in labels): number for labels, number in kept.items()} == {
        ("shop", "waiting"): 3, ("shop", "pending"): 40, ("hooks", "waiting"): 0, ("hooks", "pending"): 0,
    }  # fmt: skip
    assert found["livemon_frames_oldest_timestamp_seconds", (("feed", "shop"),)] == 1763900000.5
    assert found["livemon_frames_oldest_timestamp_seconds", (("feed", "hooks"),)] == 0


def test_only_paid_orders_are_sales() -> None:
    metrics = metrics_of(still_sources(still_watch(rows(1))))
    cny = ("livemon_sales_minor_total", (("currency", "CNY"), ("platform", "nginx_rtmp")))
    assert numbers(metrics)[cny] == 0
    for kind in ("created", "paid", "refunded", "cancelled", "gift"):
        metrics.sold("nginx_rtmp", kind, 990, "CNY", 2.0)
    metrics.sold("nginx_rtmp", "paid", 100, "USD", -3.0)
    found = numbers(metrics)
    assert found[cny] == 990
    assert found["livemon_sales_minor_total", (("currency", "USD"), ("platform", "nginx_rtmp"))] == 100
    assert found["livemon_orders_total", (("platform", "nginx_rtmp"),)] == 2
    lag = (("platform", "nginx_rtmp"),)
    assert found["livemon_sale_lag_seconds_count", lag] == 6  # a refund that comes late is late, too
    assert found["livemon_sale_lag_seconds_sum", lag] == 10.0  # no clock that is ahead makes the others look faster


def test_a_feed_taken_out_of_the_config_takes_its_series_along() -> None:
    metrics = metrics_of(still_sources(still_watch(rows(1))))
    metrics.feed_messages.labels("hall-a").inc(3)
    metrics.feeds_are(["hall-b"])
    feeds = {dict(pairs)["feed"] for name, pairs in numbers(metrics) if name.startswith("livemon_feed_m")}
    assert feeds == {"hall-b"}
    metrics.feeds_are(["hall-b"])


def test_every_outcome_of_a_hook_is_there_from_the_start_and_goes_with_it() -> None:
    metrics = metrics_of(still_sources(still_watch([])))
    metrics.hooks_are(["shop", "抖店"])
    metrics.hook_requests.labels("shop", "accepted").inc()
    metrics.hooks_are(["shop"])
    found = {pairs: value for (name, pairs), value in numbers(metrics).items() if name == "livemon_hook_requests_total"}
    named = {outcome: found[("feed", "shop"), ("outcome", outcome)] for outcome in OUTCOMES}
    assert named == dict.fromkeys(OUTCOMES, 0) | {"accepted": 1}
    assert set(found) - {(("feed", "shop"), ("outcome", outcome)) for outcome in OUTCOMES} == {
        (("feed", ""), ("outcome", "not_found"))
    }


def test_hostile_platforms_and_halls_break_nothing() -> None:
    hostile = 'x\ud800"\\\n# HELP y'
    watch = still_watch([RosterRoom(1, hostile, "r")], [StillRow(name="f", platform=hostile, hall=hostile)])
    found = numbers(metrics_of(still_sources(watch)))
    assert len([name for name, _ in found if name == "livemon_viewers"]) == 1
