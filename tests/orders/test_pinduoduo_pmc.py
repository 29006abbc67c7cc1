"""pinduoduo_pmc: what its messages mean, and what it says to the platform."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import signing
from collectors.collector import BadFrame, FeedRefused
from collectors.hook import Meaning, Need
from collectors.order_socket import Message, Said
from collectors.orders.pinduoduo_pmc import TYPES, PinduoduoPmc
from collectors.pmc_commands import heard
from collectors.tick import Sale, SaleItem
from tests.orders.socket_stage import BIG, NOW, NOW_MS, OUR_PMC, pinduoduo, until

FEED = PinduoduoPmc(name="pdd", app="pdd-main")
MALL, TID = BIG, "261124-123456789012345"


def frame(type_: str, content: dict[str, Any] | str, number: int = BIG) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content)
    message = {"type": type_, "mallID": MALL, "content": text}
    command = {"id": number, "commandType": "Common", "time": NOW_MS, "sendTime": NOW_MS, "message": message}
    return json.dumps(command).encode()


def meaning(type_: str, content: dict[str, Any] | str, detail: object = None, number: int = BIG) -> Meaning:
    details = {} if detail is None else {("order.detail", TID): json.dumps(detail, ensure_ascii=False).encode()}
    return FEED.parse(frame(type_, content, number), NOW, OUR_PMC, details)


def information(**changed: Any) -> dict[str, Any]:
    lines = [{"goods_id": BIG, "goods_name": "苹果", "goods_count": 2, "goods_price": 9.9},
             {"goods_id": "7", "goods_name": "梨", "goods_count": 1, "goods_price": 5}]  # fmt: skip
    order = {"order_sn": TID, "pay_amount": 24.79, "pay_time": "2026-11-24 19:59:58", "item_list": lines,
             "receiver_name": "王小贝", "receiver_phone": "13312343069", "address": "解放路100号"}  # fmt: skip
    return {"order_info_get_response": {"order_info": {**order, **changed}}}


def heard_now(message: Message) -> Said:
    return heard(message, lambda: NOW, TYPES)


CONFIRMED = {"mall_id": MALL, "tid": TID}


def test_the_digest_is_the_published_one() -> None:
    told = signing.pinduoduo_digest("app", "1700000000000", b"secret")
    assert told == "OTgxODMwNDI2NWZiN2NiNzA2NzIxOTI0ZjJlMDMxMjE="


def test_a_payment_waits_for_its_amount_and_pay_time() -> None:
    assert meaning("pdd_trade_TradeConfirmed", CONFIRMED) == Meaning(
        needs=[Need("order.detail", TID, "9007199254740993")]
    )


@pytest.mark.parametrize("pay_amount", [24.79, "24.79", "24.790"])
def test_a_payment_with_its_detail_is_a_sale_at_its_pay_time(pay_amount: object) -> None:
    assert meaning("pdd_trade_TradeConfirmed", CONFIRMED, information(pay_amount=pay_amount)) == Meaning(
        [
            Sale(
                feed="pdd", platform="pinduoduo", event_id=f"{MALL}:{TID}:paid",
                at=datetime(2026, 11, 24, 11, 59, 58, tzinfo=UTC), received_at=NOW, kind="paid", amount_minor=2_479,
                currency="CNY", shop=str(MALL), order_id=TID, units=3,
                items=(SaleItem(str(BIG), "苹果", 2), SaleItem("7", "梨", 1)),
            )
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    "detail",
    [
        {"error_response": {"error_code": 10019, "error_msg": "access_token已过期"}},
        information(order_sn="261124-2"),
        information(pay_time=None),
        information(pay_amount=None),
        information(pay_amount="1e3"),
        information(pay_amount=-1),
        [],
    ],
)
def test_an_answer_of_no_use_leaves_the_payment_waiting(detail: object) -> None:
    told = meaning("pdd_trade_TradeConfirmed", CONFIRMED, detail)
    assert told.sales == ()
    assert told.needs == [Need("order.detail", TID, str(MALL))]


REFUND = {"mall_id": MALL, "tid": TID, "refund_id": BIG + 2, "refund_fee": 1_999, "bill_type": 1, "modified": NOW_MS}


def test_a_refund_says_its_amount_in_fen() -> None:
    (sale,) = meaning("pdd_refund_RefundAgreeAgreement", REFUND).sales
    assert sale.event_id == f"{MALL}:{TID}:refunded:{BIG + 2}"
    assert (sale.kind, sale.amount_minor, sale.at, sale.currency) == ("refunded", 1_999, NOW, "CNY")


def test_a_redelivery_under_another_id_is_the_same_fact() -> None:
    first = meaning("pdd_refund_RefundAgreeAgreement", REFUND, number=1)
    assert first == meaning("pdd_refund_RefundAgreeAgreement", REFUND, number=2)
    paid = [meaning("pdd_trade_TradeConfirmed", CONFIRMED, information(), number).sales for number in (1, 2)]
    assert paid[0] == paid[1]


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("pdd_trade_TradeConfirmed", "no json"),
        ("pdd_trade_TradeConfirmed", {}),
        ("pdd_trade_TradeConfirmed", {"tid": "a:b"}),
        ("pdd_trade_TradeConfirmed", {"tid": TID, "mall_id": MALL + 2}),
        ("pdd_refund_RefundAgreeAgreement", {**REFUND, "refund_fee": None}),
        ("pdd_refund_RefundAgreeAgreement", {**REFUND, "refund_fee": -1}),
        ("pdd_refund_RefundAgreeAgreement", {**REFUND, "refund_fee": "19.99"}),
        ("pdd_refund_RefundAgreeAgreement", {**REFUND, "refund_fee": True}),
        ("pdd_refund_RefundAgreeAgreement", {**REFUND, "refund_id": ""}),
        ("pdd_refund_RefundAgreeAgreement", {**REFUND, "modified": 12}),
    ],
)
def test_what_means_nothing_is_a_bad_frame(type_: str, content: dict[str, Any] | str) -> None:
    with pytest.raises(BadFrame):
        meaning(type_, content)


def test_other_types_are_acknowledged_and_not_kept() -> None:
    for type_ in ("pdd_trade_TradeSuccess", "pdd_refund_RefundCreated", "pdd_ddjb_TradeModified"):
        said = heard_now(frame(type_, CONFIRMED).decode())
        assert said.frame == b""
        assert json.loads(said.confirmation or "")["type"] == type_
        assert meaning(type_, CONFIRMED) == Meaning()


@pytest.mark.parametrize("number", [BIG, 2**63, 2**64 + 1, 10**30 + 1])
def test_an_id_of_any_size_is_acknowledged_to_the_last_digit(number: int) -> None:
    said = heard_now(frame("pdd_trade_TradeConfirmed", CONFIRMED, number).decode())
    assert json.loads(said.confirmation or "") == {
        "commandType": "Ack", "id": number, "time": NOW_MS, "sendTime": NOW_MS, "type": "pdd_trade_TradeConfirmed",
        "mallID": MALL,
    }  # fmt: skip


def test_nothing_confirms_what_has_no_id_or_no_message() -> None:
    for text in ('{"commandType":"Common","id":1}', '{"commandType":"Common","message":{}}', "[" * 100_000, "0", ""):
        said = heard_now(text)
        assert said.confirmation is None
        assert said.frame == text.encode()
        with pytest.raises(BadFrame):
            FEED.parse(said.frame, NOW, OUR_PMC)


async def test_the_path_says_who_we_are_and_heartbeats_go_out() -> None:
    async with pinduoduo() as stage:
        async with stage.hearing():
            await until(lambda: len(stage.fake.heard) >= 2)
    digest = signing.pinduoduo_digest("app", str(NOW_MS), b"secret").replace("=", "%3D")
    assert stage.fake.paths == [f"/message/app/{NOW_MS}/{digest}"]  # type: ignore[union-attr]
    assert stage.fake.heard[0] == {"commandType": "HeartBeat", "time": NOW_MS}


async def test_what_came_unacknowledged_comes_under_another_id_and_is_one_fact() -> None:
    async with pinduoduo() as stage:
        stage.disk.turns.clear()
        stage.sell(TID)
        async with stage.hearing():
            await until(lambda: stage.disk.asked)
        stage.disk.turns.set()
        async with stage.hearing():
            await until(lambda: stage.confirmed == 1)
    first, second = (json.loads(asked)["id"] for asked in stage.disk.asked)
    assert first != second
    told = [FEED.parse(asked, NOW, OUR_PMC, details_of(TID)).sales[0].event_id for asked in stage.disk.asked]
    assert told == [f"777:{TID}:paid"] * 2


def details_of(tid: str) -> dict[tuple[str, str], bytes]:
    return {("order.detail", tid): json.dumps(information()).encode()}


async def test_a_failure_that_the_platform_tells_ends_the_connection() -> None:
    fail = json.dumps({"commandType": "Fail", "message": {"content": "server is upgrading"}})
    async with pinduoduo() as stage, stage.hearing() as hearing:
        await stage.fake.say(fail)  # type: ignore[arg-type]
        with pytest.raises(ConnectionResetError, match="upgrading"):
            await hearing
    fail = json.dumps({"commandType": "Fail", "message": {"content": "应用未授权"}})
    async with pinduoduo() as stage, stage.hearing() as hearing:
        await stage.fake.say(fail)  # type: ignore[arg-type]
        with pytest.raises(FeedRefused, match="未授权"):
            await hearing


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120) | st.text(max_size=80))
def test_of_any_message_nothing_comes_but_words_to_say(message: bytes | str) -> None:
    said = heard_now(message)
    assert said.frame in (b"", message if isinstance(message, bytes) else message.encode())
