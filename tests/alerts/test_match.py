"""Which robots are told of an alert."""

from pathlib import Path

import pytest

from monitor.alerts.match import listeners, nobody_takes_the_rest
from monitor.alerts.sight import RoomSight
from monitor.config_alerts import Match, Robot, Texts
from tests.alerts.hall import alert


def robot(name: str, **match: str | list[str]) -> Robot:
    texts = {key: Texts([value] if isinstance(value, str) else value) for key, value in match.items()}
    return Robot(name=name, kind="wecom", url_file=Path("u"), match=Match(**texts) if match else None)


HALL_3, SHENYANG, CRITICAL = (
    robot("3", hall="3"),
    robot("sy", city="沈阳"),
    robot("c", severity=["critical", "warning"]),
)
TOP = robot("top", tier=["1", "2"], platform="p")
REST, MORE = robot("rest"), robot("more")
ROOM = RoomSight("p", "1", hall="3", city="沈阳", tier=1)


@pytest.mark.parametrize(
    ("robots", "labels", "room", "told"),
    [
        ([HALL_3, REST], {"hall": "3"}, None, ["3"]),
        ([HALL_3, REST], {"hall": "33"}, None, ["rest"]),
        ([HALL_3, REST], {}, None, ["rest"]),
        ([HALL_3, SHENYANG, TOP, REST], {}, ROOM, ["3", "sy", "top"]),
        ([HALL_3, REST], {"hall": "4"}, ROOM, ["rest"]),  # its labels say more than the roster of today
        ([TOP, REST], {"tier": "2"}, None, ["top"]),
        ([TOP, REST], {"tier": "2", "platform": "q"}, None, ["rest"]),
        ([CRITICAL, REST], {}, None, ["c"]),
        ([CRITICAL, REST, MORE], {"severity": "info"}, None, ["rest", "more"]),
        ([HALL_3, SHENYANG], {}, None, ["3"]),  # never nobody
        ([], {}, None, []),
    ],
)
def test_who_is_told(robots, labels, room, told):
    severity = labels.pop("severity", "warning")
    assert [one.name for one in listeners(robots, alert("A", severity=severity, **labels), room)] == told


def test_that_nobody_takes_the_rest_is_said():
    assert nobody_takes_the_rest([]) is None
    assert nobody_takes_the_rest([HALL_3, REST]) is None
    assert "3" in (nobody_takes_the_rest([HALL_3, SHENYANG]) or "")
