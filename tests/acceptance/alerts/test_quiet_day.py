"""Who signs off is no page; four streams that truly drop among them are told, each once, and that they are back.

Ninety seconds of the day that `tests/bench/bench_quiet_day.py` plays as a whole: as fast (24 times life), when most
of the evening signs off, with a tenth of the rooms. Scrapes and waits of rules are shorter than shipped, as in a storm.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.rehearsal.event.cast import cast
from monitor.rehearsal.event.mishaps import APART_S_MIN, EDGE_S
from monitor.rehearsal.event.play import Play
from monitor.rehearsal.event.tempo import Tempo
from tests.acceptance.alerts import quiet_day
from tests.acceptance.alerts.heard import MESSAGES_MAX, Asked, Heard
from tests.acceptance.alerts.speeds import Speed

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROOMS, SPEED, FOR_S, SLACK_S = 1_200, 24.0, 92.0, 180.0
OPENS_S = 23 * 3600.0
# Seconds of the world. The play waits for nobody: beside other scenes livemon starts late, and has 15 s to settle then.
DROPS, FROM_S, LASTS_S = 4, 36.0, 22.0
SELDOM_ASKED = "wechat"  # its rooms are asked one by one, each every 30 s: a stop this short falls between two answers
WATCH = Speed(scrape_s=2, scale=5.0, group_wait_s=1, group_interval_s=3)
HEAD = f"""
title = "下播的一刻"
seed = 1
opens = "23:00"
streams_fail = false
end_slack_s = {SLACK_S}
"""
FAULT = """
[[fault]]
what = "streams_drop"
minute = {minute}
lasts_s = {lasts_s}
platform = "{platform}"
room = "{room}"
"""


def test_quiet_day(played: Callable[[str], None]) -> None:
    played(__name__)


async def scene(folder: Path) -> None:
    plan, quiet = folder / "plan.toml", play()
    hit = far_from_their_end(quiet)
    faults = [
        FAULT.format(minute=FROM_S / 60, lasts_s=LASTS_S, platform=part.platform, room=part.room)
        for part in (quiet.parts[number] for number in hit)
    ]
    plan.write_text(HEAD + "".join(faults), encoding="utf-8")
    heard = await quiet_day.played(folder / "day", Asked(ROOMS, SPEED, FOR_S, str(plan), WATCH))
    judge(heard, {quiet.parts[number].anchor for number in hit})


def judge(heard: Heard, hit: set[str]) -> None:
    assert heard.hit() == hit
    assert not (wrong := heard.wrong()), "\n".join([*wrong, *heard.messages["duty"]])
    assert len(heard.messages["digests"]) <= MESSAGES_MAX
    assert set(heard.drops) == hit
    # It would be as quiet if nobody had been seen to leave. Of own servers only grace tells, which is longer than this.
    assert heard.signed_off >= 20
    assert len(heard.signing_off(FROM_S, FOR_S - 20.0, "nginx_rtmp")) >= 15


def play() -> Play:
    return Play(cast(ROOMS, 1), 1, Tempo(datetime(2026, 11, 24, 12, tzinfo=UTC), SPEED, OPENS_S), (), False)


def far_from_their_end(quiet: Play) -> list[int]:
    """Rooms that stay, as planned, much longer than the stop lasts: two of own servers, two of other platforms."""
    fit: dict[bool, list[int]] = {True: [], False: []}
    for part in (one for one in quiet.parts if one.platform != SELDOM_ASKED):
        one = quiet.broadcast(part.number, FROM_S * SPEED)
        # Who begins just before a stop begins after it, and who is away until just before the end does not come back.
        stays_s = min(one.planned_end_s / SPEED - SLACK_S - 10.0, one.ends_s / SPEED - APART_S_MIN - 10.0)
        if one.ending == "signed_off" and one.starts_s < (FROM_S - EDGE_S) * SPEED and stays_s > FROM_S + LASTS_S:
            fit[part.platform == "nginx_rtmp"].append(part.number)
    return fit[True][: DROPS // 2] + fit[False][: DROPS // 2]
