"""A played Stripe: pushes payments and refunds of connected accounts as events, signed anew for each try.

Its signature is computed here anew, not with the collectors' code. Stripe tries for three days, ever more seldom, in no
certain order; the pauses are ours. What stands in an event is what the SDK's objects have.
"""

import hashlib
import hmac
import json
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from ..deliveries import Deliveries, Made
from ..event.order import Happened, Happening, Order
from ..scene import Scene, Settings, Trouble
from ..truth import Fact

RETRIES_S = (5.0, 20.0, 60.0, 300.0, 1800.0, 3600.0, 4 * 3600.0, 8 * 3600.0)
TIMEOUT_S = 20.0
PAYMENTS: dict[Happening, tuple[str, str]] = {  # event and the state of the payment in it
    "created": ("payment_intent.created", "requires_payment_method"),
    "paid": ("payment_intent.succeeded", "succeeded"),
    "cancelled": ("payment_intent.canceled", "canceled"),
}
STANZAS = """\
[[app]]
name = "stripe-main"
platform = "stripe"
secret_file = "secrets/stripe-main"

[[feed]]
kind = "stripe"
name = "stripe"
app = "stripe-main"
"""


class Stripe:
    """One endpoint for all connected accounts, one a shop. The checkout puts the room into a payment's metadata.

    A refund is told twice: when it is made (at odd orders it is still on its way then) and when it has gone through;
    it has metadata of its own, and nobody puts a room there.
    """

    SELLS_ON: ClassVar[str] = "stripe"
    SHOWS: ClassVar[str] = ""
    name = "stripe"

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.trouble = Trouble()
        self.secret = scene.secret("stripe-main")
        self.deliveries = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, lambda status, _: status < 300)

    async def open(self) -> None:
        """It calls, and is not called."""

    def settings(self) -> Settings:
        return Settings(STANZAS, {"stripe-main": self.secret})

    async def run(self) -> None:
        await self.deliveries.run()

    def happened(self, event: Happened) -> None:
        order, order_id, at = event.order, self.scene.order_id(event.order), self._at(event.at_s)
        if event.what == "paid":
            self._sold(order, "paid", order.amount_minor, at, room=order.part.room)
        if event.what == "refunded":
            self._sold(order, "refunded", order.refund_minor, at, ref=f"re_{order_id}")
            made = "pending" if order.number % 2 else "succeeded"
            self._push(order, "refund.created", refund(order, order_id, made, at), at)
            self._push(order, "refund.updated", refund(order, order_id, "succeeded", at), at)
        else:
            kind, state = PAYMENTS[event.what]
            self._push(order, kind, self._payment(order, order_id, state), at)

    def waiting(self) -> int:
        return self.deliveries.waiting()

    async def close(self) -> None:
        """Nothing of it is open."""

    def _sold(
        self, order: Order, kind: Happening, amount_minor: int, at: datetime, room: str | None = None, ref: str = ""
    ) -> None:
        assert kind in ("paid", "refunded")  # noqa: S101 - what the truth keeps
        payment_id = f"pi_{self.scene.order_id(order)}"
        fact = Fact("stripe", order.part.shop, payment_id, kind, amount_minor, order.currency, at, room, ref)
        self.scene.truth.sold(fact, self.scene.now())

    def _push(self, order: Order, kind: str, thing: dict[str, Any], at: datetime) -> None:
        event = {
            "id": f"evt_{self.scene.order_id(order)}_{kind.replace('.', '_')}", "object": "event",
            "account": order.part.shop, "api_version": "2026-10-29", "created": int(at.timestamp()),
            "data": {"object": thing}, "livemode": True, "pending_webhooks": 1, "type": kind,
        }  # fmt: skip
        body = json.dumps(event, ensure_ascii=False, indent=2).encode()
        self.deliveries.push(f"{self.scene.hooks_url}/hooks/{self.name}", partial(self._signed, body))

    def _signed(self, body: bytes) -> Made:
        stamp = str(int(self.scene.now().timestamp()))
        told = hmac.new(self.secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": f"t={stamp},v1={told},v0={'0' * 64}",
        }
        return headers, body

    def _at(self, play_s: float) -> datetime:
        """In whole seconds, as its events have it."""
        return self.scene.tempo.at(play_s).replace(microsecond=0)

    def _payment(self, order: Order, order_id: str, state: str) -> dict[str, Any]:
        return {
            "id": f"pi_{order_id}", "object": "payment_intent", "amount": order.amount_minor,
            "amount_received": order.amount_minor if state == "succeeded" else 0, "currency": order.currency.lower(),
            "created": int(self._at(order.created_s).timestamp()), "customer": customer(order),
            "description": order.title, "latest_charge": f"ch_{order_id}" if state == "succeeded" else None,
            "livemode": True, "metadata": {"room": order.part.room, "goods": order.product},
            "receipt_email": "xiaobei@example.com", "status": state,
            "shipping": {"name": "王小贝", "phone": "13312343069", "address": {"city": "沈阳", "line1": "和平区"}},
        }  # fmt: skip


def refund(order: Order, order_id: str, state: str, at: datetime) -> dict[str, Any]:
    return {
        "id": f"re_{order_id}", "object": "refund", "amount": order.refund_minor, "charge": f"ch_{order_id}",
        "created": int(at.timestamp()), "currency": order.currency.lower(), "metadata": {},
        "payment_intent": f"pi_{order_id}", "reason": "requested_by_customer", "status": state,
    }  # fmt: skip


def customer(order: Order) -> str:
    return f"cus_{hashlib.sha256(order.buyer.encode()).hexdigest()[:14]}"
