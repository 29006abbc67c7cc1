"""One room of a feed can be blind, too: its span, its session, its numbers, and nobody else's."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors.collector import FeedRow
from collectors.tick import Tick
from monitor.facts import BlindSpan, Heard, PlatformTotal, RosterRoom
from monitor.live.room import Room
from monitor.live.session import Session
from monitor.live.totals import Totals
from monitor.live.watch import Watch

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
LIVE, DROPPED, BLIND, LOST = 1, 2, 3, 4


class OneByOne(FeedRow, tag="one_by_one", frozen=True, kw_only=True):
    interval_s: float = 30.0
    PLATFORM = "wechat"
    ROOM_BY_ROOM = True
    KEY_IS = "session"
    TELLS_MONEY = True


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


class Ground:
    def __init__(self, feeds: int = 1, rooms: str = "ab") -> None:
        self.watch = Watch(grace_s=120.0, settle_s=0.0)
        self.rows = [OneByOne(name=f"f{number}") for number in range(feeds)]
        self.roster = [RosterRoom(number, "wechat", room) for number, room in enumerate(rooms, 1)]
        self.watch.load(self.roster, (), self.rows, at(-1))
        self.heard: list[Heard] = []

    def see(self, seconds: float, room: str, live: bool | None = True, feed: str = "f0", **more: object) -> Heard:
        key = None if live is None else more.pop("key", "s1")
        tick = Tick(feed, room, at(seconds), "status", live, session_key=key, **more)  # type: ignore[arg-type]
        self.heard.append(self.watch.hear(feed, at(seconds), [tick], at(seconds)))
        return self.heard[-1]

    def miss(self, seconds: float, room: str, times: int = 1, feed: str = "f0", cause: str = "auth") -> Heard:
        for _ in range(times):
            self.heard.append(self.watch.fail_room(feed, room, cause, at(seconds)))
        return self.heard[-1]

    def state(self, room: str) -> int:
        return self.room(room).state

    def room(self, room: str) -> Room:
        return self.watch.muster.by_key["wechat", room]

    @property
    def spans(self) -> list[BlindSpan]:
        return [span for heard in self.heard for span in heard.spans]

    def changes(self, room: str) -> list[str]:
        return [change.change for heard in self.heard for change in heard.changes if change.room == room]


def test_the_second_failure_in_a_row_blinds_one_room_as_of_when_it_was_seen_last() -> None:
    ground = Ground()
    ground.see(0, "a", viewers=7)
    ground.see(10, "b")
    assert ground.miss(30, "a").spans == []
    assert ground.state("a") == LIVE
    ground.see(40, "b")
    [span] = ground.miss(60, "a").spans
    assert span == BlindSpan("f0", "wechat", at(0), "auth", "a")
    assert (ground.state("a"), ground.state("b"), ground.room("a").viewers) == (BLIND, LIVE, None)
    assert ground.watch.feeds["f0"].state == "ok"
    assert ground.miss(90, "a").spans == [], "told once"
    [ended] = ground.see(120, "a").spans
    assert ended == BlindSpan("f0", "wechat", at(0), "auth", "a", at(120))
    assert (ground.state("a"), ground.changes("a")) == (LIVE, ["opened"])


def test_a_room_that_is_seen_between_two_failures_is_not_blind() -> None:
    ground = Ground()
    for seconds in range(0, 300, 60):
        ground.see(seconds, "a")
        ground.miss(seconds + 30, "a")
    assert ground.spans == []


def test_frames_of_other_rooms_run_out_nobodys_grace() -> None:
    """b is polled on, a was seen to stop and cannot be seen any longer: it may be back for all we know."""
    ground = Ground()
    ground.see(0, "a")
    ground.see(30, "a", live=False)
    assert ground.state("a") == DROPPED
    ground.miss(60, "a", 2)
    for seconds in range(60, 600, 30):
        ground.see(seconds, "b")
    assert (ground.state("a"), ground.changes("a")) == (BLIND, ["opened", "dropped"])
    ground.see(610, "a")
    assert (ground.state("a"), ground.changes("a")) == (LIVE, ["opened", "dropped", "resumed"])


def test_grace_runs_by_the_rooms_own_looks() -> None:
    ground = Ground()
    ground.see(0, "a")
    for seconds in range(30, 151, 30):
        ground.see(seconds, "a", live=False)
        ground.see(seconds + 1, "b")
    assert ground.changes("a") == ["opened", "dropped"]
    ground.see(180, "a", live=False)
    assert ground.changes("a") == ["opened", "dropped", "closed"]


def test_a_room_is_blind_where_all_its_feeds_are() -> None:
    ground = Ground(feeds=2)
    ground.see(0, "a")
    ground.see(1, "a", feed="f1")
    ground.miss(60, "a", 2)
    assert ground.state("a") == LIVE, "the other feed sees it"
    ground.miss(90, "a", 2, feed="f1")
    assert ground.state("a") == BLIND
    assert [(span.feed, span.from_at) for span in ground.spans] == [("f0", at(0)), ("f1", at(1))]


def test_the_blindness_of_a_feed_takes_that_of_its_rooms_in() -> None:
    ground = Ground()
    ground.see(0, "a")
    ground.see(50, "b")
    ground.miss(60, "a", 2)
    heard = ground.watch.lose("f0", "timeout", at(100))
    assert heard.spans == [
        BlindSpan("f0", "wechat", at(0), "auth", "a", at(50)), BlindSpan("f0", "wechat", at(50), "timeout"),
    ]  # fmt: skip
    ground.see(200, "b")
    assert (ground.state("a"), ground.state("b")) == (LIVE, LIVE)
    [again] = ground.miss(230, "a", 2).spans
    assert again.from_at == at(200), "the feed's own span is before that"


def test_what_one_room_says_is_no_proof_that_the_others_are_heard() -> None:
    """After most were lost together: a message of the first that is back, or one of before that is read only now."""
    ground = Ground()
    ground.see(0, "a")
    ground.see(50, "b")
    ground.watch.lose("f0", "closed", at(100))
    for second in (99, 101):
        like = Tick("f0", "a", at(second), "status", True)
        heard = ground.watch.hear("f0", at(second), [like], at(102), whole=False)
        assert (heard.spans, ground.state("a"), ground.state("b")) == ([], BLIND, BLIND)
    over = Tick("f0", "a", at(103), "event", False, end="ended")
    heard = ground.watch.hear("f0", at(103), [over], at(103), whole=False)
    assert [change.change for change in heard.changes] == ["closed"], "what is told all the same is believed"
    heard = ground.watch.hear("f0", at(140), [], at(140))
    assert [(span.from_at, span.to_at) for span in heard.spans] == [(at(50), at(140))]
    assert (ground.state("a"), ground.state("b")) == (0, LIVE)


def test_a_room_that_leaves_the_roster_has_no_open_span() -> None:
    ground = Ground()
    ground.see(0, "a")
    ground.miss(60, "a", 2)
    heard = ground.watch.load(ground.roster[1:], (), ground.rows, at(90))
    assert heard.spans == [BlindSpan("f0", "wechat", at(0), "auth", "a", at(90))]
    assert ground.watch.load(ground.roster[1:], (), (), at(95)).spans == []


def test_a_feed_that_leaves_the_config_has_no_open_span() -> None:
    ground = Ground()
    ground.see(0, "a")
    ground.miss(60, "a", 2)
    heard = ground.watch.load(ground.roster, (), (), at(90))
    assert heard.spans == [BlindSpan("f0", "wechat", at(0), "auth", "a", at(90))]


@pytest.mark.parametrize(("feed", "room"), [("nobody", "a"), ("f0", "nobody")])
def test_what_is_not_watched_cannot_be_blind(feed: str, room: str) -> None:
    ground = Ground()
    ground.see(0, "a")
    assert ground.miss(30, room, 3, feed=feed) == Heard()


def test_a_platforms_total_is_written_when_it_moved_and_not_too_often_and_at_the_end() -> None:
    ground = Ground()
    told = [
        (0, 100, True, 1), (30, 150, True, 0), (600, 150, True, 1), (630, 151, True, 0), (1_300, 151, True, 1),
        (1_330, 151, False, 0), (1_360, 152, False, 1), (1_390, 152, False, 0),
    ]  # fmt: skip
    for seconds, fen, live, rows in told:
        heard = ground.see(seconds, "a", live=live, gmv_minor=fen, currency="CNY")
        expected = [PlatformTotal("wechat", "a", at(seconds), at(0), fen, "CNY")]
        assert heard.totals == expected * rows, seconds


def test_a_total_belongs_to_the_session_whose_key_it_has() -> None:
    room, totals = Room(RosterRoom(1, "wechat", "a")), Totals()
    room.session = Session(opened_at=AT, key="s1")
    tick = Tick("f0", "a", AT, "status", True, session_key="s2", gmv_minor=5, currency="CNY")
    assert totals.take([tick], {"a": room}) == []
    assert totals.take([tick], {}) == []
    room.session = Session(opened_at=AT, key="s2")
    assert len(totals.take([tick], {"a": room})) == 1


@pytest.mark.parametrize("odd", [{"gmv_minor": -1}, {"gmv_minor": 2**63}, {"currency": None}, {"gmv_minor": None}])
def test_nonsense_is_no_total(odd: dict[str, object]) -> None:
    ground = Ground()
    assert ground.see(0, "a", **({"gmv_minor": 5, "currency": "CNY"} | odd)).totals == []
