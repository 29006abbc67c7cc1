"""Notices go out one by one while there is room, else together with those of their severity; none is cut for it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from monitor.alerts.bundle import BUNDLE_MAX, LINKS_MAX, first
from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Kind, Link, Notice
from monitor.alerts.waiting import Waiting

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)


def waiting(
    id_: int, severity: str = "critical", kind: Kind = "firing", lines: tuple[str, ...] = ("3 号馆",)
) -> Waiting:
    links = (Link("看板", "https://g.cn"), Link("我来处理", f"https://live.cn/a/{id_}"))
    notice = Notice(kind, severity, f"【断流】#{id_} 停", lines, links, (Contact(f"c{id_ % 3}"),), id_)
    return Waiting(id_, "hall-3", notice, 0, AT, severity)


def told(queue: Sequence[Waiting], critical: int = 18, others: int = 12, lines_max: int = 99):
    return first(queue, lambda first: critical if first else others, lambda told: len(told.lines) <= lines_max, "zh")


def test_while_there_is_room_the_oldest_of_the_worst_goes_alone():
    queue = [waiting(1, "info"), waiting(2, "warning"), waiting(3), waiting(4)]
    bundle = told(queue)
    assert bundle is not None
    assert (bundle.ids, bundle.notice, bundle.severity) == ((3,), queue[2].notice, "critical")
    assert told(queue[:2]).ids == (2,)
    assert told([]) is None


def test_nothing_goes_when_nothing_may_and_the_less_severe_does_not_wait_for_the_worse():
    assert told([waiting(1)], critical=0, others=0) is None
    assert told([waiting(1), waiting(2, "info")], critical=2, others=0).ids == (1,)


def test_more_than_may_go_out_goes_together_and_says_all_of_it():
    queue = [waiting(number) for number in range(100, 130)]
    bundle = told(queue, critical=18)
    assert bundle is not None
    assert bundle.ids == tuple(range(100, 130))
    assert bundle.notice.title == "【汇总】30 条消息"
    assert bundle.notice.lines == tuple(f"【断流】#{number} 停;3 号馆" for number in range(100, 130))
    assert {contact.id for contact in bundle.notice.mentions} == {"c0", "c1", "c2"}
    assert bundle.notice.links[0] == Link("#100 我来处理", "https://live.cn/a/100")
    assert len(bundle.notice.links) == LINKS_MAX
    assert bundle.notice.episode is None


def test_what_would_be_cut_goes_with_the_next_one():
    queue = [waiting(number) for number in range(30)]
    assert told(queue, critical=1, lines_max=7).ids == tuple(range(7))
    assert told(queue, critical=1, lines_max=1).ids == (0,)
    assert len(told([waiting(number) for number in range(500)], critical=1).ids) == BUNDLE_MAX


def test_severities_are_not_mixed_and_a_handover_stays_whole():
    queue = [waiting(1, "warning"), waiting(2, "warning"), waiting(3, "info")]
    assert told(queue, others=1).ids == (1, 2)
    long = waiting(4, "info", "handover", ("a",) * 30)
    assert told([long, waiting(5, "info"), waiting(6, "info")], others=1).notice == long.notice
    assert told([waiting(5, "info"), long, waiting(6, "info")], others=1).ids == (5, 6)
