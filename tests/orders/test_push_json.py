"""Our own push format: what is accepted, what each item means, and what becomes of bad ones."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.hook import Accepted, Meaning, Refused
from collectors.orders.push_json import PushJson, content_name
from collectors.tick import Sale, SaleItem, Tick
from tests.orders.signed import NEXT, NOW, SECRET, STAMP, app, as_body, post, pushed, understood

HOOK = PushJson(name="mcn-a", app="mcn", platform="wechat", platforms=["wechat", "doudian"])
SALE: dict[str, Any] = {
    "event_id": "shop1:5001:paid", "kind": "paid", "at": "2026-11-24T19:59:58+08:00", "amount": "129.90",
    "currency": "CNY",
}  # fmt: skip
FULL = SALE | {
    "platform": "doudian", "room": "直播间1", "shop": "shop1", "order_id": "5001", "units": 3, "buyer": "张三的id",
    "items": [
        {"item_id": "p1", "title": "大米 5kg", "units": 1, "amount": "29.90"},
        {"item_id": "p2", "units": 1, "amount_minor": 5000},
        {"item_id": "p2", "units": 1, "amount_minor": 5000},
    ],
}  # fmt: skip
TICK: dict[str, Any] = {"room": "直播间1", "at": 1795521598, "live": True}


def sale(**changes: object) -> Meaning:
    return understood(HOOK, pushed({"sales": [SALE | changes, SALE | {"event_id": "shop1:5002:paid"}]}))


def test_a_sale_comes_out_whole() -> None:
    meaning = understood(HOOK, pushed({"sales": [FULL]}))
    assert meaning == Meaning([
        Sale(
            feed="mcn-a", platform="doudian", event_id="shop1:5001:paid", at=NOW - timedelta(seconds=2),
            received_at=NOW, kind="paid", amount_minor=12990, currency="CNY", room="直播间1", shop="shop1",
            order_id="5001", units=3, buyer="张三的id".encode(), via="push",
            items=(SaleItem("p1", "大米 5kg", 1, 2990), SaleItem("p2", None, 2, 10000)),
        )
    ], [], (), [])  # fmt: skip


def test_a_tick_comes_out_whole() -> None:
    told = TICK | {"viewers": 1203, "views_total": 2**53 + 1, "likes_total": 0, "kbps": 2500, "session_key": "s1"}
    at = datetime(2026, 11, 24, 11, 59, 58, tzinfo=UTC)
    assert list(understood(HOOK, pushed({"ticks": [told]})).ticks) == [
        Tick("mcn-a", "直播间1", at, "status", True, 1203, 2**53 + 1, 0, 2500, None, "s1")
    ]


@pytest.mark.parametrize(
    ("told", "live"), [({}, None), ({"live": False}, False), ({"end": "ended"}, False), ({"end": "failed"}, False)]
)
def test_an_end_says_that_the_room_is_off_air(told: dict[str, object], live: bool | None) -> None:
    (tick,) = understood(HOOK, pushed({"ticks": [{"room": "r", "at": 1795521598} | told]})).ticks
    assert (tick.live, tick.end) == (live, told.get("end"))


def test_what_came_as_a_file_says_so() -> None:
    (told,) = understood(HOOK, pushed({"via": "file", "sales": [SALE]})).sales
    assert told.via == "file"


def test_a_gift_counts_coins_until_a_rate_makes_money_of_them() -> None:
    gift = {"event_id": "g:1", "kind": "gift", "at": 1795521598, "coin": "抖币", "coins": 520, "room": "r"}
    (told,) = understood(HOOK, pushed({"sales": [gift]})).sales
    assert (told.kind, told.coin, told.amount_minor, told.currency) == ("gift", "抖币", 520, "")


@pytest.mark.parametrize(
    ("told", "minor"),
    [
        ({"amount": "129.90"}, 12990), ({"amount": 129.9}, 12990), ({"amount": 129}, 12900), ({"amount": "0"}, 0),
        ({"amount": "1.005"}, 100), ({"amount": "1.015"}, 102), ({"amount": 0.1 + 0.2}, 30),
        ({"amount_minor": 12990}, 12990), ({"amount_minor": 12990.0}, 12990), ({"amount_minor": "12990"}, 12990),
        ({"amount_minor": 10**15}, 10**15), ({"amount": "12990", "currency": "JPY"}, 12990),
        ({"amount": "12.990", "currency": "KWD"}, 12990), ({"amount": "-5", "kind": "refunded"}, 500),
        ({"amount_minor": 500, "kind": "refunded"}, 500),
    ],
)  # fmt: skip
def test_money_is_exact(told: dict[str, object], minor: int) -> None:
    document = {key: value for key, value in SALE.items() if key != "amount"} | told
    meaning = understood(HOOK, pushed({"sales": [document]}))
    assert [(s.amount_minor, s.currency) for s in meaning.sales] == [(minor, told.get("currency", "CNY"))]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": "NaN"}, "amount: no number"), ({"amount": "inf"}, "amount: no number"),
        ({"amount": "-1.00"}, "amount: negative"), ({"amount": "1,234.00"}, "amount: no number"),
        ({"amount": "１２"}, "amount: no number"), ({"amount": "1.2万"}, "amount: no number"),
        ({"amount": True}, "amount: no number"), ({"amount": 10**20}, "amount: out of range"),
        ({"amount": 10**4000}, "amount: out of range"), ({"amount": None}, "amount: needs one"),
        ({"amount": "1e12"}, "amount: no number"), ({"amount_minor": 12990}, "amount: needs one"),
        ({"amount": None, "amount_minor": 1.9}, "amount: a fraction"),
        ({"amount": None, "amount_minor": 2**63}, "amount: out of range"),
        ({"currency": ""}, "currency: unknown"), ({"currency": "RMB"}, "currency: unknown"),
        ({"currency": None}, "bad_item: Expected `str`, got `null` - at `$.currency`"),
        ({"coin": "抖币", "coins": 5}, "coins: only of a gift"), ({"coins": 5}, "coins: only of a gift"),
        ({"at": None}, "bad_time"), ({"at": "2026-11-24T19:59:58"}, "bad_time: without an offset"),
        ({"at": "2026-02-30T00:00:00Z"}, "bad_time"), ({"at": "2026-11-24T23:59:60Z"}, "bad_time"),
        ({"at": 0}, "bad_time"),
        ({"kind": "张三"}, "bad_item: Invalid enum value - at `$.kind`"), ({"units": -1}, "bad_item: "),
        ({"units": 1.5}, "bad_item: "), ({"units": "3"}, "bad_item: "), ({"units": 2**31}, "bad_item: "),
        ({"room": ""}, "bad_item: "), ({"room": "r" * 129}, "bad_item: "), ({"room": 5}, "bad_item: "),
        ({"platform": "taobao"}, "bad_item: a platform"), ({"items": [{}]}, "bad_item: "),
        ({"items": [{"item_id": "p"}] * 201}, "bad_item: "), ({"items": {}}, "bad_item: "),
        ({"items": [{"item_id": "p", "amount": "NaN"}]}, "amount: no number"),
    ],
)  # fmt: skip
def test_one_bad_sale_is_set_aside_and_the_other_counts(changes: dict[str, object], reason: str) -> None:
    meaning = sale(**changes)
    assert [told.event_id for told in meaning.sales] == ["shop1:5002:paid"]
    (bad,) = meaning.bad
    assert bad.reason.startswith(reason)
    assert bad.sample == "shop1:5001:paid"
    assert json.loads(bad.raw)["kind"] == changes.get("kind", "paid")


@pytest.mark.parametrize("event_id", ["", "x" * 129, "'; DROP TABLE sale", "../../etc", "a b", "订单", "a\n", 5, None])
def test_an_event_id_that_is_none_is_named_by_its_place(event_id: object) -> None:
    meaning = sale(event_id=event_id)
    assert len(meaning.sales) == 1
    assert [bad.sample for bad in meaning.bad] == ["item 1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"viewers": -1}, {"viewers": 2**31}, {"viewers": 1.9}, {"viewers": True}, {"viewers": "12"},
        {"views_total": 2**63}, {"views_total": 2**64}, {"live": 1}, {"live": "true"},
        {"end": "over"}, {"end": "ended"}, {"room": None}, {"at": "20:00"}, {"kbps": -5}, {"session_key": ""},
    ],
)  # fmt: skip
def test_one_bad_tick_is_set_aside_and_the_other_counts(changes: dict[str, object]) -> None:
    meaning = understood(HOOK, pushed({"ticks": [TICK | changes, TICK]}))
    assert (len(meaning.ticks), [bad.kind for bad in meaning.bad]) == (1, ["tick"])


@pytest.mark.parametrize("item", [None, 5, "x", [], [{}], True])
def test_an_item_that_is_no_object_is_set_aside(item: object) -> None:
    meaning = understood(HOOK, pushed({"ticks": [item], "sales": [SALE, item]}))
    assert len(meaning.sales) == 1
    assert [(bad.kind, bad.sample) for bad in meaning.bad] == [("tick", "item 1"), ("sale", "item 2")]


def test_unknown_fields_are_ignored() -> None:
    meaning = sale(note="x", extra={"deep": [1]})
    assert (len(meaning.sales), len(meaning.bad)) == (2, 0)


def test_text_that_postgresql_cannot_hold_is_kept_with_a_mark() -> None:
    body = rb'{"ticks": [{"room": "r\u0000\ud800", "at": 1795521598}]}'
    (tick,) = understood(HOOK, pushed(body)).ticks
    assert tick.room == "r��"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"0", b'"x"', b'{"sales": {}}', b'{"sales": null}', b'{"sales": [NaN]}', b"\xff", b"{} {}",
        b'{"sales": [{"amount": 1, "amount": 2}]}', b'{"via": "poll"}', b"[" * 100_000, b"<html>",
        json.dumps({"ticks": [TICK] * 1001}).encode(),
    ],
)  # fmt: skip
def test_a_body_that_means_nothing_is_accepted_kept_and_refused_by_the_reader(body: bytes) -> None:
    with pytest.raises(BadFrame):
        understood(HOOK, pushed(body))


def test_the_answer_is_the_documented_one_and_a_probe_is_known() -> None:
    verdict = HOOK.verify(pushed({"sales": [SALE]}, "d-7"), app(), NOW)
    assert isinstance(verdict, Accepted)
    assert (verdict.reply.body, verdict.reply.status, verdict.delivery_id) == (b'{"accepted": true}', 200, "d-7")
    assert not verdict.probe
    probe = HOOK.verify(pushed(b"{}"), app(), NOW)
    assert isinstance(probe, Accepted)
    assert probe.probe


def test_a_delivery_that_is_named_by_its_content_counts_once() -> None:
    body = as_body({"ticks": [TICK]})
    for name, once in [(content_name(body), True), (content_name(body + b" "), False), ("d-1", False)]:
        verdict = HOOK.verify(pushed(body, name), app(), NOW)
        assert isinstance(verdict, Accepted)
        assert verdict.once == once


def test_both_secrets_count_while_one_is_rotated_out() -> None:
    for secret in (SECRET, NEXT):
        assert isinstance(HOOK.verify(pushed({}, secret=secret), app(SECRET, NEXT), NOW), Accepted)
    assert HOOK.verify(pushed({}, secret=SECRET), app(NEXT), NOW) == Refused("bad_signature")
    assert HOOK.verify(pushed({}), app().__class__("none", "any"), NOW) == Refused("bad_signature")


@pytest.mark.parametrize(
    ("seconds", "refused"), [(-301, "stale"), (-300, None), (0, None), (300, None), (301, "stale"), (-(10**9), "stale")]
)
def test_a_signature_counts_for_five_minutes_each_way(seconds: int, refused: str | None) -> None:
    verdict = HOOK.verify(pushed({}, stamp=str(int(STAMP) + seconds)), app(), NOW)
    assert getattr(verdict, "reason", None) == refused


@pytest.mark.parametrize(
    "stamp", ["", "abc", "9" * 30, "1795521600.0", " 1795521600", "-5", "１７９５５２１６００", "1e9"]
)
def test_a_stamp_that_is_none_is_refused(stamp: str) -> None:
    assert HOOK.verify(pushed({}, stamp=stamp), app(), NOW) == Refused("malformed")


@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "a\n", "é"])
def test_a_delivery_without_a_name_is_refused(name: str) -> None:
    assert HOOK.verify(pushed({}, name), app(), NOW) == Refused("malformed")


@pytest.mark.parametrize("told", ["", "0", "é" * 64, "\udcff" * 64, "00" * 32, "00" * 5000])
def test_a_wrong_signature_of_any_shape_is_refused(told: str) -> None:
    delivery = pushed({"sales": [SALE]})
    headers = delivery.headers | {"x-livemon-signature": told}
    assert HOOK.verify(post(delivery.body, headers), app(), NOW) == Refused("bad_signature")


def test_headers_that_are_missing_are_refused() -> None:
    assert HOOK.verify(post(b"{}", {}), app(), NOW) == Refused("malformed")


def test_the_same_document_written_otherwise_is_refused() -> None:
    delivery = pushed({"sales": [SALE]})
    again = json.dumps(json.loads(delivery.body), separators=(",", ":")).encode()
    assert HOOK.verify(post(again, delivery.headers), app(), NOW) == Refused("bad_signature")


@given(st.data())
def test_one_changed_byte_anywhere_is_refused(data: st.DataObject) -> None:
    delivery = pushed(FULL)
    part = data.draw(st.sampled_from(["body", *delivery.headers]))
    raw = bytearray(delivery.body if part == "body" else delivery.headers[part].encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    body = bytes(raw) if part == "body" else delivery.body
    headers = delivery.headers if part == "body" else delivery.headers | {part: raw.decode("latin-1")}
    assert isinstance(HOOK.verify(post(body, headers), app(), NOW), Refused)


def test_sales_of_other_platforms_need_the_row_to_say_so() -> None:
    plain = PushJson(name="mcn-a", app="mcn")
    meaning = understood(plain, pushed({"sales": [SALE, SALE | {"platform": "wechat"}]}))
    assert [told.platform for told in meaning.sales] == ["push_json"]
    assert len(meaning.bad) == 1


def test_it_says_of_its_rooms_what_its_row_says() -> None:
    assert PushJson(name="a", app="b").signals() == ["live", "viewers", "sales"]
    assert PushJson(name="a", app="b", tells=["sales"]).signals() == ["sales"]
