"""What prometheus.yml scrapes; promtool judges it with the rules, in tests/alerts/test_rules.py."""

from pathlib import Path
from typing import Any

import yaml

from monitor.http.rooms_page import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
PROMETHEUS = ROOT / "prometheus"
ROOMS_MAX = 20_000  # the cap of the roster, unless told otherwise


def config() -> dict[str, Any]:
    return dict(yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text()))


def test_both_pages_are_scraped_every_five_seconds_within_limits() -> None:
    jobs = {job["job_name"]: job for job in config()["scrape_configs"]}
    assert jobs["livemon"]["metrics_path"] == "/metrics"
    assert jobs["livemon-rooms"]["metrics_path"] == "/metrics/rooms"
    assert {"prometheus", "alertmanager"} <= set(jobs)
    assert config()["global"]["scrape_interval"] == "5s"
    assert config()["global"]["evaluation_interval"] == "5s"
    for name in ("livemon", "livemon-rooms"):
        assert "scrape_interval" not in jobs[name]
        assert jobs[name]["label_value_length_limit"]
        assert jobs[name]["body_size_limit"]
    assert jobs["livemon-rooms"]["sample_limit"] >= ROOMS_MAX * (len(FAMILIES) + 1)  # and livemon_room_info
