"""prometheus.yml is judged by promtool; rules and routes are judged in tests/alerts/test_rules*.py."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from monitor.http.rooms_page import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
PROMETHEUS = ROOT / "prometheus"
ROOMS_MAX = 20_000  # the cap of the roster, unless told otherwise


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)


def config() -> dict[str, Any]:
    return dict(yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text()))


def test_promtool_accepts_the_configuration() -> None:
    done = run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


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
