"""Alert rules are judged by promtool: they are valid, whole, and fire and hold their peace as their tests say."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from monitor.alerts.runbooks import SHARED
from monitor.http.metrics import BOOK_FAMILIES
from tests.alerts.rules import storms

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = sorted((PROMETHEUS / "rules" / "tests").glob("*.yml"))
NAMES = """
    LivemonPlatformOutage LivemonHallOutage LivemonFeedBlind LivemonFeedStale LivemonFeedFrozen LivemonFeedRefused
    LivemonRoomDropped LivemonRoomsDroppedMany LivemonRoomLost LivemonRoomNotStarted LivemonViewersCollapsed
    LivemonSalesStalled LivemonPushMissed LivemonAccountsRefused LivemonAccountsExpiring LivemonWriterBlocked
    LivemonSpoolGrowing LivemonSpoolFull LivemonBooksDoNotBalance LivemonQuarantine LivemonPartitionMissing
    LivemonHookAuthFailures LivemonLoopLag LivemonTargetMissing LivemonScrapeNearLimit LivemonDiskSlow LivemonClockSkew
    LivemonWatchdog LivemonDeliveryFailing
""".split()
TOLERATED = {"livemon_room_end_near", "livemon_spool_bytes_max"}
"""Asked for in a way that works without them: a process of an older release does not tell them."""


NEXT = ROOT / ".tools" / "prometheus3" / "promtool"  # tests/prometheus3.sh


@pytest.fixture(params=["promtool", str(NEXT)], ids=["Prometheus 2", "Prometheus 3"])
def program(request: pytest.FixtureRequest) -> str:
    """The rules are for both."""
    if request.param == str(NEXT) and not NEXT.exists() and os.environ.get("CI") != "true":
        pytest.skip("bash tests/prometheus3.sh fetches it")
    return str(request.param)


def promtool(*command: str | Path, cwd: Path = ROOT, program: str = "promtool") -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *map(str, command)], cwd=cwd, capture_output=True, text=True)


def rules_of(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for path in RULES for rule in rules_of(path) if "alert" in rule]


@cache
def cases() -> list[dict[str, Any]]:
    texts = [*(path.read_text() for path in TESTS), storms.written()]
    return [case for text in texts for case in yaml.safe_load(text)["tests"]]


def test_the_two_are_not_one() -> None:
    versions = [promtool("--version", program=each).stdout for each in ("promtool", str(NEXT)) if shutil.which(each)]
    assert len(versions) == len({re.findall(r"version (\d+)", version)[0] for version in versions})


def test_promtool_has_nothing_to_say_of_the_rules(program: str) -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", *RULES, program=program)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", TESTS, ids=lambda path: path.stem)
def test_rules_fire_and_hold_their_peace_as_their_tests_say(case: Path, program: str) -> None:
    done = promtool("test", "rules", case.name, cwd=case.parent, program=program)
    assert done.returncode == 0, done.stdout + done.stderr


def test_storms_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "storms.yml").write_text(storms.written().replace("../", f"{PROMETHEUS}/rules/"))
    done = promtool("test", "rules", "storms.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_configuration(program: str) -> None:
    done = promtool("check", "config", PROMETHEUS / "prometheus.yml", program=program)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_name_of_the_contract_has_its_rule_and_there_is_no_other() -> None:
    assert {rule["alert"] for rule in alerts()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_test_of_what_it_says_and_one_in_which_it_is_silent(name: str) -> None:
    said = [one for case in cases() for one in case.get("alert_rule_test", ()) if one["alertname"] == name]
    assert any(one["exp_alerts"] for one in said)
    asked = [one for case in cases() for one in case.get("promql_expr_test", ())]
    assert (
        name == "LivemonWatchdog"
        or any(not one["exp_alerts"] for one in said)
        or any(not one["exp_samples"] for one in asked if name in one["expr"])
    )


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: f"{rule['alert']} {rule['labels']['severity']}")
def test_every_alert_has_words_in_two_languages_and_a_runbook(rule: dict[str, Any]) -> None:
    assert set(rule["labels"]) == {"severity"}
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "summary_en", "description_en", "runbook"}
    for name in ("summary", "summary_en"):
        assert "$" not in notes[name]  # short, and the same for all rooms of one message
    for name in ("summary", "description"):
        assert re.search("[\u4e00-\u9fff]", notes[name])
        assert not re.search("[\u4e00-\u9fff]", notes[f"{name}_en"])
    assert labels_in(notes["description"]) == labels_in(notes["description_en"])
    assert "increase(" not in str(notes)
    assert notes["runbook"] == f"docs/runbooks/{SHARED.get(rule['alert'], rule['alert'])}.md"


def labels_in(text: str) -> set[str]:
    return set(re.findall(r"\$(?:labels\.(\w+)|value)", text)) - {""}


def test_every_alert_waits_or_is_kept_but_for_the_heartbeat() -> None:
    bare = {rule["alert"] for rule in alerts() if not {"for", "keep_firing_for"} & set(rule)}
    assert bare == {"LivemonWatchdog"}


def test_outages_are_in_the_group_of_their_rooms_before_them_and_never_wait_longer() -> None:
    names = [(rule.get("alert"), rule.get("for", "0s")) for rule in rules_of(PROMETHEUS / "rules" / "rooms.yml")]
    told = [(name, waits) for name, waits in names if name]
    assert [name for name, _ in told[:4]] == [
        "LivemonPlatformOutage", "LivemonHallOutage", "LivemonRoomsDroppedMany", "LivemonRoomsDroppedMany",
    ]  # fmt: skip
    assert {waits for _, waits in told[:4]} == {"0s"}
    assert {waits for _, waits in told[4:]} == {"5s"}


def test_every_runbook_is_of_an_alert_and_has_its_five_parts() -> None:
    pages = {SHARED.get(name, name) for name in NAMES}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == pages
    for page in pages:
        text = (RUNBOOKS / f"{page}.md").read_text()
        assert text.startswith(f"# {page}: ")
        for part in (
            "含义 Meaning",
            "先看 First look",
            "常见原因 Likely causes",
            "处置 What to do",
            "何时消失 When it clears",
        ):
            assert f"**{part}.**" in text, (page, part)


def test_what_a_runbook_sends_people_to_is_there() -> None:
    for page in RUNBOOKS.glob("*.md"):
        text = page.read_text()
        for question in re.findall(r"sql/queries/\w+\.sql", text):
            assert (ROOT / question).exists(), (page.name, question)
        for name in re.findall(r"\bLivemon[A-Z]\w+", text):
            assert name in {*NAMES, *SHARED.values()}, (page.name, name)


def test_rules_ask_only_for_metrics_there_are_and_suit_prometheus_2() -> None:
    told = "\n".join(path.read_text() for path in (ROOT / "monitor").rglob("*.py"))
    told += "\n".join(f"livemon_{name}_total" for name in BOOK_FAMILIES)
    for path in RULES:
        for rule in rules_of(path):
            promql_parser.parse(rule["expr"])
            asked = set(re.findall(r"(?<!:)\blivemon_\w+\b(?!:)", rule["expr"]))
            asked = {re.sub("_bucket$", "", name) for name in asked}
            assert not {name for name in asked if name not in told} - TOLERATED - {"livemon_deliveries_failed_total"}
        for group in yaml.safe_load(path.read_text())["groups"]:
            assert set(group) <= {"name", "interval", "rules"}  # no group labels; no limit, it silences all


def test_limits_of_scrapes_in_the_rules_are_those_of_the_configuration() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    text = (PROMETHEUS / "rules" / "watch.yml").read_text()
    for name in ("livemon", "livemon-rooms"):
        assert f'scrape_samples_scraped{{job="{name}"}} / {jobs[name]["sample_limit"]}\n' in text
    assert f"/ {config['global']['scrape_timeout'].removesuffix('s')}," in text
    for name in jobs:
        assert f'absent(up{{job="{name}"}})' in text
