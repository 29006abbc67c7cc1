"""What waits for robots that the config has no more: somebody else is told what is critical, the rest is given up."""

import logging
from collections.abc import Callable, Sequence
from itertools import groupby

from msgspec.structs import replace

from monitor.alerts.notice import Notice
from monitor.alerts.waiting import Outbox, Waiting, elsewhere
from monitor.config_alerts import Robot

log = logging.getLogger(__name__)

GONE = {
    "zh": "机器人 {robot} 已不在配置中,改由此处转达",
    "en": "robot {robot} is not in the config any more; told here instead",
}
WHY = "the config does not have this robot any more"


async def settle(outbox: Outbox, robots: Sequence[Robot], given_up: Callable[[str], None]) -> None:
    """`robots` are those of the config; while there are none, everything waits. `given_up` counts by severity.

    Killed anywhere in between, the next call does the rest, and nobody is told twice. Raises BookRefused.
    """
    if not robots:
        return
    taker = min(robots, key=lambda robot: robot.match is not None)  # who takes the rest, else the first
    while waiting := await outbox.others([robot.name for robot in robots]):
        for name, messages in groupby(sorted(waiting, key=lambda each: each.robot), key=lambda each: each.robot):
            await _settle_one(outbox, name, list(messages), taker, given_up)


async def _settle_one(
    outbox: Outbox, name: str, messages: Sequence[Waiting], taker: Robot, given_up: Callable[[str], None]
) -> None:
    critical = [each for each in messages if each.severity == "critical"]
    others = [each for each in messages if each.severity != "critical"]
    await outbox.put((taker.name, _moved(each.notice, name, taker), elsewhere(name, each.id)) for each in critical)
    await outbox.failed([each.id for each in messages], WHY)
    for each in others:
        given_up(each.severity)
    log.error(
        "the config does not have the robot %s any more: of what waited for it, %d critical messages go to %s, and %d"
        " others are given up", name, len(critical), taker.name, len(others),
    )  # fmt: skip


def _moved(notice: Notice, name: str, taker: Robot) -> Notice:
    return replace(notice, kind="delivery_failing", lines=(GONE[taker.language].format(robot=name), *notice.lines))
