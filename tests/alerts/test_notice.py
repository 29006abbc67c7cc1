"""A message is cut by whole lines and whole characters to what fits, and says how much it left out."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import notice as notices
from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Link, Notice

Cut = Callable[[Notice, Callable[[Notice], int], int, notices.Language], Notice]


def size(notice: Notice) -> int:
    links = "".join(link.text + link.url for link in notice.links)
    return len("\n".join((notice.title, *notice.lines, links, *(each.id for each in notice.mentions))).encode())


def of(lines: int, title: str = "【断流】", **others: object) -> Notice:
    return Notice("firing", "critical", title, tuple(f"第 {number} 路,停了" for number in range(lines)), **others)  # type: ignore[arg-type]


def test_what_fits_is_not_touched():
    whole = of(3)
    assert notices.cut(whole, size, size(whole), "zh") is whole


def test_one_byte_less_leaves_out_whole_lines_and_counts_them():
    whole = of(30)
    shorter = notices.cut(whole, size, size(whole) - 1, "zh")
    assert shorter.lines[:-1] == whole.lines[: len(shorter.lines) - 1]
    assert shorter.lines[-1] == f"另有 {30 - len(shorter.lines) + 1} 行"
    assert size(shorter) <= size(whole) - 1
    assert notices.cut(whole, size, size(whole) - 1, "en").lines[-1].endswith(" more lines")


def test_a_title_that_is_too_long_is_cut_between_characters():
    long = of(2, "断" * 500)
    for bytes_max in range(100, 110):
        shorter = notices.cut(long, size, bytes_max, "zh")
        assert size(shorter) <= bytes_max
        assert shorter.title.rstrip("…").strip("断") == ""
        assert shorter.lines == ("另有 2 行",)


def test_mentions_go_before_links_and_both_before_nothing_is_said():
    links, people = (Link("看板", "https://g.cn/" + "x" * 100),), tuple(Contact("c" * 30 + str(n)) for n in range(20))
    crowded = of(2, links=links, mentions=people)
    assert notices.cut(crowded, size, 200, "zh").mentions == ()
    assert notices.cut(crowded, size, 200, "zh").links == links
    assert notices.cut(crowded, size, 60, "zh").links == ()
    with pytest.raises(ValueError, match="nothing fits"):
        notices.cut(crowded, size, 10, "zh")


def check(cut: Cut, whole: Notice, bytes_max: int) -> None:
    got = cut(whole, size, bytes_max, "zh")
    assert size(got) <= bytes_max
    if got == whole:
        return
    kept = got.lines[:-1]
    assert kept == whole.lines[: len(kept)]
    assert got.lines[-1:] == ((f"另有 {len(whole.lines) - len(kept)} 行",) if whole.lines else ())
    left = len(whole.lines) - len(kept) - 1
    one_more = whole.with_lines((*whole.lines[: len(kept) + 1], f"另有 {left} 行"))
    assert left <= 0 or size(one_more) > bytes_max, "one more line would have fitted"


@given(st.lists(st.text(min_size=1, max_size=30), max_size=30), st.integers(60, 900))
def test_whatever_the_lines_are(lines: list[str], bytes_max: int):
    check(notices.cut, Notice("firing", "info", "题", tuple(lines)), bytes_max)


def by_characters(whole: Notice, size: Callable[[Notice], int], bytes_max: int, language: notices.Language) -> Notice:
    return notices.cut(whole, lambda told: len("".join(told.lines)), bytes_max, language)


def counts_wrongly(whole: Notice, size: Callable[[Notice], int], bytes_max: int, language: notices.Language) -> Notice:
    got = notices.cut(whole, size, bytes_max, language)
    return got if got == whole else got.with_lines((*got.lines[:-1], f"另有 {len(whole.lines)} 行"))


def from_the_front(whole: Notice, size: Callable[[Notice], int], bytes_max: int, language: notices.Language) -> Notice:
    return notices.cut(whole.with_lines(whole.lines[::-1]), size, bytes_max, language)


def mid_line(whole: Notice, size: Callable[[Notice], int], bytes_max: int, language: notices.Language) -> Notice:
    got = notices.cut(whole, size, bytes_max, language)
    return got if got == whole else got.with_lines((*got.lines[:-2], got.lines[-2][:-1], got.lines[-1]))


@pytest.mark.parametrize("wrong", [by_characters, counts_wrongly, from_the_front, mid_line])
def test_a_planted_bug_is_seen(wrong: Cut):
    with pytest.raises(AssertionError):
        check(wrong, of(40), 400)
