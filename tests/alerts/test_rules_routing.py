"""alertmanager.yml: judged by amtool and amlint, and by what a real Alertmanager tells and holds back."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.alerts.rules.alertmanager import CONFIG, Labels, managing

SECONDS = {"s": 1, "m": 60, "h": 3600}


def amtool(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["amtool", *map(str, command)], capture_output=True, text=True)


def amlint(*command: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("amlint")
    return subprocess.run([program, *map(str, command)], capture_output=True, text=True)


def room(number: int, *, name: str = "LivemonRoomDropped", severity: str = "warning", **where: str) -> Labels:
    return {"alertname": name, "severity": severity, "room": str(number), "anchor": "主播", **where}


def outage(name: str, **where: str) -> Labels:
    return {"alertname": name, "severity": "critical", **where}


def seconds(text: str) -> float:
    return float(text[:-1]) * SECONDS[text[-1]]


def test_amtool_accepts_it() -> None:
    done = amtool("check-config", CONFIG)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "labels",
    [
        ("alertname=LivemonWatchdog", "severity=info"),
        ("alertname=LivemonPlatformOutage", "platform=douyin", "severity=critical"),
        ("alertname=LivemonRoomDropped", "platform=nginx_rtmp", "hall=A", "room=1", "severity=warning"),
        ("alertname=LivemonSalesStalled", "platform=nginx_rtmp", "room=1", "severity=info"),
        ("alertname=LivemonDeliveryFailing", "robot=hall-3", "severity=critical"),
    ],
    ids=lambda labels: labels[0],
)
def test_everything_reaches_livemon(labels: tuple[str, ...]) -> None:
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", "--verify.receivers=livemon", *labels)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_groups_by_place_and_the_heart_beats_each_minute() -> None:
    config = yaml.safe_load(CONFIG.read_text())
    route, (heart,) = config["route"], config["route"]["routes"]
    assert route["group_by"] == ["alertname", "platform", "hall"]
    assert (route["group_wait"], route["group_interval"]) == ("2s", "5s")
    assert heart["matchers"] == ['alertname="LivemonWatchdog"']
    assert seconds(heart["repeat_interval"]) + seconds(heart["group_interval"]) <= 60
    (hook,) = config["receivers"][0]["webhook_configs"]
    assert hook["send_resolved"] is True
    assert hook["max_alerts"] == 500


TOLD_AND_HELD = [
    pytest.param(
        [outage("LivemonHallOutage", platform="own", hall="A")],
        [
            room(1, platform="own", hall="B"),
            room(2, platform="hosted", hall="A"),
            room(3, platform="own"),
            {"alertname": "LivemonFeedBlind", "severity": "critical", "platform": "own", "hall": "A", "feed": "a"},
        ],
        [
            room(4, platform="own", hall="A"),
            room(5, platform="own", hall="A", severity="critical"),
            room(6, platform="own", hall="A", name="LivemonRoomLost", severity="critical"),
            room(7, platform="own", hall="A", name="LivemonViewersCollapsed", severity="info"),
            room(8, platform="own", hall="A", name="LivemonSalesStalled", severity="info"),
            outage("LivemonRoomsDroppedMany", platform="own", hall="A"),
        ],
        id="a hall hides its own rooms and no others",
    ),
    pytest.param(
        [outage("LivemonPlatformOutage", platform="p")],
        [room(1, platform="q", hall="1"), room(2, platform="q"), outage("LivemonFeedBlind", platform="p", feed="p"),
         outage("LivemonWriterBlocked")],
        [
            room(3, platform="p", hall="1"),
            room(4, platform="p"),
            room(5, platform="p", hall="2", severity="critical"),
            room(6, platform="p", name="LivemonRoomNotStarted"),
            room(7, platform="p", name="LivemonSalesStalled", severity="info"),
            outage("LivemonRoomsDroppedMany", platform="p", hall="1"),
        ],
        id="a platform hides its own rooms and no others",
    ),
    pytest.param(
        [outage("LivemonRoomsDroppedMany", platform="p", hall="1"), outage("LivemonRoomsDroppedMany", platform="q")],
        [
            room(1, platform="p", hall="1", severity="critical"),
            room(2, platform="p", hall="2"),
            room(3, platform="p"),
            room(4, platform="p", hall="1", name="LivemonRoomLost"),
            room(5, platform="q", hall="1"),
        ],
        [
            room(6, platform="p", hall="1"),
            room(7, platform="q"),
            {**outage("LivemonRoomsDroppedMany", platform="p", hall="1"), "severity": "warning"},
        ],
        id="many hide each, but for tier 1",
    ),
    pytest.param(
        [room(1, platform="p"), room(2, platform="p", name="LivemonRoomLost", severity="critical")],
        [room(3, platform="p", name="LivemonViewersCollapsed", severity="info"),
         room(1, platform="q", name="LivemonSalesStalled", severity="info"),
         {"alertname": "LivemonWatchdog", "severity": "info"}],
        [room(1, platform="p", name="LivemonViewersCollapsed", severity="info"),
         room(2, platform="p", name="LivemonSalesStalled", severity="info")],
        id="a room that is down has no viewers",
    ),
    pytest.param(
        [outage("LivemonFeedBlind", platform="own", hall="A", feed="a")],
        [
            room(1, platform="own", hall="A"),
            room(2, platform="own", hall="A", name="LivemonSalesStalled", severity="info"),
        ],
        [],
        id="a blind feed hides nothing",
    ),
]  # fmt: skip


def test_amlint_has_nothing_against_it_and_knows_each_alert_that_it_names() -> None:
    done = amlint("check", "--strict", "--rules", f"{CONFIG.parent}/rules/*.yml", CONFIG)
    assert done.returncode == 0, done.stdout + done.stderr


def test_amlint_finds_each_alert_told_and_held_back_as_it_should_be_and_each_route_tried(tmp_path: Path) -> None:
    """The same cases as those of a real Alertmanager, each alert by itself, from another reading of the same file."""
    done = amlint("test", "--fail-under", "100", CONFIG, routing_cases(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("equal: [platform, hall]", "equal: [platform]"),  # the first: of halls
        ('target_matchers: [severity="info", room=~".+"]', 'target_matchers: [severity="warning", room=~".+"]'),
        ('matchers: [alertname="LivemonWatchdog"]', 'matchers: [alertname="LivemonWatchDog"]'),
        ("group_interval: 10s", "group_interval: 60s"),
    ],
)
def test_amlint_sees_a_planted_bug(tmp_path: Path, right: str, wrong: str) -> None:
    text = CONFIG.read_text()
    assert right in text
    config = tmp_path / "alertmanager.yml"
    config.write_text(text.replace(right, wrong, 1))
    checked = amlint("check", "--strict", "--rules", f"{CONFIG.parent}/rules/*.yml", config)
    tested = amlint("test", "--fail-under", "100", config, routing_cases(tmp_path))
    assert checked.returncode or tested.returncode


def routing_cases(folder: Path) -> Path:
    cases = [{"name": "the heart", "labels": {"alertname": "LivemonWatchdog"}, "expect": ["livemon"]}]
    for param in TOLD_AND_HELD:
        outages, others, held = param.values
        for labels, inhibited in [(each, False) for each in others] + [(each, True) for each in held]:
            case = {"name": str(param.id), "labels": labels, "firing": outages, "inhibited": inhibited}
            cases.append(case | {"expect": ["livemon"]})
    path = folder / "cases.yml"
    path.write_text(yaml.safe_dump(cases, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize(("outages", "others", "held"), TOLD_AND_HELD)
async def test_what_is_told_and_what_is_held_back(
    tmp_path: Path, outages: list[Labels], others: list[Labels], held: list[Labels]
) -> None:
    async with managing(tmp_path) as manager:
        await manager.post(*held, *others, *outages)  # the worst order there is; group_wait makes up for it
        groups = {(alert["alertname"], alert.get("platform"), alert.get("hall")) for alert in (*outages, *others)}
        await manager.until(len(groups))
        assert key(await manager.inhibited()) == key(held)
        told = [alert["labels"] for message in manager.told for alert in message["alerts"]]
        assert {tuple(sorted(labels.items())) for labels in told} == set(key([*outages, *others]))


def key(alerts: list[Labels]) -> list[tuple[tuple[str, str], ...]]:
    return sorted(tuple(sorted(labels.items())) for labels in alerts)


async def test_a_platform_with_five_thousand_rooms_is_one_message_and_those_that_stay_down_are_one_more(
    tmp_path: Path,
) -> None:
    out, rooms = outage("LivemonPlatformOutage", platform="p"), [room(number, platform="p") for number in range(5_000)]
    async with managing(tmp_path) as manager:
        await manager.post(out, *rooms)
        await manager.until(1)
        assert len(await manager.inhibited()) == 5_000
        assert [len(message["alerts"]) for message in manager.told] == [1]
        await manager.post(*rooms[300:], over=True)
        await manager.post(out, over=True)
        await manager.until(3)
        recovery, digest = sorted(manager.told[1:], key=lambda message: len(message["alerts"]))
        assert [alert["status"] for alert in recovery["alerts"]] == ["resolved"]
        assert recovery["groupLabels"]["alertname"] == "LivemonPlatformOutage"
        firing = {alert["labels"]["room"] for alert in digest["alerts"] if alert["status"] == "firing"}
        assert len(firing) + digest["truncatedAlerts"] >= 300
        assert digest["groupLabels"] == {"alertname": "LivemonRoomDropped", "platform": "p"}


async def test_a_digest_is_cut_at_five_hundred(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await manager.post(*[room(number, platform="p") for number in range(700)])
        await manager.until(1)
        (message,) = manager.told
        assert len(message["alerts"]) == 500
        assert message["truncatedAlerts"] == 200


async def test_the_heart_is_heard_again_and_again(tmp_path: Path) -> None:
    async with managing(tmp_path) as manager:
        await manager.post({"alertname": "LivemonWatchdog", "severity": "info"})
        await manager.until(3)
        assert {message["groupLabels"]["alertname"] for message in manager.told} == {"LivemonWatchdog"}
