"""The truth is read as it was told: to the microsecond, in order, and by whoever opens the file meanwhile."""

import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, Fact, Truth, facts_of, frames_of, instants_of, viewers_of

BEGAN_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fact(order: str, kind: str = "paid", platform: str = "wechat", **more: object) -> Fact:
    told = {"shop": "店", "amount_minor": 2**53 + 1, "currency": "CNY", "at": BEGAN_AT + timedelta(microseconds=1)}
    return Fact(platform=platform, order_id=order, kind=kind, **(told | more))


def test_frames_come_back_in_the_order_of_their_instants(tmp_path: Path) -> None:
    dice = random.Random(1)
    told = [
        (
            dice.choice(("hall-a", "relay-wechat")),
            BEGAN_AT + timedelta(microseconds=dice.randrange(7 * 86_400 * 10**6)),
            number,
        )
        for number in range(500)
    ]
    with Truth(tmp_path / "t") as truth:
        for feed, at, number in told:
            truth.served(feed, at, [number, OFF_AIR, NOT_TOLD, 2**31 - 1])
        truth.served("hall-a", BEGAN_AT, None, "failed")
    told.sort(key=lambda frame: frame[1])
    read = [
        (feed, at, outcome, blob and list(viewers_of(blob))) for feed, at, outcome, blob in frames_of(tmp_path / "t")
    ]
    assert read[0] == ("hall-a", BEGAN_AT, "failed", None)
    assert read[1:] == [(feed, at, "answered", [number, -1, -2, 2**31 - 1]) for feed, at, number in told]
    assert [at for _, at, _ in instants_of(tmp_path / "t")] == [at for _, at, *_ in read]
    assert list(frames_of(tmp_path / "t", "hall-a")) == [
        each for each in frames_of(tmp_path / "t") if each[0] == "hall-a"
    ]


def test_facts_come_back_whole_in_the_order_of_their_characters(tmp_path: Path) -> None:
    told = [
        fact("b"),
        fact("B"),
        fact("中"),
        fact("😀"),
        fact("￥"),
        fact("a", "refunded", ref="2", room=None),
        fact("a", room="播"),
    ]
    with Truth(tmp_path / "t") as truth:
        for number, each in enumerate(told):
            truth.sold(each, BEGAN_AT + timedelta(seconds=number))
    read = list(facts_of(tmp_path / "t"))
    ordered = sorted(told, key=lambda each: (each.platform, each.order_id, each.kind))
    assert [each for each, _ in read] == ordered
    assert [at for _, at in read] == [BEGAN_AT + timedelta(seconds=told.index(each)) for each in ordered]


def test_what_was_flushed_can_be_read_while_more_is_told(tmp_path: Path) -> None:
    with Truth(tmp_path / "t") as truth:
        truth.served("hall-a", BEGAN_AT, [1])
        truth.note(BEGAN_AT, "postgres_restart", how="kill")
        truth.flush()
        truth.served("hall-a", BEGAN_AT, [2])
        assert len(list(frames_of(tmp_path / "t"))) == 1
    assert len(list(frames_of(tmp_path / "t"))) == 2


def test_a_truth_is_of_one_play_and_reading_makes_none(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        list(frames_of(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    with Truth(tmp_path / "t"), pytest.raises(sqlite3.OperationalError, match="already exists"):
        Truth(tmp_path / "t")
