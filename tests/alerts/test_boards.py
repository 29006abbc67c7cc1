"""Which board a message leads to: each alert to the one that explains it, with what is chosen there, in a rehearsal to
the rehearsal's."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.alerts.alert import Alert, Episode
from monitor.alerts.alert_words import NAMES
from monitor.alerts.boards import Boards, links
from monitor.purpose import BOARD_SUFFIX
from monitor.rehearsal.boards import DASHBOARDS, write_boards

AT = datetime(2026, 11, 19, 12, 14, 5, tzinfo=UTC)
ROOM_IDS = {("wechat", "r1"): 17, ("wechat", "r2"): 18}
BOARDS = Boards("https://g.cn/", room_id=lambda platform, room: ROOM_IDS.get((platform, room)))
SPAN = {"from": [str(int((AT - timedelta(minutes=15)).timestamp() * 1000))], "to": ["now"]}
IN_HALL = {"platform": "nginx_rtmp", "hall": "3"}


def episode(name: str, number: int = 1, **labels: str) -> Episode:
    return Episode(number, Alert(f"f{number}", name, "critical", labels, {}, AT))


def led(*episodes: Episode, hall: str = "", boards: Boards = BOARDS) -> tuple[str, dict[str, list[str]]]:
    """The path of the first link, and what its query says beyond the span of time."""
    parts = urlsplit(links(episodes, hall, None, boards, "zh")[0].url)
    query = parse_qs(parts.query, strict_parsing=True)
    assert {name: query.pop(name) for name in SPAN} == SPAN
    return parts.path, query


@pytest.mark.parametrize(
    ("name", "labels", "hall", "board", "chosen"),
    [
        ("LivemonRoomDropped", {"platform": "wechat", "room": "r1", "hall": "3"}, "3", "room", {"var-room": "17"}),
        ("LivemonSalesStalled", {"platform": "wechat", "room": "r2"}, "", "room", {"var-room": "18"}),
        ("LivemonRoomLost", {"platform": "wechat", "room": "gone", "hall": "3"}, "3", "hall", {"var-hall": "3"}),
        ("LivemonRoomLost", {"platform": "wechat", "room": "gone"}, "", "duty", {}),
        ("LivemonHallOutage", IN_HALL, "3", "hall", {"var-hall": "3"}),
        ("LivemonHallOutage", IN_HALL | {"hall": 'O\'B & "(3)"'}, 'O\'B & "(3)"', "hall", {"var-hall": "O.B & ..3.."}),
        ("LivemonRoomsDroppedMany", IN_HALL, "3", "hall", {"var-hall": "3"}),
        ("LivemonRoomsDroppedMany", {"platform": "wechat", "hall": ""}, "", "health", {"var-platform": "wechat"}),
        ("LivemonPlatformOutage", {"platform": "wechat"}, "", "health", {"var-platform": "wechat"}),
        ("LivemonFeedBlind", IN_HALL | {"feed": "hall-3"}, "3", "feeds", {"var-feed": "hall-3"}),
        ("LivemonPushMissed", {"feed": "订单", "platform": "doudian"}, "", "feeds", {"var-feed": "订单"}),
        ("LivemonAccountsRefused", {"platform": "doudian"}, "", "feeds", {}),
        ("LivemonSpoolFull", {}, "", "self", {}),
        ("LivemonDeliveryFailing", {"robot": "群"}, "", "self", {}),
        ("SomebodysOwn", {}, "", "duty", {}),
    ],
)
def test_one_alert_leads_to_the_board_that_explains_it(
    name: str, labels: dict[str, str], hall: str, board: str, chosen: dict[str, str]
):
    expected = f"/d/livemon-{board}", {variable: [value] for variable, value in chosen.items()}
    assert led(episode(name, **labels), hall=hall) == expected


def test_several_lead_to_what_they_have_in_common():
    rooms = [episode("LivemonRoomDropped", n, platform="wechat", room=f"r{n}", hall="3") for n in (1, 2)]
    assert led(*rooms, hall="3") == ("/d/livemon-hall", {"var-hall": ["3"]})
    assert led(*rooms) == ("/d/livemon-duty", {})
    assert led(rooms[0], rooms[0]) == ("/d/livemon-room", {"var-room": ["17"]})  # one room, twice
    feeds = [episode("LivemonFeedBlind", n, feed=f"hall-{n}", hall=str(n)) for n in range(11)]
    assert led(*feeds[:10]) == ("/d/livemon-feeds", {"var-feed": [f"hall-{n}" for n in range(10)]})
    assert led(*feeds) == ("/d/livemon-feeds", {})
    platforms = [episode("LivemonPlatformOutage", platform=platform) for platform in ("wechat", "douyin")]
    assert led(*platforms) == ("/d/livemon-duty", {})


@cache
def variables() -> Mapping[str, set[str]]:
    """Of each board as it is made: by uid, the names of its variables."""
    read: list[dict[str, Any]] = [json.loads(path.read_text()) for path in DASHBOARDS.rglob("*.json")]
    return {board["uid"]: {each["name"] for each in board["templating"]["list"]} for board in read}


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_leads_to_a_board_that_there_is(name: str):
    everything = {"platform": "wechat", "room": "r1", "hall": "3", "feed": "hall-3"}
    without_room = {key: value for key, value in everything.items() if key != "room"}
    for labels, hall in ((everything, "3"), (without_room, "3"), (without_room, ""), ({}, "")):
        path, chosen = led(episode(name, **labels), hall=hall)
        offered = variables()[path.removeprefix("/d/")]
        assert {variable.removeprefix("var-") for variable in chosen} <= offered


def test_in_a_rehearsal_they_lead_to_the_rehearsals_boards(tmp_path: Path):
    uids = {json.loads(path.read_text())["uid"] for path in write_boards(tmp_path)}
    rehearsed = BOARDS._replace(suffix=BOARD_SUFFIX["rehearsal"])
    for name in NAMES:
        path, _ = led(episode(name, platform="wechat", room="r1"), boards=rehearsed)
        assert path.removeprefix("/d/") in uids
    assert BOARD_SUFFIX["event"] == ""
