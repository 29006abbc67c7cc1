"""What messages of a Bilibili room mean: money that nobody told of is never there, another room's message is none."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.bilibili_messages import frame_of
from collectors.collector import BadFrame
from collectors.hook import App, Meaning
from monitor.live.seeing import see
from monitor.live.session import Rules, Session

from .bilibili_house import row

AT = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)
AT_S = 1_795_521_600
SECOND = datetime.fromtimestamp(AT_S, UTC)
APP = App("bili", "bilibili")
BASE = {"room_id": 5, "timestamp": AT_S, "msg_id": "m-1", "open_id": "u1"}
GIFT = BASE | {"gift_id": 1, "gift_name": "小花花", "gift_num": 3, "price": 1000, "r_price": 1000, "paid": True}
GUARD = BASE | {"user_info": {"open_id": "u2"}, "guard_level": 3, "guard_num": 1, "guard_unit": "月", "price": 198_000}
CHAT = BASE | {"message_id": 9_007_199_254_740_993, "rmb": 30, "message": "好吃"}


def meant(name: str, data: dict[str, Any], room: str = "5", **settings: Any) -> Meaning:
    body = json.dumps({"cmd": f"LIVE_OPEN_PLATFORM_{name}", "data": data}).encode()
    return row(["5"], **settings).parse(frame_of(room, body), AT, APP)


def without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


@pytest.mark.parametrize(
    ("data", "minor"),
    [
        (GIFT, 100),  # three of 1,000: told as what was paid
        (GIFT | {"r_price": 660}, 66),
        (GIFT | {"price": 660}, 66),  # the lower one, whichever it is
        (GIFT | {"r_price": 0}, 100),
        (GIFT | {"price": 0, "r_price": 0}, 0),
        (without(GIFT, "r_price"), 100),
        (without(GIFT, "price"), 100),
        (GIFT | {"price": 1005, "r_price": 1005}, 100),  # half a fen, to the even one
        (GIFT | {"price": 1015, "r_price": 1015}, 102),
        (GIFT | {"blind_gift": {"blind_gift_id": 32_251, "status": True}, "price": 2_233_000}, 0),
        (GIFT | {"blind_gift": {"blind_gift_id": 0, "status": False}}, 100),
    ],
)
def test_a_gift_is_worth_what_was_paid_and_never_more(data: dict[str, Any], minor: int) -> None:
    [sale] = meant("SEND_GIFT", data).sales
    assert (sale.kind, sale.amount_minor, sale.currency, sale.units, sale.coin) == ("gift", minor, "CNY", 3, None)
    assert (sale.event_id, sale.room, sale.buyer, sale.platform) == ("5:m-1:gift", "5", b"u1", "bilibili")


def test_where_prices_are_those_of_each_it_is_said_so() -> None:
    [sale] = meant("SEND_GIFT", GIFT | {"r_price": 660}, gift_price="each").sales
    assert sale.amount_minor == 198


@pytest.mark.parametrize("paid", [{"paid": False}, {"paid": None}])
def test_what_nobody_paid_for_is_no_sale(paid: dict[str, Any]) -> None:
    if paid["paid"] is None:
        assert meant("SEND_GIFT", without(GIFT, "paid")) == Meaning()
    else:
        assert meant("SEND_GIFT", GIFT | paid) == Meaning()


def test_a_guard_and_a_super_chat_are_gifts() -> None:
    [guard], [chat] = meant("GUARD", GUARD).sales, meant("SUPER_CHAT", CHAT).sales
    assert (guard.amount_minor, guard.buyer, guard.items[0].item_id) == (19_800, b"u2", "guard3")
    assert (chat.amount_minor, chat.event_id) == (3_000, "5:sc9007199254740993:gift")
    assert {guard.kind, chat.kind} == {"gift"}


@pytest.mark.parametrize(
    ("told", "units"),
    [
        ({}, 1),
        ({"guard_num": 3}, 3),
        ({"guard_unit": "*3天", "guard_num": 3}, 1),
        ({"guard_unit": "天", "guard_num": None}, 1),
        ({"guard_unit": "", "guard_num": -1}, 1),
    ],
)
def test_how_many_months_a_guard_is_counts_and_of_any_other_unit_it_is_one(told: dict[str, Any], units: int) -> None:
    data = {name: value for name, value in (GUARD | told).items() if value is not None}
    [guard] = meant("GUARD", data).sales
    assert (guard.units, guard.items[0].units, guard.amount_minor) == (units, units, 19_800)


@pytest.mark.parametrize(("name", "live", "end"), [("LIVE_START", True, None), ("LIVE_END", False, "ended")])
def test_on_and_off_air_are_events_of_the_platforms_own_second(name: str, live: bool, end: str | None) -> None:
    [tick] = meant(name, BASE).ticks
    assert (tick.room, tick.live, tick.evidence, tick.end) == ("5", live, "event", end)
    assert tick.at.replace(microsecond=0) == SECOND
    assert tick.viewers is None
    assert tick.session_key is None


def test_a_like_says_that_the_room_is_on_air_and_counts_nothing() -> None:
    [tick] = meant("LIKE", without(BASE, "timestamp") | {"like_count": 99}).ticks
    assert (tick.at, tick.evidence, tick.live, tick.likes_total) == (AT, "status", True, None)


def test_an_end_in_the_second_of_a_like_ends_the_broadcast() -> None:
    """Both are told in whole seconds; what decides must be later than what decided before."""
    session, rules, changes = Session(), Rules(), []
    for name in ("LIKE", "LIVE_END"):
        [tick] = meant(name, BASE).ticks
        session, marks = see(session, tick, tick.at, rules)
        changes += [(mark.change, mark.at) for mark in marks]
    [(opened, started_at), (closed, ended_at)] = changes
    assert (opened, started_at, closed) == ("opened", SECOND - timedelta(milliseconds=1), "closed")
    assert SECOND < ended_at < AT


@pytest.mark.parametrize("name", ["DM", "DM_MIRROR", "LIVE_ROOM_ENTER", "SUPER_CHAT_DEL", "INTERACTION_END", "NEW"])
def test_all_else_means_nothing(name: str) -> None:
    assert meant(name, {"room_id": 5}) == Meaning()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("SEND_GIFT", GIFT | {"room_id": 6}),
        ("LIVE_END", BASE | {"room_id": 6}),
        ("LIVE_END", without(BASE, "room_id")),
        ("LIVE_END", without(BASE, "timestamp")),
        ("LIVE_END", BASE | {"timestamp": "gestern"}),
        ("SEND_GIFT", without(GIFT, "price", "r_price")),
        ("SEND_GIFT", without(GIFT, "gift_num")),
        ("SEND_GIFT", without(GIFT, "msg_id")),
        ("SEND_GIFT", GIFT | {"msg_id": "a b"}),
        ("SEND_GIFT", GIFT | {"price": -1}),
        ("SEND_GIFT", GIFT | {"price": "1e5"}),
        ("SEND_GIFT", GIFT | {"price": 10**30}),
        ("SEND_GIFT", GIFT | {"gift_num": 2.5}),
        ("SEND_GIFT", GIFT | {"paid": "false"}),
        ("GUARD", without(GUARD, "price")),
        ("GUARD", without(GUARD, "guard_num")),
        ("SUPER_CHAT", without(CHAT, "rmb")),
        ("SUPER_CHAT", without(CHAT, "message_id")),
    ],
)
def test_what_is_of_another_room_or_half_told_is_a_bad_frame(name: str, data: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        meant(name, data)


@pytest.mark.parametrize("frame", [b"", b"5", b"\n", b"5\n", b"5\n[]", b"5\nnull", b"5\n{", b'5\n{"cmd":1}'])
def test_what_is_no_frame_is_a_bad_frame(frame: bytes) -> None:
    with pytest.raises(BadFrame):
        row(["5"]).parse(frame, AT, APP)


NAMES = st.sampled_from(["SEND_GIFT", "GUARD", "SUPER_CHAT", "LIVE_START", "LIVE_END", "LIKE"])
ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=9), st.floats(), st.dictionaries(st.text(), st.none())
)


@given(NAMES, st.dictionaries(st.sampled_from([*GIFT, *GUARD, *CHAT, "blind_gift"]), ANY))
def test_of_any_fields_nothing_comes_but_a_meaning_or_a_bad_frame(name: str, odd: dict[str, Any]) -> None:
    try:
        meaning = meant(name, GIFT | GUARD | CHAT | odd)
    except BadFrame:
        return
    assert all(0 <= sale.amount_minor <= 10**15 for sale in meaning.sales)
