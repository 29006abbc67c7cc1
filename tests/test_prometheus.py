"""Prometheus' and Alertmanager's files are judged by their own tools; a tool that is missing fails."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from monitor.http.metrics import BOOK_FAMILIES
from monitor.http.rooms_page import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
PROMETHEUS = ROOT / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
ROOMS_MAX = 20_000  # the cap of the roster, unless told otherwise
METRICS = "\n".join(
    [path.read_text() for path in (ROOT / "monitor" / "http").glob("*.py")]
    + [f"livemon_{name}_total" for name in BOOK_FAMILIES]
)


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)


def alerts() -> list[dict[str, Any]]:
    return [
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def config() -> dict[str, Any]:
    return dict(yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text()))


def test_promtool_accepts_the_configuration_and_the_rules():
    for command in (
        ("promtool", "check", "config", PROMETHEUS / "prometheus.yml"),
        ("promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES),
    ):
        done = run(*command)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", sorted((PROMETHEUS / "rules" / "tests").glob("*.yml")), ids=lambda path: path.stem)
def test_rules_fire_and_hold_their_peace_as_their_tests_say(case: Path):
    done = run("promtool", "test", "rules", case.name, cwd=case.parent)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        pytest.param("rooms", "livemon_room_state == 2", "livemon_room_state >= 2", id="blind taken for down"),
        pytest.param(
            *("rooms", '(livemon_room_info{tier="1"} or livemon_room_expected == 1)', "livemon_room_info"),
            id="every room",
        ),
        pytest.param("rooms", "keep_firing_for: 30s", "keep_firing_for: 0s", id="flapping"),
        pytest.param("rooms", "for: 10s", "for: 0s", id="a blip of a feed"),
        pytest.param("rooms", 'or absent(up{job="livemon-rooms"})', "", id="a job that is not there"),
        pytest.param("sales", "sale|frame", "sale", id="unreadable deliveries"),
        pytest.param("sales", "> 0.01 *", "> 0.001 *", id="a blip of ticks"),
        pytest.param("sales", "[5m])) > 2", "[5m])) > 0", id="a stray request"),
        pytest.param("sales", "unless on (feed)", "and on (feed)", id="all refused"),
        pytest.param("sales", "bad_signature|stale|", "bad_signature|stale|slow|not_found|", id="not a refusal"),
        pytest.param("accounts", "increase(livemon_push_missed_total[5m])", "livemon_push_missed_total", id="long ago"),
        pytest.param("accounts", 'state="refused"', 'state=~"refused|missing"', id="never linked"),
        pytest.param("accounts", "for: 15m", "for: 0s", id="expiring for a moment"),
    ],
)
def test_the_rules_tests_notice_a_planted_bug(tmp_path: Path, name: str, right: str, wrong: str):
    shutil.copytree(PROMETHEUS / "rules", tmp_path / "rules")
    rules = tmp_path / "rules" / f"{name}.yml"
    assert right in rules.read_text()
    rules.write_text(rules.read_text().replace(right, wrong))
    done = run("promtool", "test", "rules", f"{name}_test.yml", cwd=tmp_path / "rules" / "tests")
    assert done.returncode == 1
    assert "FAILED" in done.stdout + done.stderr


def test_every_alert_has_a_test_a_runbook_and_words():
    tests = "\n".join(path.read_text() for path in (PROMETHEUS / "rules" / "tests").glob("*.yml"))
    for rule in alerts():
        name = rule["alert"]
        assert name.startswith("Livemon")
        assert f"alertname: {name}\n" in tests
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert "for" in rule
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook"}
        assert "$" not in notes["summary"]  # short, and the same for all rooms of one message
        page = ROOT / notes["runbook"]
        assert page.stem == name
        assert page.read_text().startswith(f"# {name}")
        assert not re.search(r"\$(value|labels)", str(rule["labels"]))


def test_every_runbook_has_its_alert():
    assert {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} == {rule["alert"] for rule in alerts()}


def test_rules_ask_only_for_metrics_there_are_and_suit_prometheus_2():
    for rule in alerts():
        promql_parser.parse(rule["expr"])
        assert not {name for name in re.findall(r"\blivemon_\w+", rule["expr"]) if name not in METRICS}
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            assert set(group) <= {"name", "interval", "rules"}  # no group labels, no limit: it silences all


def test_both_pages_are_scraped_every_five_seconds_within_limits():
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


def test_alertmanager_accepts_its_configuration_and_never_groups_by_room():
    done = run("amtool", "check-config", PROMETHEUS / "alertmanager.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    routes = run(
        "amtool", "config", "routes", "test", f"--config.file={PROMETHEUS / 'alertmanager.yml'}", "alertname=X"
    )
    assert routes.stdout.strip() == "screen"
    route = yaml.safe_load((PROMETHEUS / "alertmanager.yml").read_text())["route"]
    assert route["group_by"] == ["alertname", "platform", "hall"]
