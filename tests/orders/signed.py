"""Deliveries as the platforms sign them, and the published vectors."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from collectors import signing
from collectors.hook import Accepted, App, Delivery, Hook, Meaning
from collectors.orders import push_json

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
SECRET = b"an old secret of 32 bytes or more"
NEXT = b"the next secret, while one is out"

SHOPIFY_BODY = (
    b'{"id":820982911946154508,"name":"#9999","created_at":"2026-11-24T12:00:00-05:00","currency":"USD",'
    b'"total_price":"398.00","line_items":[{"id":866550311766439020,"sku":"SKU2006-001","quantity":1,"price":"199.00"}]}'
)
SHOPIFY_HEADERS = {
    "x-shopify-topic": "orders/create",
    "x-shopify-hmac-sha256": "jLtrQkp+u7FTJiEGDsVlpeXRRK9TPQsFdMw1CHoJBDY=",
    "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    "x-shopify-shop-domain": "x.myshopify.com",
    "x-shopify-triggered-at": "2026-11-24T17:00:00.123456789Z",
}
STRIPE_BODY = (
    b'{"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1795520000, "data": '
    b'{"object": {"id": "pi_1", "object": "payment_intent", "amount": 39800, "currency": "usd"}}}'
)
STRIPE_HEADER = "t=1795524861,v1=1e6cd2b6282ad8452c9da21f0d6c23273a5258dc8ad69c8c6b3fef65bc2d2309"
TIKTOK_BODY = (
    b'{"type":1,"tts_notification_id":"7327112393057371910","shop_id":"7494049642642441621","timestamp":1795520000,'
    b'"data":{"order_id":"576486316948490001","order_status":"UNPAID","is_on_hold_order":false,"update_time":1795520000}}'
)
TIKTOK_HEADER = "722ccc573a30387bcf8540790be8b535c54a1db56921b8ac84d48a4f9a6c8e8d"


def app(*secrets: bytes, key: str = "", platform: str = "any") -> App:
    return App("mcn", platform, key, secrets or (SECRET,))


def post(body: bytes, headers: Mapping[str, str]) -> Delivery:
    return Delivery("POST", "/hooks/x", "", dict(headers), body)


def as_body(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()


def pushed(document: object, name: str = "d-1", stamp: str = STAMP, secret: bytes = SECRET) -> Delivery:
    body = as_body(document)
    told = push_json.signature(stamp, name, body, secret)
    return post(body, {"x-livemon-timestamp": stamp, "x-livemon-id": name, "x-livemon-signature": told})


def shopify(topic: str, document: object, shop: str = "x.myshopify.com", secret: bytes = SECRET) -> Delivery:
    body = as_body(document)
    headers = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": signing.shopify(body, secret)}
    return post(body, SHOPIFY_HEADERS | headers | {"x-shopify-shop-domain": shop})


def stripe(document: object, stamp: str = STAMP, secret: bytes = SECRET) -> Delivery:
    body = as_body(document)
    return post(body, {"stripe-signature": f"t={stamp},v1={signing.stripe(stamp, body, secret)}"})


def tiktok(document: object, key: str = "key", secret: bytes = SECRET) -> Delivery:
    body = as_body(document)
    return post(body, {"authorization": signing.tiktok_shop(key, body, secret)})


def understood(hook: Hook, delivery: Delivery, our_app: App | None = None, **more: object) -> Meaning:
    """Verified, then parsed from the frame that the spool would keep."""
    our_app = our_app or app(key="key")
    assert isinstance(hook.verify(delivery, our_app, NOW), Accepted)
    return hook.parse(msgspec.msgpack.encode(delivery), NOW, our_app, **more)  # type: ignore[arg-type]
