"""Deliveries of Doudian, Kwaixiaodian, WeChat Shop and Xiaohongshu as the catalogue's recipes sign and close them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from collectors import cipher, signing
from collectors.hook import NO_DETAILS, Accepted, App, Delivery, Details, Hook, Meaning

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SECOND = int(NOW.timestamp())
OLD, NEW = b"an old secret of 32 bytes or more", b"the next secret, while one is out"
KUAISHOU_KEY, KUAISHOU_NEXT = b"MDEyMzQ1Njc4OWFiY2RlZg==", b"ZmVkY2JhOTg3NjU0MzIxMA=="
WECHAT_KEY, WECHAT_NEXT, WECHAT_TOKEN = b"A" * 43, b"livemon" * 6 + b"M", b"AAAAA"
RANDOM = b"707722b803182950"

DOUDIAN = App("doudian-main", "doudian", "7055555555555555555", (OLD, NEW))
KWAIXIAODIAN = App("kuaishou-main", "kwaixiaodian", "ks7055555555", (KUAISHOU_KEY, KUAISHOU_NEXT))
WECHAT = App("wechat-main", "wechat", "wxba5fad812f8e6fb9", (WECHAT_KEY, WECHAT_NEXT), WECHAT_TOKEN)
XIAOHONGSHU = App("xhs-main", "xiaohongshu", "appid", (OLD, NEW))
# Two numbers above 2^53, whose last digits a float would lose.
ORDER, SHOP = 4781320682406083641, 4463798


def as_json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def doudian(document: object, secret: bytes = OLD, key: str = DOUDIAN.key) -> Delivery:
    body = document if isinstance(document, bytes) else as_json(document)
    headers = {"app-id": key, "event-sign": signing.doudian_push(key, body, secret)}
    return Delivery("POST", "/hooks/doudian", "", headers, body)


def doudian_message(tag: object, **data: object) -> dict[str, object]:
    return {"tag": tag, "msg_id": f"m{tag}", "data": {"p_id": ORDER, "shop_id": SHOP} | data}


def doudian_paid(**data: object) -> dict[str, object]:
    return doudian_message("101", **({"order_status": 2, "pay_time": SECOND - 5, "pay_amount": 19900} | data))


def kwaixiaodian(event: str, info: Mapping[str, object], secret: bytes = KUAISHOU_KEY, **more: object) -> Delivery:
    text = {
        "eventId": "e1", "msgId": "m1", "appKey": KWAIXIAODIAN.key, "userId": 2277777, "event": event,
        "info": as_json(info).decode(), "createTime": SECOND * 1000, "test": False,
    }  # fmt: skip
    body = cipher.kwaixiaodian_close(as_json(text | more), secret)
    return Delivery("POST", "/hooks/kwaixiaodian", "", {}, body)


def wechat(
    event: str,
    document: Mapping[str, object],
    key: bytes = WECHAT_KEY,
    stamp: int = SECOND,
    token: bytes = WECHAT_TOKEN,
    app_id: str = WECHAT.key,
) -> Delivery:
    envelope = {
        "ToUserName": "gh_1234567890ab", "FromUserName": "OPENID", "CreateTime": stamp, "MsgType": "event",
        "Event": event,
    }  # fmt: skip
    sealed = cipher.wechat_close(as_json(envelope | dict(document)), key, app_id, RANDOM)
    return wechat_sealed(sealed, str(stamp), token)


def wechat_sealed(sealed: bytes, stamp: str, token: bytes = WECHAT_TOKEN, nonce: str = "415670741") -> Delivery:
    told = signing.wechat(token, stamp.encode(), nonce.encode(), sealed)
    query = f"signature=0&timestamp={stamp}&nonce={nonce}&encrypt_type=aes&msg_signature={told}"
    body = as_json({"ToUserName": "gh_1234567890ab", "Encrypt": sealed.decode()})
    return Delivery("POST", "/hooks/wechat", query, {}, body)


def wechat_xml(inside: str, stamp: int = SECOND) -> Delivery:
    """What goes to a third-party platform itself: XML within XML."""
    message = f"<xml><AppId>{WECHAT.key}</AppId><CreateTime>{stamp}</CreateTime>{inside}</xml>"
    sealed = cipher.wechat_close(message.encode(), WECHAT_KEY, WECHAT.key, RANDOM)
    body = b"<xml><AppId>%b</AppId><Encrypt>%b</Encrypt></xml>" % (WECHAT.key.encode(), sealed)
    return msgspec.structs.replace(wechat_sealed(sealed, str(stamp)), body=body)


def xiaohongshu(document: object, secret: bytes = OLD, stamp: int = SECOND, path: str = "/hooks/xhs") -> Delivery:
    headers = {"app-key": XIAOHONGSHU.key, "timestamp": str(stamp)}
    signed = headers | {"shop": "1"}
    headers["sign"] = signing.xiaohongshu_push(path, signed, secret)
    return Delivery("POST", path, "shop=1", headers, document if isinstance(document, bytes) else as_json(document))


def verdict(hook: Hook, delivery: Delivery, app: App, later_s: float = 0.0) -> str:
    """`kept`, `probe`, or the reason of the refusal."""
    found = hook.verify(delivery, app, NOW + timedelta(seconds=later_s))
    if isinstance(found, Accepted):
        return "probe" if found.probe else "kept"
    return found.reason


def meaning(hook: Hook, delivery: Delivery, app: App, details: Details = NO_DETAILS) -> Meaning:
    """Verified, then parsed from the frame that the spool would keep."""
    assert isinstance(hook.verify(delivery, app, NOW), Accepted)
    return hook.parse(msgspec.msgpack.encode(delivery), NOW, app, details)


def changed(delivery: Delivery, at: int, to: int) -> Delivery:
    """One byte of the body turned into another."""
    at %= len(delivery.body)
    byte = (delivery.body[at] + 1 + to % 255) % 256
    body = delivery.body[:at] + bytes([byte]) + delivery.body[at + 1 :]
    return msgspec.structs.replace(delivery, body=body)
