"""A critical alert that nobody holds reaches the first of the shift, then the second, each once; then it is quiet."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest

from monitor.alerts import escalation
from monitor.alerts.alert import Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.escalation import Call, Called
from monitor.alerts.notice import Link
from tests.alerts.duty_book import SINCE, dropped, episode

DUTY = ("zhang", "li")
ONE = episode(7, dropped("1"), annotations={"summary": "断流 王姐海鲜"})
Due = Callable[..., list[Call]]


def played(
    minutes: Iterable[float], held_from: float = 1e9, due: Due = escalation.due, one: Episode = ONE
) -> list[tuple[float, str]]:
    """Which calls come, minute by minute, and nothing else is remembered than what `after` says."""
    called: dict[int, Called] = {}
    made = []
    for minute in minutes:
        now = SINCE + timedelta(minutes=minute)
        calls = due([one], [one.number] if minute >= held_from else [], called, DUTY, now)
        called = escalation.after(called, calls, [one.number], now)
        made += [(minute, call.callee) for call in calls]
    return made


EVERY = [step / 2 for step in range(120)]


def test_the_first_after_five_minutes_the_second_after_ten_and_nobody_again() -> None:
    assert played(EVERY) == [(5.0, "zhang"), (10.0, "li")]


@pytest.mark.parametrize(
    ("held_from", "made"), [(4.5, []), (5.0, []), (5.5, [(5.0, "zhang")]), (10.0, [(5.0, "zhang")])]
)
def test_who_takes_it_stops_it(held_from: float, made: list[tuple[float, str]]) -> None:
    assert played(EVERY, held_from) == made


def test_after_a_long_restart_each_has_five_minutes_all_the_same() -> None:
    assert played([60 + step / 2 for step in range(60)]) == [(60.0, "zhang"), (65.0, "li")]


@pytest.mark.parametrize("minutes", [0, 4.99])
def test_not_before(minutes: float) -> None:
    assert played([minutes]) == []


def test_only_what_is_critical_and_goes_on() -> None:
    late = SINCE + timedelta(hours=1)
    over = Episode(8, ONE.alert, "recovered")
    assert escalation.due([episode(9, dropped("2"), "warning"), over], [], {}, DUTY, late) == []
    assert escalation.due([ONE], [], {}, (), late) == []


def test_a_storm_is_one_call() -> None:
    many = [episode(number, dropped(str(number))) for number in range(300)]
    (call,) = escalation.due(many, [5], {}, DUTY, SINCE + timedelta(minutes=5))
    assert len(call.episodes) == 299
    said = escalation.notice(call, Contact("zhang", "张三"), (), "zh", {})
    assert said.title == "【升级】299 条严重告警,5 分钟无人处理"
    assert (len(said.lines), said.lines[-1], said.episode) == (22, "另有 279 条", None)


def test_the_message_mentions_whom_it_calls() -> None:
    zhang, link = Contact("zhang", "张三", "13800138000"), Link("我来处理", "https://x/a/t")
    said = escalation.notice(Call(1, "zhang", (ONE,)), zhang, (link,), "zh", {7: "20:14:05"})
    assert said.lines == ("请 张三 处理", "#7 断流 王姐海鲜,20:14:05 起")
    assert (said.kind, said.mentions, said.links, said.episode) == ("escalation", (zhang,), (link,), 7)


def test_a_call_has_one_key() -> None:
    assert Call(1, "zhang", (ONE,)).key == Call(1, "zhang", (ONE,)).key == "escalation 1 7"
    assert Call(2, "li", (ONE,)).key != Call(1, "zhang", (ONE,)).key


def forgets(
    episodes: Iterable[Episode], held: Iterable[int], called: object, callees: tuple[str, ...], now: object
) -> list[Call]:
    return escalation.due(episodes, held, {}, callees, now)  # type: ignore[arg-type]


def deaf(
    episodes: Iterable[Episode], held: Iterable[int], called: object, callees: tuple[str, ...], now: object
) -> list[Call]:
    return escalation.due(episodes, [], called, callees, now)  # type: ignore[arg-type]


@pytest.mark.parametrize(("wrong", "held_from"), [(forgets, 1e9), (deaf, 5.5)])
def test_one_that_forgets_or_does_not_listen_is_found(wrong: Due, held_from: float) -> None:
    assert played(EVERY, held_from, wrong) != played(EVERY, held_from)
