"""Stripe: the published vector, what each event means, and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import signing
from collectors.collector import BadFrame
from collectors.hook import Accepted, Refused, Reply
from collectors.orders.stripe import Stripe
from collectors.tick import Sale
from tests.orders.signed import NEXT, NOW, SECRET, STAMP, STRIPE_BODY, STRIPE_HEADER, app, post, stripe, understood

HOOK = Stripe(name="card", app="mcn")
SIGNED_AT = datetime.fromtimestamp(1795524861, UTC)
PAID_AT = datetime.fromtimestamp(1795520000, UTC)
PAYMENT: dict[str, Any] = {
    "id": "pi_1", "object": "payment_intent", "amount": 39800, "amount_received": 39800, "currency": "usd",
    "created": 1795519000, "customer": "cus_9", "metadata": {"room": "tiktok-7"}, "receipt_email": "jon@example.com",
}  # fmt: skip
REFUND: dict[str, Any] = {
    "id": "re_1", "object": "refund", "amount": 1000, "currency": "usd", "created": 1795519500,
    "payment_intent": "pi_1", "charge": "ch_1", "status": "succeeded",
}  # fmt: skip


def event(kind: str, thing: object, **more: object) -> dict[str, object]:
    return {"id": "evt_1", "type": kind, "created": 1795520000, "data": {"object": thing}} | more


def verdict(header: str, body: bytes = STRIPE_BODY, now: datetime = SIGNED_AT) -> Accepted | Refused:
    return HOOK.verify(post(body, {"stripe-signature": header}), app(b"whsec_x"), now)


def test_the_published_vector_is_a_payment() -> None:
    assert verdict(STRIPE_HEADER) == Accepted(Reply(), "evt_1")
    (sale,) = understood(HOOK, stripe(STRIPE_BODY)).sales
    assert sale == Sale(
        feed="card", platform="stripe", event_id="own:pi_1:paid", at=PAID_AT, received_at=NOW, kind="paid",
        amount_minor=39800, currency="USD", order_id="pi_1",
    )  # fmt: skip


def test_the_published_vector_is_stale_after_five_minutes() -> None:
    assert verdict(STRIPE_HEADER, now=SIGNED_AT + timedelta(seconds=300)) == Accepted(Reply(), "evt_1")
    assert verdict(STRIPE_HEADER, now=SIGNED_AT + timedelta(seconds=301)) == Refused("stale")
    assert verdict(STRIPE_HEADER, now=SIGNED_AT - timedelta(seconds=301)) == Refused("stale")


def test_any_of_several_signatures_will_do() -> None:
    stamp, _, good = STRIPE_HEADER.partition(",")
    assert verdict(f"{stamp},v1={'0' * 64},{good},v0=x") == Accepted(Reply(), "evt_1")
    assert verdict(f"{stamp},v1={'0' * 64},v0={good[3:]}") == Refused("bad_signature")
    assert verdict(f"{stamp},{','.join(['v1=0'] * 16)},{good}") == Refused("bad_signature")


@pytest.mark.parametrize(
    "header",
    [
        "", "t=1795524861", "v1=00", ",", "t=,v1=00", "t=abc,v1=00", "t=1795524861,t=1795524862,v1=00", "t=-5,v1=00",
        f"t={'9' * 30},v1=00", "t= 1795524861,v1=00", STRIPE_HEADER.replace("t=", "T="),
    ],
)  # fmt: skip
def test_a_header_that_is_none_is_refused(header: str) -> None:
    assert verdict(header) == Refused("malformed")


@pytest.mark.parametrize("told", ["é" * 64, "\udcff", "", "00" * 32])
def test_a_wrong_signature_of_any_shape_is_refused(told: str) -> None:
    assert verdict(f"t=1795524861,v1={told}") == Refused("bad_signature")


def test_both_secrets_count_while_one_is_rotated_out() -> None:
    for secret in (SECRET, NEXT):
        delivery = stripe(event("payment_intent.succeeded", PAYMENT), secret=secret)
        assert isinstance(HOOK.verify(delivery, app(SECRET, NEXT), NOW), Accepted)
    assert HOOK.verify(stripe(STRIPE_BODY), app(NEXT), NOW) == Refused("bad_signature")


def test_the_same_document_written_otherwise_is_refused() -> None:
    assert verdict(STRIPE_HEADER, STRIPE_BODY.replace(b": ", b":")) == Refused("bad_signature")


@given(st.integers(0, len(STRIPE_BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_of_the_body_is_refused(place: int, bits: int) -> None:
    raw = bytearray(STRIPE_BODY)
    raw[place] ^= bits
    assert isinstance(verdict(STRIPE_HEADER, bytes(raw)), Refused)


@given(st.integers(0, len(STRIPE_HEADER) - 1), st.integers(1, 255))
def test_one_changed_byte_of_the_header_is_refused(place: int, bits: int) -> None:
    raw = bytearray(STRIPE_HEADER.encode())
    raw[place] ^= bits
    assert isinstance(verdict(raw.decode("latin-1")), Refused)


def test_a_payment_says_who_where_and_of_which_account() -> None:
    (sale,) = understood(HOOK, stripe(event("payment_intent.succeeded", PAYMENT, account="acct_5"))).sales
    assert (sale.shop, sale.event_id) == ("acct_5", "acct_5:pi_1:paid")
    assert (sale.buyer, sale.room) == (b"cus_9", "tiktok-7")


def test_what_was_received_counts_and_not_what_was_asked_for() -> None:
    told = PAYMENT | {"amount": 50000}
    assert understood(HOOK, stripe(event("payment_intent.succeeded", told))).sales[0].amount_minor == 39800
    assert understood(HOOK, stripe(event("payment_intent.created", told))).sales[0].amount_minor == 50000


@pytest.mark.parametrize(
    ("kind", "name"), [("payment_intent.created", "created"), ("payment_intent.canceled", "cancelled")]
)
def test_other_states_of_a_payment_are_rows_of_their_own(kind: str, name: str) -> None:
    (sale,) = understood(HOOK, stripe(event(kind, PAYMENT))).sales
    assert (sale.kind, sale.event_id) == (name, f"own:pi_1:{name}")


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "charge.refund.updated"])
def test_a_refund_is_the_same_fact_by_whichever_event_it_comes(kind: str) -> None:
    (sale,) = understood(HOOK, stripe(event(kind, REFUND))).sales
    assert (sale.event_id, sale.kind, sale.amount_minor) == ("own:pi_1:refunded:re_1", "refunded", 1000)
    assert (sale.order_id, sale.at) == ("pi_1", datetime.fromtimestamp(1795519500, UTC))


@pytest.mark.parametrize(
    "document",
    [
        event("refund.created", REFUND | {"status": "pending"}), event("customer.created", {"id": "cus_9"}),
        event("payment_intent.succeeded", PAYMENT, livemode=False), event("charge.succeeded", {"id": "ch_1"}),
    ],
)  # fmt: skip
def test_what_is_no_sale_is_none(document: object) -> None:
    meaning = understood(HOOK, stripe(document))
    assert (meaning.sales, meaning.needs, meaning.bad) == ((), (), ())


def test_test_payments_count_where_the_row_says_so() -> None:
    hook = Stripe(name="s", app="mcn", test_orders=True)
    assert len(understood(hook, stripe(event("payment_intent.succeeded", PAYMENT, livemode=False))).sales) == 1


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (event("refund.failed", REFUND | {"status": "failed"}), "refund_failed"),
        (event("refund.updated", REFUND | {"payment_intent": None, "charge": None}), "bad_json"),
        (event("payment_intent.succeeded", PAYMENT | {"currency": "usdt"}), "currency"),
        (event("payment_intent.succeeded", PAYMENT | {"currency": None}), "bad_json"),
        (event("payment_intent.succeeded", PAYMENT | {"amount_received": -1}), "amount"),
        (event("payment_intent.succeeded", PAYMENT | {"amount_received": 2**63}), "amount"),
        (event("payment_intent.succeeded", PAYMENT | {"amount_received": 10**4000}), "bad_json"),
        (event("payment_intent.succeeded", PAYMENT | {"amount_received": 1.5}), "bad_json"),
        (event("payment_intent.succeeded", PAYMENT | {"amount_received": 150, "currency": "isk"}), "amount"),
        (event("payment_intent.succeeded", None), "bad_json"),
        (event("payment_intent.succeeded", PAYMENT, created=-1), "bad_time"),
        (b'{"id": "evt_1", "amount": NaN}', "bad_json"),
        (b'{"id": "evt_1", "id": "evt_2"}', "bad_json"),
        (b"", "bad_json"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_the_reader(document: object, reason: str) -> None:
    with pytest.raises(BadFrame, match=f"^{reason}: "):
        understood(HOOK, stripe(document))


@pytest.mark.parametrize(
    ("currency", "told", "minor"), [("jpy", 398, 398), ("kwd", 3980, 3980), ("isk", 39800, 398), ("mga", 398, 39800)]
)
def test_amounts_are_in_the_minor_unit_of_the_standard(currency: str, told: int, minor: int) -> None:
    document = event("payment_intent.succeeded", PAYMENT | {"currency": currency, "amount_received": told})
    assert understood(HOOK, stripe(document)).sales[0].amount_minor == minor


def test_a_stamp_is_signed_as_it_stands() -> None:
    told = signing.stripe("0" + STAMP, STRIPE_BODY, SECRET)
    header = f"t=0{STAMP},v1={told}"
    assert HOOK.verify(post(STRIPE_BODY, {"stripe-signature": header}), app(), NOW) == Accepted(Reply(), "evt_1")
