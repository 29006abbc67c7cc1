"""A group that a real Alertmanager cuts off at the shipped `max_alerts`: whoever is still down is told of, at once.

In the order of labels, which is that of its list, rooms that stay down stand among those that are back.
"""

import asyncio
import json
from pathlib import Path

import pytest

from monitor.alerts.kept import DROPPED, PLATFORM_OUTAGE
from monitor.alerts.sight import DROPPED as ROOM_DROPPED
from monitor.alerts.sight import LIVE
from monitor.alerts.silence import Matcher
from monitor.alerts.silences import Alertmanager, AlertmanagerError, Listed, Unreachable
from monitor.alerts.webhook import ALERTS_MAX, Group, read
from monitor.alerts.whole import Asked, Incomplete, Whole
from tests.alerts.hall import AT, Hall, alert, over
from tests.alerts.rules.alertmanager import Manager, managing
from tests.alerts.test_receiver import Site
from tests.alerts.test_webhook import body

ROOMS, STAY = 600, 40
OUTAGE = {"alertname": PLATFORM_OUTAGE, "severity": "critical", "platform": "p"}


class Deaf:
    async def alerts(self, matchers: list[Matcher]) -> list[Listed]:
        raise Unreachable("nobody there")


class Crowd:
    async def alerts(self, matchers: list[Matcher]) -> list[Listed]:
        return [Listed(str(number), {"alertname": DROPPED}, AT) for number in range(ALERTS_MAX + 7)]


def labels(room: int) -> dict[str, str]:
    return {"alertname": DROPPED, "severity": "warning", "platform": "p", "room": str(room)}


async def told_of(folder: Path, asked: type[Alertmanager] | None) -> list[int]:
    """An outage ends in the instant in which most of its rooms are back: how many drops each message is about."""
    hall = Hall()
    hall.stand(range(ROOMS), ROOM_DROPPED)
    async with managing(folder) as manager:
        whole = Whole(post_to(hall), asked and asked(manager.http, manager.url))
        await manager.post(OUTAGE)
        await manager.until(1)
        await manager.post(*map(labels, range(ROOMS)))
        async with asyncio.timeout(20):
            while len(await manager.inhibited()) < ROOMS:
                await asyncio.sleep(0.05)
        await asyncio.sleep(2.5)  # the group of rooms was looked at, and nobody told
        assert len(manager.told) == 1
        hall.stand(range(STAY, ROOMS), LIVE)
        await manager.post(OUTAGE, *map(labels, range(STAY, ROOMS)), over=True)
        await manager.until(3)
        for group in map(posted, manager.told):
            await whole.hear(group)
        assert max(group.truncated for group in map(posted, manager.told)) == ROOMS - 500
    hall.wait(600)
    return [line.count(" ") - 1 for line in hall.said if line.startswith(f"firing {DROPPED}")]


def posted(told: object) -> Group:
    return read(json.dumps(told).encode())


def post_to(hall: Hall):
    async def hear(group: Group) -> None:
        hall.post(*group.alerts, truncated=group.truncated)

    return hear


@pytest.mark.real
async def test_who_stays_down_after_an_outage_is_told_of_though_the_group_was_cut_off(tmp_path):
    assert await told_of(tmp_path, Alertmanager) == [STAY]


@pytest.mark.real
async def test_a_planted_bug_is_found(tmp_path):
    """The rest is not asked for: most of those who are down are told of by nobody."""
    [count] = await told_of(tmp_path, None)
    assert 0 < count < STAY


@pytest.mark.real
async def test_the_rest_is_of_the_same_group_and_what_is_held_back_is_none_of_it(tmp_path):
    heard: list[Group] = []

    async def hear(group: Group) -> None:
        heard.append(group)

    async with managing(tmp_path) as manager:
        one, two, elsewhere, other = labels(1), labels(2), labels(3) | {"platform": "q"}, labels(4) | {"hall": "3"}
        await manager.post(one, two, elsewhere, other, labels(5))
        await silenced(manager, 5)
        await manager.until(3)
        whole = Whole(hear, Alertmanager(manager.http, manager.url))
        group = next(found for told in manager.told if len((found := posted(told)).alerts) > 1)
        known = group.alerts[0]
        await whole.hear(Group(group.key, group.labels, (known,), truncated=2))
    found = {alert.key for alert in group.alerts if alert.labels["room"] in "12"}
    assert {alert.key for alert in heard[0].alerts} == found, "the instants are those that the webhook says"
    assert (heard[0].truncated, len(heard[0].alerts)) == (0, 2)


async def silenced(manager: Manager, room: int) -> None:
    silence = {
        "matchers": [{"name": "room", "value": str(room), "isRegex": False}], "createdBy": "li", "comment": "c",
        "startsAt": AT.isoformat(), "endsAt": AT.replace(year=2099).isoformat(),
    }  # fmt: skip
    async with manager.http.post(f"{manager.url}/api/v2/silences", json=silence) as answer:
        assert answer.status == 200, await answer.text()


async def test_where_it_cannot_be_asked_what_was_posted_is_kept_and_alertmanager_repeats_it():
    hall = Hall()
    hall.stand(1, ROOM_DROPPED, platform="视频号")
    async with Site(Whole(post_to(hall), Deaf()).hear) as site:
        assert await site.post(body(truncatedAlerts=0)) == 200
        assert await site.post(body(truncatedAlerts=3)) == 503
        assert (site.outcomes, len(site.heard)) == (["kept", "incomplete"], 1)
    assert hall.said == [f"firing {DROPPED} 1"]


async def test_what_is_over_is_asked_for_no_more_and_a_list_without_end_is_cut():
    heard: list[Group] = []

    async def hear(group: Group) -> None:
        heard.append(group)

    ended = over(alert(DROPPED, 1), AT)
    await Whole(hear, Crowd()).hear(Group("g", {}, (ended,), truncated=1))
    assert (len(heard[0].alerts), heard[0].truncated) == (ALERTS_MAX, 8)
    asked: Asked | None = None
    await Whole(hear, asked).hear(Group("g", {}, (ended,), truncated=1))
    assert heard[1] == Group("g", {}, (ended,), truncated=1)
    with pytest.raises(Incomplete):
        await Whole(hear, Deaf()).hear(Group("g", {}, (ended,), truncated=1))
    assert (heard[2], issubclass(Unreachable, AlertmanagerError)) == (heard[1], True)
