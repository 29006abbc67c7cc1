"""Each of these mistakes in a rule is noticed by promtool's tests of it."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.alerts.rules import storms

RULES = Path(__file__).resolve().parents[2] / "prometheus" / "rules"


class Bug(NamedTuple):
    """In this file `right` is replaced by `wrong`; `storm`: which of them shall notice (else the file's own tests)."""

    file: str
    what: str
    right: str
    wrong: str
    storm: str = ""


COUNT_A = "platform_hall:livemon_rooms_down:count"
ROOMS = (
    Bug("rooms", "blind is down", "livemon_room_state == 2", "livemon_room_state >= 2"),
    Bug("rooms", "blind is lost", "livemon_room_state == 4", "livemon_room_state >= 3"),
    Bug("rooms", "blind is an outage", "livemon_room_state == 2", "livemon_room_state != 1", "nobody can see"),
    Bug("rooms", "all live", "livemon_room_state == 1", "livemon_room_state == 0", "three in ten"),
    Bug("rooms", "a sign-off", " unless on (platform, room) (livemon_room_end_near == 1)", "", "planned sign-offs"),
    Bug("rooms", "a sign-off pages", " unless on (platform, room) (livemon_room_end_near == 1)", ""),
    Bug(
        *("rooms", "lost and expected is over"),
        "or (room:livemon_room_lost:max and on (platform, room) (livemon_room_expected == 1))",
        *("", "lost while expected"),
    ),
    Bug("rooms", "lost for ever", "room:livemon_room_lost:max offset 1h", "livemon_room_expected > 1", "hour later"),
    Bug("rooms", "lost is over", "offset 1h", "offset 0s", "hour later"),
    Bug("rooms", "less of a platform", ") > 0.3", ") > 0.29", "three in ten"),
    Bug("rooms", "more of a platform", ") > 0.3", ") > 0.6", "21 of 40"),
    Bug("rooms", "a small platform", "count) >= 20", "count) >= 19", "three in ten"),
    Bug("rooms", "a large platform", "count) >= 20", "count) >= 21", "none is live"),
    Bug("rooms", "none is live", "or 0 * count by (platform, hall) (livemon_room_info)", "", "none is live"),
    Bug("rooms", "gone is not live", "(livemon_room_info)\n", f"(livemon_room_info)\n          or 0 * {COUNT_A}\n",
        "between two rules"),
    Bug("rooms", "halls are a platform",
        '\n          unless on (platform) last_over_time(livemon_feed_up{hall!=""}[15m])', "",
        "server dies"),
    Bug("rooms", "one scrape of feeds", 'last_over_time(livemon_feed_up{hall!=""}[15m])', 'livemon_feed_up{hall!=""}',
        "/metrics is not"),
    Bug("rooms", "outages end at once", "keep_firing_for: 1m", "keep_firing_for: 0s", "21 of 40"),
    Bug("rooms", "a restart is a recovery", "keep_firing_for: 1m", "keep_firing_for: 0s", "restarts"),
    Bug("rooms", "outages flap", "keep_firing_for: 1m", "keep_firing_for: 5s", "flaps is one"),
    Bug("rooms", "half a hall", ") > 0.5", ") >= 0.5", "nor is one half"),
    Bug("rooms", "a small hall", ":livemon_rooms_down:count >= 5", ":livemon_rooms_down:count >= 4", "nor is one half"),
    Bug("rooms", "any hall", '\n          and on (platform, hall) last_over_time(livemon_feed_up{hall!=""}[15m])', "",
        "hosted platform that sit"),
    Bug("rooms", "every hall",
        "and on (platform, hall) last_over", "and on (platform) last_over", "hosted platform that sit"),
    Bug("rooms", "29 are very many", "count >= 30", "count >= 29", "29 of a hundred"),
    Bug("rooms", "one in five", ") > 0.2\n", ") >= 0.2\n", "29 of a hundred"),
    Bug("rooms", "thirty are few", "count >= 30", "count > 30", "thirty of"),
    Bug("rooms", "nine are many", "count >= 10", "count >= 9", "nine are not"),
    Bug("rooms", "one in ten", ") > 0.1\n", ") >= 0.1\n", "nine are not"),
    Bug("rooms", "ten are few", "count >= 10", "count > 10", "ten of sixty"),
    Bug("rooms", "lost is dropped", "count by (platform, hall) (room:livemon_room_stopped:max)",
        "count by (platform, hall) (room:livemon_room_down:max)", "not dropped any more"),
    Bug("rooms", "halls are one", "count by (platform, hall) (room:livemon_room_down:max)",
        "count by (platform) (room:livemon_room_down:max)", "server dies"),
    Bug("rooms", "every tier", 'stopped:max{tier="1"} == 1', "stopped:max == 1"),
    Bug("rooms", "unplanned",
        '{tier!="1"} == 1 and on (platform, room) (livemon_room_expected == 1))', '{tier!="1"} == 1)'),
    Bug("rooms", "tier 1 near its end", "or 2 * (room:livemon_room_dropped:max", "or 2 * (room:livemon_room_lost:max"),
    Bug("rooms", "a page near the end", "or 2 * (", "or 1 * ("),
    Bug("rooms", "flapping", "keep_firing_for: 30s", "keep_firing_for: 5s"),
    Bug("rooms", "a blip", "for: 5s\n", "for: 0s\n"),
    Bug("rooms", "instances", "max without (job, instance, category)", "max without (job)"),
    Bug("rooms", "lost of tier 1", 'lost:max{tier="1"} == 1', 'lost:max{tier="2"} == 1'),
    Bug("rooms", "lost and unplanned",
        'lost:max{tier!="1"} == 1\n          and on (platform, room) (livemon_room_expected == 1)',
        'lost:max{tier!="1"} == 1'),
)  # fmt: skip
OTHERS = (
    Bug("feeds", "blind is refused", 'state="refused"', 'state="blind"'),
    Bug("feeds", "up is not blind", 'state="blind"} == 1))', 'state="blind"} == 0))'),
    Bug("feeds", "a blip", "for: 10s", "for: 5s"),
    Bug("feeds", "late is blind", "          unless on (feed) feed:livemon_feed_late:max\n", ""),
    Bug("feeds", "one failure", "[15m])) > 1", "[15m])) > 0"),
    Bug("feeds", "one failure is two", "[15m])) > 1.5", "[15m])) > 1"),
    Bug("feeds", "failures do not count", "          unless on (feed) feed:livemon_feed_failing:sum\n", ""),
    Bug("feeds", "all blind are late", " and on (feed) livemon_push_missed_total", ""),
    Bug("feeds", "frozen", 'state="frozen"} == 1', 'state=~"frozen|stale"} == 1'),
    Bug("feeds", "stale", 'state="stale"} == 1', 'state=~"frozen|stale"} == 1'),
    Bug("feeds", "stale for a moment", "for: 15s", "for: 5s"),
    Bug("feeds", "long ago", "increase(livemon_push_missed_total[5m])", "livemon_push_missed_total"),
    Bug("feeds", "late is over after five minutes", "              or feed:livemon_feed_late:max\n", ""),
    Bug("feeds", "refused misses, too", 'state=~"refused|blind"', 'state="blind"'),
    Bug("plan", "blind has not started", "(livemon_room_state == 0)", "(livemon_room_state != 1)"),
    Bug("plan", "unplanned", "            and on (platform, room) (livemon_room_expected == 1)\n", ""),
    Bug("plan", "who left", "          unless on (platform, room) room:livemon_room_came:max\n", ""),
    Bug("plan", "a restart forgets", "last_over_time(room:livemon_room_came:max[10m])", "room:livemon_room_came:max"),
    Bug("plan", "the slot before", "[10m])\n          )", "[50m])\n          )"),
    Bug("plan", "dropped never came", "            or livemon_room_state == 2\n", ""),
    Bug("plan", "lost never came", "            or livemon_room_state == 4\n", ""),
    Bug("plan", "at once", "for: 5m", "for: 4m"),
    Bug("plan", "a third", "< 0.3 *", "<= 0.3 *"),
    Bug("plan", "a fifth", "< 0.3 *", "< 0.2 *"),
    Bug("plan", "small rooms", ">= 200", ">= 199"),
    Bug("plan", "offline has no viewers",
        "            and on (platform, room) (livemon_room_state == 1)\n          ) == 1\n          unless",
        "          ) == 1\n          unless"),
    Bug("plan", "near its end", "          unless on (platform, room) (livemon_room_end_near == 1)\n", ""),
    Bug("plan", "a moment", "for: 2m", "for: 1m"),
    Bug("plan", "twenty minutes", "livemon_room_orders_total[10m]", "livemon_room_orders_total[20m]"),
    Bug("plan", "few orders", "offset 20m >= 10", "offset 20m >= 0"),
    Bug("plan", "few orders of late", "offset 10m >= 10", "offset 10m >= 0"),
    Bug("plan", "slow rooms", ">= 10)", ">= 9)"),
    Bug("plan", "some orders", "increase10m == 0", "increase10m < 25"),
    Bug("plan", "nothing is written",
        "          and on (platform) (sum by (platform) (room:livemon_room_orders:increase10m) > 0)\n", ""),
    Bug("sales", "unreadable deliveries", "sale|frame", "sale"),
    Bug("sales", "all kinds", 'kind=~"sale|frame"', 'kind=~".+"'),
    Bug("sales", "a blip of ticks", "> 0.01 *", "> 0.001 *"),
    Bug("sales", "a stray request", "[5m])) > 2", "[5m])) > 0"),
    Bug("sales", "all refused", "unless on (feed)", "and on (feed)"),
    Bug("sales", "some refused", "[5m])) > 10", "[5m])) > 3"),
    Bug("sales", "not a refusal", "bad_signature|stale|", "bad_signature|stale|slow|not_found|"),
    Bug("accounts", "never linked", 'state="refused"', 'state=~"refused|missing"'),
    Bug("accounts", "refused for a moment", "for: 1m", "for: 0s"),
    Bug("accounts", "expiring for a moment", "for: 15m", "for: 5m"),
    Bug("accounts", "nobody expires", 'state="expiring"}) > 0', 'state="expiring"}) > 9'),
    Bug("pipeline", "a writer that writes",
        "blocked_since_timestamp_seconds) > 0", "blocked_since_timestamp_seconds) >= 0"),
    Bug("pipeline", "a writer that blinks", "for: 10s", "for: 0s"),
    Bug("pipeline", "a failed scrape ends it", "keep_firing_for: 30s", "keep_firing_for: 0s"),
    Bug("pipeline", "half full", "ratio > 0.5", "ratio >= 0.5"),
    Bug("pipeline", "six tenths", "ratio > 0.5", "ratio > 0.6"),
    Bug("pipeline", "two hours", "3600) > 1", "7200) > 1"),
    Bug("pipeline", "no pace", "3600) > 1", "3600) > 9"),
    Bug("pipeline", "next to nothing", " and livemon:livemon_spool_used:ratio > 0.02", ""),
    Bug("pipeline", "another default", "vector(8589934592)", "vector(17179869184)"),
    Bug("pipeline", "full", "ratio > 0.95", "ratio >= 0.95"),
    Bug("pipeline", "shed", "          or sum(increase(livemon_shed_total[2m])) > 0\n", ""),
    Bug("pipeline", "shed long ago", "increase(livemon_shed_total[2m])", "livemon_shed_total"),
    Bug("pipeline", "too few", "livemon_books_difference) != 0", "livemon_books_difference) > 0"),
    Bug("pipeline", "between two scrapes", "        for: 30s", "        for: 10s"),
    Bug("pipeline", "six hours", "< 43200", "< 21600"),
    Bug("pipeline", "a day", "< 43200", "< 86400"),
    Bug("pipeline", "nothing is known",
        "          max without (job, instance) (livemon_partitions_ready_until_timestamp_seconds) > 0\n          and ",
        "          "),
    Bug("pipeline", "four in a hundred", "histogram_quantile(0.95", "histogram_quantile(0.97"),
    Bug("pipeline", "half a second", "> 0.25", "> 0.5"),
    Bug("pipeline", "a late loop", "lag_seconds) > 1", "lag_seconds) > 2"),
    Bug("pipeline", "a loop in time", "lag_seconds) > 1", "lag_seconds) >= 0.01"),
    Bug("pipeline", "a clock that steps back", "max_over_time(abs(livemon_clock_skew_seconds)[15s:5s])",
        "max_over_time(livemon_clock_skew_seconds[15s:5s])"),
    Bug("pipeline", "a clock whose step one scrape saw", "max_over_time(abs(livemon_clock_skew_seconds)[15s:5s])",
        "abs(livemon_clock_skew_seconds)"),
    Bug("pipeline", "two seconds", "livemon_clock_skew_seconds)[15s:5s])) > 2",
        "livemon_clock_skew_seconds)[15s:5s])) >= 2"),
    Bug("pipeline", "over before anybody looks", "keep_firing_for: 5m", "keep_firing_for: 10s"),
    Bug("watch", "no heart", "vector(1)", "vector(1) > 1"),
    Bug("watch", "a failed scrape", "for: 15s", "for: 5s"),
    Bug("watch", "no rooms", 'or absent(up{job="livemon-rooms"})', ""),
    Bug("watch", "no livemon", 'or absent(up{job="livemon"})', ""),
    Bug("watch", "no alertmanager", 'or absent(up{job="alertmanager"})', ""),
    Bug("watch", "no prometheus", 'or absent(up{job="prometheus"})', ""),
    Bug("watch", "alertmanager is down", "livemon-rooms|prometheus|alertmanager", "livemon-rooms"),
    Bug("watch", "up is down", "== 0", "== 1"),
    Bug("watch", "another limit", "/ 20000", "/ 19999"),
    Bug("watch", "another limit of rooms", "/ 300000", "/ 310000"),
    Bug("watch", "at the limit", ") > 0.8", ") >= 0.8"),
    Bug("watch", "time is no matter",
        '          or label_replace(scrape_duration_seconds{job=~"livemon|livemon-rooms"} / 4, "of", "time", "", "")\n',
        ""),
    Bug("watch", "failed long ago", "increase(livemon_deliveries_failed_total[5m])", "livemon_deliveries_failed_total"),
    Bug("watch", "failures are fine",
        "livemon_deliveries_failed_total[5m])) > 0", "livemon_deliveries_failed_total[5m])) > 5"),
)  # fmt: skip


def plant(bug: Bug, folder: Path) -> Path:
    shutil.copytree(RULES, folder / "rules")
    rules = folder / "rules" / f"{bug.file}.yml"
    text = rules.read_text()
    assert bug.right in text
    rules.write_text(text.replace(bug.right, bug.wrong))
    return folder / "rules" / "tests"


def rule_of(bug: Bug) -> str:
    """The alert, or the recorded sum, in which it is planted."""
    text = (RULES / f"{bug.file}.yml").read_text()
    return re.findall(r"- (?:alert|record): (\S+)", text[: text.index(bug.right)] + bug.right)[-1]


@pytest.mark.parametrize("bug", [*ROOMS, *OTHERS], ids=lambda bug: f"{bug.file}: {bug.what}")
def test_a_planted_bug_is_noticed(bug: Bug, tmp_path: Path) -> None:
    tests = plant(bug, tmp_path)
    name = f"{bug.file}_test.yml"
    if bug.storm:
        name = "storms_test.yml"
        (tests / name).write_text(storms.written())
    whole = yaml.safe_load((tests / name).read_text())
    # Those that speak of the rule first: all of them take promtool most of a second.
    about = [case for case in whole["tests"] if (bug.storm in case["name"] if bug.storm else rule_of(bug) in str(case))]
    for cases in (about, [] if bug.storm else whole["tests"]):
        (tests / name).write_text(yaml.safe_dump(whole | {"tests": cases}, allow_unicode=True, sort_keys=False))
        command = ["nice", "promtool", "test", "rules", name]  # a hundred of them: tests that time something go first
        done = subprocess.run(command, cwd=tests, capture_output=True, text=True)
        if done.returncode:
            break
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout + done.stderr
    assert "exp" in done.stdout + done.stderr  # by what was expected, not as the file could not be read


def test_every_rule_has_a_bug_that_was_planted_in_it() -> None:
    """The lines that bugs change, rule by rule. Sums for boards page nobody and are left out."""
    for path in sorted(RULES.glob("*.yml")):
        if path.stem == "recording":
            continue
        text = path.read_text()
        touched = [
            found.start()
            for bug in (*ROOMS, *OTHERS)
            if bug.file == path.stem
            for found in re.finditer(re.escape(bug.right), text)
        ]
        starts = [found.start() for found in re.finditer(r"- (?:alert|record): ", text)]
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            assert any(start < place < end for place in touched), text[start : start + 80]
