"""What livemon's own watch makes of whole plays holds before the judge: drops, blind spans, sessions, every frame."""

import random
from pathlib import Path

import pytest

from monitor.rehearsal.compare.verdict import Verdict
from monitor.rehearsal.compare.verify import Rules, verify
from monitor.rehearsal.event.play import Outage
from tests.rehearsal.rehearsed import Rehearsed
from tests.sql.stage import evening

LASTS_S, UNTIL_S = 2400, 2390
USUAL = Rules()


async def compared(database, rehearsed: Rehearsed, rules: Rules = USUAL) -> Verdict:
    rehearsed.run(LASTS_S)
    owner, reader = await database.connect("owner"), await database.connect("reader")
    try:
        async with owner.transaction():
            await rehearsed.written(owner)
        return await verify(rehearsed.path, rehearsed.play, reader, rehearsed.at(UNTIL_S), rules)
    finally:
        await owner.close()
        await reader.close()


def number(verdict: Verdict, what: str) -> int:
    [check] = [check for check in verdict.checks if check.what.strip() == what]
    return int(check.truth.removeprefix("0 of ").replace(",", ""))


def weather(seed: int, rooms: int, number: int) -> list[Outage]:
    """So many more faults than usual, of all lengths, each of one room."""
    dice = random.Random(seed)
    lengths = (3, 6, 9, 11, 14, 20, 22, 30, 60, 100, 112, 118, 120, 122, 128, 150, 300, 1200)
    found = []
    for _ in range(number):
        from_s, kind = dice.uniform(-60, LASTS_S), dice.choice(("drop", "drop", "freeze"))
        length_s = dice.choice(lengths) + dice.uniform(-1, 1)
        found.append(Outage(from_s, from_s + length_s, frozenset({dice.randrange(rooms)}), kind))
    return found


@pytest.mark.parametrize(("seed", "speed", "least"), [(1, 1.0, 40), (2, 10.0, 20), (3, 30.0, 5)])
async def test_a_stormy_play_holds(database, tmp_path: Path, seed: int, speed: float, least: int) -> None:
    outages = weather(seed, 150, 600)
    verdict = await compared(database, Rehearsed(tmp_path, evening("20:00"), 150, seed, speed, outages=outages))
    assert verdict.holds, "\n".join(verdict.lines())
    assert number(verdict, "drops") > least


@pytest.mark.parametrize("hall", "DEFGHIJKLM")
async def test_a_stormy_play_in_halls_with_other_servers_or_none_holds(database, tmp_path: Path, hall: str) -> None:
    """Half of the rooms in a hall of its kind, and livemon killed and away for two minutes."""
    rehearsed = Rehearsed(
        tmp_path, evening("20:00"), 150, 7, 10.0, down=(1200, 1335), outages=weather(7, 150, 900), halls="A" + hall
    )
    verdict = await compared(database, rehearsed)
    assert verdict.holds, "\n".join(verdict.lines())
    assert number(verdict, "drops") > 12


async def test_who_signs_off_long_before_his_time_is_no_drop_where_that_is_told(database, tmp_path: Path) -> None:
    """With a short slack, as a day of the play is short; who breaks off is lost at any time."""
    rehearsed = Rehearsed(
        tmp_path, evening("20:00"), 150, 7, 10.0, outages=weather(7, 150, 300), limits={"end_slack_s": 60.0}, halls="K"
    )
    verdict = await compared(database, rehearsed, Rules(end_slack_s=60.0))
    assert verdict.holds, "\n".join(verdict.lines())
    play = rehearsed.play
    early = [
        one for part, told in zip(play.parts, play.told, strict=True) for one in told
        if part.platform == "nginx_rtmp" and one.ending == "signed_off" and 3_000 < one.ends_s < 10 * UNTIL_S
        and one.planned_end_s - one.ends_s > 10 * 180
    ]  # fmt: skip
    assert len(early) > 2


@pytest.mark.parametrize("seed", [4, 5])
async def test_a_play_with_everything_holds(database, tmp_path: Path, seed: int) -> None:
    """A hall that hangs, a platform whose streams all drop, and livemon killed and away for two minutes and more.

    The streams drop a second time, just before livemon does: that they were back soon it hears when grace has run out.
    """
    wechat = Rehearsed(tmp_path / "cast", evening("20:00"), 150, seed, 10.0).members["relay-wechat"]
    rehearsed = Rehearsed(
        tmp_path, evening("20:00"), 150, seed, 10.0, hung=("hall-b", 600, 690), down=(1200, 1335),
        outages=[Outage(300, 390, frozenset(wechat)), Outage(1185, 1245, frozenset(wechat))],
    )  # fmt: skip
    verdict = await compared(database, rehearsed)
    assert verdict.holds, "\n".join(verdict.lines())
    assert number(verdict, "drops") > 12  # most of them when the platform's streams dropped
    assert number(verdict, "blind spans of halls") >= 5  # the one that hung, and each while livemon was away


SABOTEURS: dict[str, tuple[dict[str, object], set[str]]] = {
    "its grace is half as long": ({"limits": {"grace_s": 60.0}}, {"resumed or lost"}),
    "its grace is twice as long": ({"limits": {"grace_s": 240.0}}, {"resumed or lost"}),
    "it takes sign-offs for losses": ({"limits": {"end_slack_s": 1.0}}, {"sign-offs counted as drops"}),
    "it takes losses for sign-offs": ({"limits": {"end_slack_s": 7200.0}}, {"drops"}),
    "it does not say that it was blind": ({"careless": True}, {"blind spans of halls"}),
}


@pytest.mark.parametrize(("changed", "lines"), SABOTEURS.values(), ids=SABOTEURS)
async def test_a_monitor_that_judges_otherwise_does_not_hold(
    database, tmp_path: Path, changed: dict[str, object], lines: set[str]
) -> None:
    rehearsed = Rehearsed(
        tmp_path, evening("20:00"), 150, 1, 5.0, hung=("hall-b", 600, 690), outages=weather(1, 150, 600), **changed
    )
    verdict = await compared(database, rehearsed)
    assert lines <= set(verdict.failed), "\n".join(verdict.lines())
    assert not {"ticks of halls", "viewers of halls", "frames of relays"} & set(verdict.failed)
