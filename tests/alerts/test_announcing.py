"""What is no alert itself goes to those it concerns, in their language, once for each key, also after a restart."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.addressed import Make, addressed, group, takers
from monitor.alerts.announcing import Announcing
from monitor.alerts.book import Book
from monitor.alerts.hearing import Hearing
from monitor.alerts.notice import Notice
from monitor.alerts.saying import Speaker
from monitor.alerts.sight import DROPPED
from monitor.alerts.silence import Matcher, Silence
from monitor.alerts.silences import Listed, ListedStatus
from tests.alerts.hall import Hall, alert
from tests.alerts.telling import Words, robot

ZONE = ZoneInfo("Asia/Shanghai")
HALL_3, HALL_4, REST = robot("h3", hall="3"), robot("h4", "en", hall="4"), robot("rest")
NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)


class OneKey(Announcing):
    """The second of two pieces has the key of the first."""

    async def _tell(self, make: Make, key: str, robots: object) -> None:
        await self._outbox.put((name, notice, key) for name, notice, _ in addressed(make, key, robots))  # type: ignore[arg-type]


class Recounting(Announcing):
    """What has another number of pieces after a restart is told on."""

    async def _tell(self, make: Make, key: str, robots: object) -> None:
        await self._outbox.put(addressed(make, key, robots))  # type: ignore[arg-type]


def pieces(count: int) -> Make:
    return lambda language: [Notice("handover", "info", f"{language} {number}") for number in range(1, count + 1)]


async def told(folder, kind: type[Announcing]) -> list[tuple[str, str]]:
    """A handover of two pieces, and after a restart the same of three."""
    for count in (2, 3):
        hearing = Hearing(Book(folder), Hall().sight, [], Words(), lambda: NOW)
        await kind(hearing, lambda: [HALL_4, REST], Hall().sight, ZONE).to_group(pieces(count), "handover x")
        found = [(each.robot, each.notice.title) for name in ("h4", "rest") for each in await hearing.due(name, NOW)]
        await hearing.close()
    return found


async def test_all_pieces_are_told_once_where_the_house_talks_to_itself(tmp_path):
    assert await told(tmp_path, Announcing) == [("rest", "zh 1"), ("rest", "zh 2")]


@pytest.mark.parametrize("wrong", [OneKey, Recounting])
async def test_planted_bugs_are_found(tmp_path, wrong):
    assert await told(tmp_path, wrong) != [("rest", "zh 1"), ("rest", "zh 2")]


@pytest.mark.parametrize(
    ("halls", "names"), [(["3"], ["h3"]), (["3", "4"], ["h3", "h4"]), (["9"], ["rest"]), (["4", "9"], ["h4", "rest"])]
)
def test_calls_go_where_the_alerts_were_told(halls, names):
    robots: list[Speaker] = [HALL_3, HALL_4, REST]
    alerts = [alert("LivemonRoomDropped", number, hall=hall) for number, hall in enumerate(halls)]
    assert [each.name for each in takers(robots, alerts, Hall().sight)] == names


def test_a_room_whose_alert_names_no_hall_is_that_of_its_room():
    hall = Hall()
    hall.stand(1, DROPPED, hall="4")
    assert takers([HALL_3, HALL_4, REST], [alert("LivemonRoomDropped", 1)], hall.sight) == [HALL_4]


def test_where_all_have_a_match_the_first_is_the_group_and_where_nobody_is_nobody():
    assert (group([HALL_3, HALL_4]), group([HALL_3, REST]), group([])) == ([HALL_3], [REST], [])


async def test_the_end_of_a_silence_is_told_where_its_alerts_are(tmp_path):
    hearing = Hearing(Book(tmp_path), Hall().sight, [], Words(), lambda: NOW)
    silence = Silence(
        id="1", matchers=(Matcher("hall", "4"),), starts_at=NOW - timedelta(hours=1), ends_at=NOW, created_by="张三",
        comment="x",
    )  # fmt: skip
    labels = {"alertname": "LivemonRoomDropped", "severity": "critical", "platform": "p", "room": "1", "hall": "4"}
    announcing = Announcing(hearing, lambda: [HALL_3, HALL_4, REST], Hall().sight, ZONE)
    for _ in range(2):
        await announcing.silence_over(silence, [Listed("f", labels, NOW, ListedStatus())])
    found = [each for name in ("h3", "h4", "rest") for each in await hearing.due(name, NOW)]
    assert [(each.robot, each.severity) for each in found] == [("h4", "critical")]
    assert found[0].notice.title.startswith("[SILENCE OVER]")
    await hearing.close()
