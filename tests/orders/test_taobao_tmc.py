"""taobao_tmc: what its messages mean, and what it says to the platform."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.collector import BadFrame, FeedRefused
from collectors.hook import Meaning, Need
from collectors.orders.taobao_tmc import TOPICS, TaobaoTmc, heard
from collectors.tick import Sale, SaleItem, Tick
from monitor.rehearsal.platforms import taobao_tmc as fake
from tests.orders.socket_stage import BIG, NOW, NOW_MS, OUR_TMC, taobao, until

FEED = TaobaoTmc(name="taobao", app="taobao-main")
SELLER, TID = 2_200_000_000_001, BIG
AT = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def frame(topic: str, content: dict[str, Any] | str, **more: Any) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return fake.pushed(fake.Published(BIG, topic, text, SELLER, NOW_MS, **more), "tk")


def meaning(topic: str, content: dict[str, Any] | str, detail: object = None) -> Meaning:
    details = {} if detail is None else {("order.detail", str(TID)): json.dumps(detail, ensure_ascii=False).encode()}
    return FEED.parse(frame(topic, content), NOW, OUR_TMC, details)


def fullinfo(**changed: Any) -> dict[str, Any]:
    """An answer as it comes, with all that we must not keep."""
    lines = [
        {"oid": BIG, "num_iid": 678_901_234_567, "title": "大米 5kg", "num": 2, "payment": "100.00",
         "divide_order_fee": "88.80"},
        {"oid": BIG + 2, "num_iid": 678_901_234_567, "title": "大米 5kg", "num": 1, "divide_order_fee": "41.20"},
    ]  # fmt: skip
    trade = {"tid": TID, "payment": "135.50", "pay_time": "2026-11-24 19:59:58", "created": "2026-11-24 19:59:01",
             "status": "WAIT_SELLER_SEND_GOODS", "buyer_open_uid": "AAExyz", "receiver_name": "王小贝",
             "receiver_mobile": "13312343069", "post_fee": "5.50", "orders": {"order": lines}}  # fmt: skip
    return {"trade_fullinfo_get_response": {"trade": {**trade, **changed}}}


PAID = {"tid": TID, "oid": TID, "payment": "135.50", "buyer_nick": "t**", "type": "guarantee_trade"}


def test_a_payment_waits_for_its_pay_time() -> None:
    assert meaning("taobao_trade_TradeBuyerPay", PAID) == Meaning(
        needs=[Need("order.detail", "9007199254740993", "2200000000001")]
    )


def test_a_payment_with_its_detail_is_a_sale_at_its_pay_time() -> None:
    assert meaning("taobao_trade_TradeBuyerPay", PAID, fullinfo()) == Meaning(
        [
            Sale(
                feed="taobao", platform="taobao", event_id="2200000000001:9007199254740993:paid",
                at=datetime(2026, 11, 24, 11, 59, 58, tzinfo=UTC), received_at=NOW, kind="paid", amount_minor=13_550,
                currency="CNY", shop="2200000000001", order_id="9007199254740993", units=3, buyer=b"AAExyz",
                items=(SaleItem("678901234567", "大米 5kg", 3, 13_000),),
            )
        ]
    )  # fmt: skip


def test_what_was_paid_is_what_the_push_told_whenever_its_detail_is_asked_for() -> None:
    """After a refund the detail's `payment` is less: it was once counted as what was paid."""
    refunded = fullinfo(payment="29.92")
    assert one(meaning("taobao_trade_TradeBuyerPay", PAID, refunded)).amount_minor == 13_550
    without = {name: value for name, value in PAID.items() if name != "payment"}
    assert one(meaning("taobao_trade_TradeBuyerPay", without, refunded)).amount_minor == 2_992


@pytest.mark.parametrize(
    "detail",
    [
        {"error_response": {"code": 27, "msg": "Invalid session"}},
        fullinfo(tid=TID + 1),
        fullinfo(pay_time=None),
        fullinfo(payment=None),
        fullinfo(payment="NaN"),
        fullinfo(pay_time="2026-02-30 00:00:00"),
        {"trade_fullinfo_get_response": []},
        "<html>",
    ],
)
def test_an_answer_of_no_use_leaves_the_payment_waiting(detail: object) -> None:
    told = meaning("taobao_trade_TradeBuyerPay", PAID, detail)
    assert told.sales == ()
    assert told.needs == [Need("order.detail", str(TID), str(SELLER))]


def one(told: Meaning) -> Sale:
    (sale,) = told.sales
    assert not told.needs
    return sale


def test_creation_closing_and_refund_say_all_they_need() -> None:
    created = one(meaning("taobao_trade_TradeCreate", {**PAID, "buyer_open_uid": "AAE"}))
    assert (created.event_id, created.kind) == (f"{SELLER}:{TID}:created", "created")
    assert (created.at, created.amount_minor, created.buyer) == (AT, 13_550, b"AAE")
    closed = one(meaning("taobao_trade_TradeClose", {**PAID, "status": "TRADE_CLOSED_BY_TAOBAO"}))
    assert (closed.event_id, closed.kind, closed.amount_minor) == (f"{SELLER}:{TID}:cancelled", "cancelled", 13_550)
    refund = {"tid": TID, "oid": TID, "refund_id": BIG + 4, "refund_fee": "0.07", "modified": "2026-11-24 20:00:00"}
    refunded = one(meaning("taobao_refund_RefundSuccess", refund))
    assert refunded.event_id == f"{SELLER}:{TID}:refunded:{BIG + 4}"
    assert (refunded.kind, refunded.amount_minor, refunded.at) == ("refunded", 7, AT)


@pytest.mark.parametrize("status", ["TRADE_CLOSED", ""])
def test_a_trade_closed_by_refunds_is_not_cancelled_too(status: str) -> None:
    assert meaning("taobao_trade_TradeClose", {**PAID, "status": status}) == Meaning()


def test_two_refunds_of_one_trade_are_two_facts() -> None:
    told = [
        one(meaning("taobao_refund_RefundSuccess", {"tid": TID, "refund_id": number, "refund_fee": "1.00"})).event_id
        for number in (1, 2, 1)
    ]
    assert len(set(told)) == 2


def test_the_anchor_goes_on_and_off_air() -> None:
    on = meaning("taobao_live_FeedRelated", {"anchor_open_id": "AAFa-1", "event": "PUBLISH_LIVE", "live_id": BIG})
    assert on.ticks == [Tick("taobao", "AAFa-1", AT, "event", True, session_key=str(BIG))]
    off = meaning("taobao_live_FeedRelated", {"anchor_open_id": "AAFa-1", "event": "STOP_LIVE", "live_id": str(BIG)})
    assert off.ticks == [Tick("taobao", "AAFa-1", AT, "event", False, session_key=str(BIG), end="ended")]
    assert meaning("taobao_live_FeedRelated", {"anchor_open_id": "AAFa-1", "event": "PREVIEW"}) == Meaning()


def test_a_redelivery_is_the_same_fact() -> None:
    refund = {"tid": TID, "refund_id": 1, "refund_fee": "1.00", "modified": "2026-11-24 20:00:00"}
    text = json.dumps(refund)
    first, again = (
        FEED.parse(frame("taobao_refund_RefundSuccess", text, retried=retried), NOW, OUR_TMC) for retried in (0, 3)
    )
    assert first == again


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("taobao_trade_TradeCreate", "not json"),
        ("taobao_trade_TradeCreate", "[]"),
        ("taobao_trade_TradeCreate", {"payment": "1.00"}),
        ("taobao_trade_TradeCreate", {"tid": 1.5, "payment": "1.00"}),
        ("taobao_trade_TradeCreate", {"tid": "1:2", "payment": "1.00"}),
        ("taobao_trade_TradeCreate", {"tid": "x" * 200, "payment": "1.00"}),
        ("taobao_trade_TradeCreate", {"tid": 1}),
        ("taobao_trade_TradeCreate", {"tid": 1, "payment": "NaN"}),
        ("taobao_trade_TradeCreate", {"tid": 1, "payment": "-1.00"}),
        ("taobao_trade_TradeCreate", {"tid": 1, "payment": "1.2万"}),
        ("taobao_trade_TradeCreate", {"tid": 1, "payment": "1" + "0" * 30}),
        ("taobao_trade_TradeCreate", '{"tid": 1, "payment": "1.00", "payment": "2.00"}'),
        ("taobao_trade_TradeCreate", '{"tid": 1, "payment": NaN}'),
        ("taobao_refund_RefundSuccess", {"tid": 1, "refund_fee": "1.00"}),
        ("taobao_refund_RefundSuccess", {"tid": 1, "refund_id": 2, "refund_fee": "1.00", "modified": "gestern"}),
        ("taobao_live_FeedRelated", {"event": "PUBLISH_LIVE"}),
    ],
)
def test_what_means_nothing_is_a_bad_frame(topic: str, content: dict[str, Any] | str) -> None:
    with pytest.raises(BadFrame):
        meaning(topic, content)


def test_other_topics_are_confirmed_and_not_kept() -> None:
    for topic in ("taobao_trade_TradeChanged", "taobao_refund_RefundCreated", "taobao_live_TcpOrder", "直播"):
        said = heard(frame(topic, PAID), "tk")
        assert said.frame == b""
        assert said.confirmation is not None
        assert meaning(topic, PAID) == Meaning()


async def test_connect_pull_and_confirm_carry_what_the_platform_asks_for() -> None:
    async with taobao() as stage:
        stage.sell()
        async with stage.hearing():
            await until(lambda: stage.confirmed == 1)
            await until(lambda: len([said for said in stage.fake.heard if said.get("__kind") == 1]) >= 2)
    connect, *rest = stage.fake.heard
    assert connect["type"] == 0
    assert connect["timestamp"] == str(NOW_MS)
    assert connect["group_name"] == "default"
    assert {(said["type"], said["token"]) for said in rest} == {(2, "tk")}
    assert {said["id"] for said in rest if said["__kind"] == 2} == {BIG}
    assert b"\x01\x00\x05\x00\x00\x00topic" in stage.disk.kept[0]


async def test_a_refusal_that_names_no_key_is_for_now() -> None:
    async with taobao() as stage:
        stage.fake.refusal = (500, "system busy")  # type: ignore[union-attr]
        with pytest.raises(ConnectionResetError, match="500 system busy"):
            await stage.hear()
        stage.fake.refusal = (201, "no permission")  # type: ignore[union-attr]
        with pytest.raises(FeedRefused, match="no permission"):
            await stage.hear()


async def test_a_token_that_is_no_longer_good_ends_the_connection() -> None:
    async with taobao() as stage, stage.hearing() as hearing:
        await stage.fake.say(fake.frame(3, [fake.status(500), fake.phrase("session expired")]))  # type: ignore[arg-type]
        with pytest.raises(ConnectionResetError, match="session expired"):
            await hearing


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["tid", "payment", "status", "refund_id", "refund_fee", "modified", "anchor_open_id", "event", "live_id"]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(TOPICS, key=str)), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_of_any_content_nothing_comes_but_a_meaning_or_bad_frame(topic: str, content: dict[str, Any]) -> None:
    with suppress(BadFrame):
        told = meaning(topic, content)
        assert all(sale.currency == "CNY" and sale.amount_minor >= 0 for sale in told.sales)
