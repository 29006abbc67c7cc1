"""What waits for a robot that was taken out of the config comes to an end: told by another, or counted as given up."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from monitor.alerts.book_file import BookRefused
from monitor.alerts.notice import Notice
from monitor.alerts.removed import settle
from monitor.alerts.waiting import elsewhere
from monitor.config_alerts import Match, Robot, Texts
from tests.alerts.outbox import Hands, MemoryOutbox


def robot(name: str, match: Match | None = None) -> Robot:
    return Robot(name=name, kind="wecom", url_file=Path("u"), match=match)


HALL = robot("一号馆", Match(hall=Texts(["1"])))
REST = robot("值班群")


def notice(title: str, severity: str) -> Notice:
    return Notice("firing", severity, title, ("3 号馆",))


@pytest.fixture
async def outbox() -> MemoryOutbox:
    outbox = MemoryOutbox(Hands())
    severities = ["critical", "warning", "info", "critical", "critical"]
    await outbox.put([("旧群", notice(f"#{n}", severity), f"{n}") for n, severity in enumerate(severities)])
    await outbox.put([(REST.name, notice("#9", "info"), "9")])
    return outbox


async def test_another_robot_is_told_what_is_critical_and_the_rest_is_counted(
    outbox: MemoryOutbox, caplog: pytest.LogCaptureFixture
):
    given_up: list[str] = []
    await settle(outbox, [HALL, REST], given_up.append)
    assert given_up == ["warning", "info"]
    assert outbox.states("旧群") == ["failed"] * 5
    told = [row["notice"] for row in outbox.rows if row["robot"] == REST.name]
    assert [each.title for each in told] == ["#9", "#0", "#3", "#4"]
    assert told[1].lines == ("机器人 旧群 已不在配置中,改由此处转达", "3 号馆")
    assert told[1].severity == "critical"
    assert outbox.states(HALL.name) == []
    assert "does not have the robot 旧群 any more" in caplog.text
    rows = len(outbox.rows)
    await settle(outbox, [HALL, REST], given_up.append)
    assert (len(outbox.rows), len(given_up)) == (rows, 2)


async def test_what_the_other_robot_heard_already_it_does_not_hear_again(outbox: MemoryOutbox):
    await outbox.put([(REST.name, notice("#0", "critical"), elsewhere("旧群", 0))])
    await settle(outbox, [REST], lambda severity: None)
    assert [row["notice"].title for row in outbox.rows if row["robot"] == REST.name] == ["#9", "#0", "#3", "#4"]


async def test_while_there_is_no_robot_all_of_it_waits(outbox: MemoryOutbox):
    given_up: list[str] = []
    await settle(outbox, [], given_up.append)
    assert (outbox.states("旧群"), given_up) == (["waiting"] * 5, [])
    await settle(outbox, [HALL], given_up.append)
    assert outbox.states(HALL.name) == ["waiting"] * 3
    assert len(given_up) == 3


class Dying(MemoryOutbox):
    """The process is killed before it puts, or before it marks."""

    before = ""

    async def put(self, notices: Iterable[tuple[str, Notice, str]]) -> None:
        if self.before == "put":
            raise BookRefused("killed")
        await super().put(notices)

    async def failed(self, ids: Sequence[int], why: str) -> None:
        if self.before == "failed":
            raise BookRefused("killed")
        await super().failed(ids, why)


@pytest.mark.parametrize("before", ["put", "failed"])
async def test_killed_in_between_nobody_is_told_twice_and_nothing_is_lost(outbox: MemoryOutbox, before: str):
    given_up: list[str] = []
    dying = Dying(Hands())
    dying.rows, dying.before = outbox.rows, before
    with pytest.raises(BookRefused):
        await settle(dying, [REST], given_up.append)
    await settle(outbox, [REST], given_up.append)
    titles = [row["notice"].title for row in outbox.rows if row["robot"] == REST.name]
    assert sorted(titles) == ["#0", "#3", "#4", "#9"]
    assert given_up == ["warning", "info"]
