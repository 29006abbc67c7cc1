"""The watch: feeds in, changes and numbers out."""

from datetime import datetime, timedelta

import msgspec
import pytest

from collectors.orders.doudian import Doudian
from collectors.servers.node_media_server_hooks import NodeMediaServerHooks
from collectors.servers.srs_hooks import SrsHooks
from collectors.tick import Tick
from monitor.facts import RosterRoom
from monitor.live.session import Session
from monitor.live.sight import UNLISTED_MAX
from tests.live import guarantees
from tests.live.guarantees import ROOMS, Evening, Hooks, Poll
from tests.live.machine import machine
from tests.live.scripts import at, slot

REAL = machine()
A, B = ROOMS


@pytest.mark.parametrize("guarantee", guarantees.ALL, ids=lambda guarantee: guarantee.__name__)
def test_what_is_promised(guarantee):
    guarantee(REAL)


def test_a_step_brings_its_ticks_its_changes_and_how_far_the_feed_was_seen():
    evening = Evening(REAL)
    heard = evening.poll(5, A)
    assert [(room_id, tick.room, tick.live) for room_id, tick in heard.ticks] == [(1, A, True), (2, B, False)]
    assert [(c.platform, c.room, c.opened_at, c.number, c.change) for c in heard.changes] == [
        ("nginx_rtmp", A, at(5), 1, "opened")
    ]
    assert heard.feed.seen_until == at(5)
    assert msgspec.msgpack.decode(heard.changes[0].state, type=Session) == evening.room().session


def test_a_room_is_blind_until_its_first_tick_and_unwatched_where_no_feed_lists_it():
    evening = Evening(REAL, (Poll(name="poll", rooms=[A]),))
    assert [room.state for room in evening.watch.rooms] == [3, 5]
    evening.poll(5)
    assert [room.state for room in evening.watch.rooms] == [0, 5]


def test_a_room_whose_only_feed_brings_orders_is_unwatched():
    orders = Doudian(name="orders", app="doudian", platform="nginx_rtmp", rooms=[A, B])
    evening = Evening(REAL, (orders, Hooks(name="hooks", rooms=[B])))
    assert [room.state for room in evening.watch.rooms] == [5, 3]
    evening.watch.hear("orders", at(5), [Tick("orders", A, at(5), "event", True)], at(5))
    assert [room.state for room in evening.watch.rooms] == [5, 3]
    evening.watch.load(evening.roster, (), (orders, Hooks(name="hooks", rooms=[A])), at(6))
    assert [room.state for room in evening.watch.rooms] == [1, 5]


def test_a_tick_of_a_room_that_the_roster_lacks_is_no_row_but_is_noted():
    evening = Evening(REAL)
    stray = [Tick("poll", "live/黑户", at(s), "status", True) for s in (5, 10)]
    waiting = Tick("poll", "live/waiting", at(5), "status", False)
    assert evening.watch.hear("poll", at(5), [stray[0], waiting], at(5)).ticks == []
    evening.watch.hear("poll", at(10), [stray[1]], at(10))
    assert evening.watch.feeds["poll"].unlisted == {"live/黑户": (at(5), at(10))}


def test_of_too_many_unlisted_rooms_the_rest_is_only_counted():
    evening = Evening(REAL)
    many = [Tick("poll", f"x{number}", at(5), "status", True) for number in range(UNLISTED_MAX + 7)]
    evening.watch.hear("poll", at(5), many, at(5))
    feed = evening.watch.feeds["poll"]
    assert (len(feed.unlisted), feed.unlisted_more) == (UNLISTED_MAX, 7)


def test_numbers_are_shown_as_told_and_hidden_while_blind():
    evening = Evening(REAL)
    evening.poll(5, A, viewers=17, kbps=2500)
    room = evening.room()
    assert (room.viewers, room.kbps, room.last_tick_at) == (17, 2500, at(5).timestamp())
    evening.fail(10, 11)
    assert (room.viewers, room.kbps) == (None, None)
    evening.poll(15, A, viewers=18)
    assert (room.viewers, room.kbps) == (18, None)
    evening.poll(40)
    assert (room.viewers, room.kbps) == (0, 0)


def test_totals_add_up_the_increases_that_were_seen():
    evening = Evening(REAL)
    evening.poll(5, A, views_total=10_000)  # it was on before we looked: that is no increase of ours
    evening.poll(10, A, views_total=10_050)
    evening.poll(15, A, views_total=10_020)
    evening.poll(20, A, views_total=10_060)
    room = evening.room()
    assert room.views_total == 60
    evening.poll(25)
    evening.poll(400, A, views_total=7)  # a new session counts from 0
    assert room.views_total == 67


def test_a_number_that_no_row_can_hold_is_not_shown():
    evening = Evening(REAL)
    evening.poll(5, A, viewers=2**40, views_total=1, progress=2**70)
    evening.poll(10, A, viewers=-1, views_total=2**70, progress=2**71, session_key="\ud800")
    room = evening.room()
    assert (room.viewers, room.views_total, room.state) == (None, 0, 1)
    state = msgspec.msgpack.decode(evening.heard[-1].changes[-1].state, type=Session)
    assert (state.opened_at, state.key, state.progress) == (at(5), None, None)


@pytest.mark.parametrize("naive", [datetime(2026, 11, 19, 12), datetime.min])  # noqa: DTZ001, DTZ901
def test_a_naive_instant_is_quarantined_and_its_frame_is_heard(naive):
    evening = Evening(REAL)
    ticks = [Tick("poll", A, naive, "status", True), Tick("poll", B, at(5), "status", True)]
    heard = evening.watch.hear("poll", at(5), ticks, at(5))
    assert [(bad.feed, bad.kind) for bad in heard.quarantine] == [("poll", "tick")]
    assert [change.room for change in heard.changes] == [B]
    assert len(heard.ticks) == 1


def test_an_instant_from_another_week_is_a_row_but_decides_nothing():
    evening = Evening(REAL)
    heard = evening.watch.hear("poll", at(5), [Tick("poll", A, at(-8 * 86_400), "event", True)], at(5))
    assert (len(heard.ticks), heard.changes) == (1, [])


def test_a_stamp_from_the_future_decides_now():
    evening = Evening(REAL)
    heard = evening.watch.hear("poll", at(5), [Tick("poll", A, at(600), "event", True)], at(5))
    assert heard.changes[0].at == at(5)


def test_a_proved_drop_counts_one_that_was_a_sign_off_does_not():
    evening = Evening(REAL, slots=[slot(0, 100_000)])
    evening.room(0).plan([slot(0, 100_000)], at(0))
    evening.polls(5, 20, A, B)
    evening.polls(20, 30, B)
    assert evening.room(0).drops_total == 0
    evening.polls(30, 40, A, B)
    assert evening.room(0).drops_total == 1
    evening.polls(40, 200)
    assert [room.drops_total for room in evening.watch.rooms] == [2, 0]
    assert [room.state for room in evening.watch.rooms] == [4, 0]


def test_a_lost_room_is_offline_after_its_planned_end():
    evening = Evening(REAL)
    evening.room().plan([slot(0, 5000)], at(0))
    evening.polls(5, 20, A)
    evening.polls(20, 200)
    assert (evening.room().state, evening.room().expected) == (4, True)
    evening.watch.tend(at(5000))
    assert (evening.room().state, evening.room().expected) == (0, False)


def test_a_refused_feed_is_blind_at_once_and_says_so():
    evening = Evening(REAL)
    evening.poll(5, A)
    evening.keep(evening.watch.refuse("poll", "密钥无效", at(6)))
    feed = evening.watch.feeds["poll"]
    assert (feed.state, feed.detail, evening.room().state) == ("refused", "密钥无效", 3)
    evening.poll(10, A)
    assert (feed.state, feed.detail, feed.failures) == ("ok", "", 0)


def test_a_feed_never_seen_has_a_span_only_once_it_fails():
    evening = Evening(REAL)
    assert evening.spans() == []
    evening.fail(3, 4)
    evening.poll(9)
    assert evening.spans() == [("poll", 0, None, "connect"), ("poll", 0, 9, "connect")]


def test_a_span_that_was_open_at_the_end_goes_on_after_a_restart():
    evening = Evening(REAL)
    evening.poll(5, A)
    evening.fail(8, 9)
    evening.start(100, restored=True)
    evening.poll(105, A)
    assert evening.spans() == [("poll", 5, None, "connect"), ("poll", 5, None, "connect"), ("poll", 5, 105, "connect")]


@pytest.mark.parametrize(
    ("still", "frozen_after_s"),
    [
        ({"viewers": 60, "progress": None, "kbps": 900}, 60),
        ({"viewers": 1, "progress": 5}, 60),  # its bytes would move at each look
        ({"viewers": 10, "progress": None}, 360),  # ten people may sit still for a minute
        ({"viewers": 0, "progress": None, "kbps": 900}, None),
        ({"viewers": None, "progress": None, "views_total": 17}, 3600),
    ],
)
def test_numbers_that_all_stand_still_are_a_frozen_feed_once_that_is_no_quiet_room(still, frozen_after_s):
    evening = Evening(REAL)
    for seconds in range(5, frozen_after_s or 7200, 5):
        evening.poll(seconds, A, **still)
        assert evening.watch.feeds["poll"].state == "ok"
    evening.poll((frozen_after_s or 7195) + 5, A, **still)
    assert evening.watch.feeds["poll"].state == ("frozen" if frozen_after_s else "ok")
    evening.poll(7300, A, **(still | {"viewers": 11}))
    assert evening.watch.feeds["poll"].state == "ok"


def test_a_quiet_night_is_no_frozen_feed():
    evening = Evening(REAL)
    evening.polls(5, 600)
    assert evening.watch.feeds["poll"].state == "ok"


def test_events_with_old_stamps_are_a_stale_feed():
    evening = Evening(REAL, (Poll(name="poll", silence_s_max=15.0),))
    evening.watch.hear("poll", at(100), [Tick("poll", A, at(80), "event", True)], at(100))
    assert evening.watch.feeds["poll"].state == "stale"
    evening.watch.hear("poll", at(110), [Tick("poll", A, at(109), "event", True)], at(110))
    assert evening.watch.feeds["poll"].state == "ok"


def test_one_old_stamp_does_not_make_a_quiet_feed_stale_for_ever():
    evening = Evening(REAL, (Poll(name="poll", silence_s_max=15.0),))
    evening.watch.hear("poll", at(100), [Tick("poll", A, at(80), "event", True)], at(100))
    evening.watch.hear("poll", at(160), [], at(160))  # a sign of life, without a stamp
    assert evening.watch.feeds["poll"].state == "stale"
    evening.watch.hear("poll", at(161), [], at(161))
    assert evening.watch.feeds["poll"].state == "ok"


def test_one_old_stamp_of_whoever_calls_does_not_make_it_stale_until_it_calls_again():
    evening = Evening(REAL, (SrsHooks(name="calls", app="srs"),))
    evening.watch.hear("calls", at(100), [Tick("calls", A, at(60), "event", False)], at(100))
    evening.watch.tend(at(130))
    assert evening.watch.feeds["calls"].state == "stale"
    for second in range(131, 250):
        evening.watch.tend(at(second))
    assert evening.watch.feeds["calls"].state == "ok"


@pytest.mark.parametrize(("late_s", "state"), [(30, "ok"), (39, "ok"), (41, "stale")])
def test_who_tells_an_end_half_a_minute_late_by_nature_is_not_stale_for_that(late_s, state):
    evening = Evening(REAL, (NodeMediaServerHooks(name="calls", app="nms"),))
    evening.watch.hear("calls", at(100), [Tick("calls", A, at(100 - late_s), "event", False)], at(100))
    assert evening.watch.feeds["calls"].state == state


def test_a_stall_is_forgotten_when_only_the_feed_that_measured_it_is_blind():
    evening = Evening(REAL, (Poll(name="poll"), Poll(name="second")))
    for seconds in (5, 10, 15):
        evening.poll(seconds, A, progress=1)
    assert evening.room().state == 2
    evening.fail(20, 21)
    evening.poll(22, A, feed="second", progress=None, session_key=None)
    assert evening.told() == [("opened", 5, "status"), ("dropped", 5, "stall"), ("resumed", 22, "status")]


def test_an_import_that_is_undone_does_not_end_a_session():
    evening = Evening(REAL)
    evening.poll(5, A, B)
    generation = evening.watch.roster_generation
    evening.keep(evening.watch.load(evening.roster[1:], (), evening.feeds, at(6)))
    assert [room.external_id for room in evening.watch.rooms] == [B]
    evening.keep(evening.watch.load(evening.roster, (), evening.feeds, at(60)))
    evening.poll(65, A, B)
    assert evening.told() == [("opened", 5, "status")]
    assert evening.watch.roster_generation == generation + 2


def test_a_room_that_stays_away_from_the_roster_ends_unseen():
    evening = Evening(REAL)
    evening.poll(5, A, B)
    evening.keep(evening.watch.load(evening.roster[1:], (), evening.feeds, at(6)))
    evening.keep(evening.watch.tend(at(7) + timedelta(hours=4)))
    assert evening.told() == [("opened", 5, "status"), ("closed", 6, "unseen")]


def test_the_same_roster_again_changes_nothing():
    evening = Evening(REAL)
    evening.poll(5, A)
    rooms, generation = list(evening.watch.rooms), evening.watch.roster_generation
    heard = evening.watch.load(evening.roster, (), evening.feeds, at(7))
    assert (heard.changes, heard.spans, evening.watch.roster_generation) == ([], [], generation)
    assert all(one is other for one, other in zip(rooms, evening.watch.rooms, strict=True))
    assert evening.room().state == 1


def test_a_feed_watches_its_own_list_else_its_platform_and_hall():
    evening = Evening(REAL)
    rows = [
        RosterRoom(1, "nginx_rtmp", A, hall="A"),
        RosterRoom(2, "nginx_rtmp", B, hall="B"),
        RosterRoom(3, "twitch", A),
    ]
    evening.watch.load(rows, (), (), at(0))
    assert evening.watch.rooms_of(Poll(name="p")) == [A, B]
    assert evening.watch.rooms_of(Poll(name="p", hall="B")) == [B]
    assert evening.watch.rooms_of(Poll(name="p", rooms=["x", "x", A])) == ["x", A]
    assert evening.watch.rooms_of(Poll(name="p", platform="twitch")) == [A]


def test_a_feed_taken_out_of_the_config_closes_its_span_and_its_frames_say_nothing():
    evening = Evening(REAL)
    evening.poll(5, A)
    evening.fail(8, 9)
    evening.keep(evening.watch.load(evening.roster, (), (), at(20)))
    assert evening.spans()[-1] == ("poll", 5, 20, "connect")
    assert evening.room().state == 5
    heard = evening.poll(25, A)
    assert (heard.ticks, heard.feed) == ([], None)
    evening.fail(26, 27)


def test_sales_count_once_paid_and_only_in_the_currency_of_the_event():
    evening = Evening(REAL)
    sales = (("created", 900, "CNY"), ("paid", 1200, "CNY"), ("paid", 500, "USD"), ("refunded", 300, "CNY"))
    for kind, amount, currency in (*sales, ("gift", 50, "CNY")):
        evening.watch.sold("nginx_rtmp", A, kind, amount, currency)
    evening.watch.sold("nginx_rtmp", None, "paid", 1, "CNY")
    room = evening.room()
    assert (room.orders_total, room.sales_minor_total, room.refunds_minor_total) == (2, 1200, 300)


def test_hooks_alone_never_make_a_room_blind():
    evening = Evening(REAL, (Hooks(name="hooks"),))
    evening.hook(5, A, True)
    evening.tends(6, 100)
    assert evening.room().state == 1
    evening.start(200, restored=True)
    assert [room.state for room in evening.watch.rooms] == [1, 3]  # of the other one nobody has ever told
    evening.hook(205, A, False)
    assert evening.told() == [("opened", 5, "event"), ("dropped", 205, "event")]
    evening.start(300, restored=True)
    assert (evening.room().state, evening.room().last_tick_at) == (2, at(205).timestamp())
    assert evening.spans() == []


def test_a_session_sealed_before_the_clock_stepped_back_can_still_be_decided():
    evening = Evening(REAL)
    evening.poll(3605, A)
    evening.start(5, restored=True)
    evening.polls(10, 40, A)
    evening.poll(40)
    assert [change for change, _, _ in evening.told()] == ["opened", "dropped"]
