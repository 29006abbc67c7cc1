"""How each platform signs: pure functions over the bytes as they came.

Every recipe is one line of the platform's own documentation; the published vectors are in tests/test_signing.py.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping


def same(told: str, ours: str) -> bool:
    """Compared in constant time; what is not ASCII is told apart, not an error."""
    return hmac.compare_digest(told.encode("utf-8", "surrogateescape"), ours.encode("ascii"))


def one_of(told: str, ours: Iterable[str]) -> bool:
    """Whether it is one of ours: each is compared, so that time tells nothing of which live secret it was."""
    return any([same(told, one) for one in ours])


def md5_hex(*parts: bytes) -> str:
    # MD5 and SHA-1 are the platforms' choice; we only do as they do.
    return hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()


def sha1_hex(*parts: bytes) -> str:
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()


def sha256_hmac(secret: bytes, *parts: bytes) -> bytes:
    return hmac.digest(secret, b"".join(parts), "sha256")


def joined(params: Mapping[str, str]) -> bytes:
    """`a=1&b=2`, sorted by name, nothing escaped."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


def run_together(params: Mapping[str, str]) -> bytes:
    """`a1b2`, sorted by name."""
    return "".join(name + params[name] for name in sorted(params)).encode()


# Doudian and Douyin


def doudian_push(app_key: str, body: bytes, secret: bytes) -> str:
    """Header `event-sign`."""
    return md5_hex(app_key.encode(), body, secret)


def doudian_push_hmac(app_key: str, body: bytes, secret: bytes) -> str:
    """Header `event-sign` where header `sign-method` names another method than MD5 (seen in one source)."""
    return sha256_hmac(secret, app_key.encode(), body, secret).hex()


def doudian_request(params: Mapping[str, str], secret: bytes, method: str = "md5") -> str:
    """`sign` of a call: over app_key, method, param_json (sorted and compact), timestamp and v."""
    signed = {name: params[name] for name in ("app_key", "method", "param_json", "timestamp", "v")}
    text = secret + run_together(signed) + secret
    return sha256_hmac(secret, text).hex() if method == "hmac-sha256" else md5_hex(text)


def doudian_param_json(params: object) -> str:
    """The parameters of a call as they are signed and sent: keys sorted at every depth, no blanks."""
    return json.dumps(params, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def douyin_webhook(body: bytes, secret: bytes) -> str:
    """Header `X-Douyin-Signature`: a plain hash, no HMAC."""
    return sha1_hex(secret, body)


def douyin_live(params: Mapping[str, str], body: bytes, secret: bytes) -> str:
    """Header `x-signature` over the headers x-msg-type, x-nonce-str, x-roomid, x-timestamp and the body."""
    signed = {name: params[name] for name in ("x-msg-type", "x-nonce-str", "x-roomid", "x-timestamp")}
    digest = hashlib.md5(joined(signed) + body + secret, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


# Kuaishou


def kwaixiaodian_request(params: Mapping[str, str], secret: bytes) -> str:
    """`sign` of a call to the shop's interface, by its own `signMethod`; `secret` is the signSecret."""
    text = joined(params) + b"&signSecret=" + secret
    if params["signMethod"] == "HMAC_SHA256":
        return base64.b64encode(sha256_hmac(secret, text)).decode()
    return md5_hex(text)


def kuaishou_play_push(body: bytes, secret: bytes) -> str:
    """Header `kwaisign`."""
    return md5_hex(body, secret)


def kuaishou_play_request(params: Mapping[str, str], secret: bytes) -> str:
    return md5_hex(joined(params), secret)


# Taobao, JD, Pinduoduo


def secret_wrapped(params: Mapping[str, str], secret: bytes) -> str:
    """The `sign` of a call to Taobao (`md5`), JD and Pinduoduo, and of TMC's CONNECT: upper-case MD5 hex."""
    return md5_hex(secret, run_together(params), secret).upper()


def taobao_request_hmac(params: Mapping[str, str], secret: bytes) -> str:
    """The `sign` of a call to Taobao with sign_method `hmac`."""
    return hmac.digest(secret, run_together(params), "md5").hex().upper()


def pinduoduo_digest(client_id: str, at_ms: str, secret: bytes) -> str:
    """The last part of the message socket's path, before it is percent-encoded."""
    return base64.b64encode(md5_hex(client_id.encode(), at_ms.encode(), secret).encode()).decode()


# WeChat, Xiaohongshu, Bilibili


def wechat(token: bytes, *parts: bytes) -> str:
    """`signature` over (timestamp, nonce); `msg_signature` over (timestamp, nonce, Encrypt)."""
    return sha1_hex(*sorted((token, *parts)))


def xiaohongshu_request(method: str, app_id: str, at_s: str, secret: bytes, version: str = "2.0") -> str:
    """`sign` of a call: system fields only."""
    text = method + "?" + f"appId={app_id}&timestamp={at_s}&version={version}"
    return md5_hex(text.encode(), secret)


def xiaohongshu_push(path: str, params: Mapping[str, str], secret: bytes) -> str:
    """Header `sign` over path, query, app-key and timestamp. One source, not confirmed; it covers no body."""
    return md5_hex(path.encode(), b"?", joined(params), secret)


def bilibili_request(headers: Mapping[str, str], secret: bytes) -> str:
    """`Authorization` over the six x-bili- headers; `x-bili-content-md5` is the MD5 hex of the exact body."""
    lines = "\n".join(f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-bili-"))
    return sha256_hmac(secret, lines.encode()).hex()


# Shopify, Stripe, TikTok


def shopify(body: bytes, secret: bytes) -> str:
    """Header `X-Shopify-Hmac-Sha256`."""
    return base64.b64encode(sha256_hmac(secret, body)).decode()


def stripe(at_s: str, body: bytes, secret: bytes) -> str:
    """One `v1` of header `Stripe-Signature`; `at_s` is its `t` as it stands there."""
    return sha256_hmac(secret, at_s.encode(), b".", body).hex()


def tiktok_shop(app_key: str, body: bytes, secret: bytes) -> str:
    """Header `Authorization`, without a scheme."""
    return sha256_hmac(secret, app_key.encode(), body).hex()


def tiktok_shop_request(path: str, params: Mapping[str, str], body: bytes, secret: bytes) -> str:
    """`sign` of a call: over path, query (all of it but `sign` and `access_token`) and body, within the secret.

    As "Sign your API request" of the Partner pages has it; its vector is a test.
    """
    return sha256_hmac(secret, secret, path.encode(), run_together(params), body, secret).hex()


def tiktok_developers(at_s: str, body: bytes, secret: bytes) -> str:
    """`s` of header `Tiktok-Signature`, of another product of TikTok's than the shop."""
    return sha256_hmac(secret, at_s.encode(), b".", body).hex()


# Clouds that carry an event's own streams


def key_and_expiry(t: str, secret: bytes) -> str:
    """`sign` in the body of Tencent's and of Volcengine's callbacks; `t` as it stands there, unix seconds."""
    return md5_hex(secret, t.encode())


def aliyun_live(domain: str, at_s: str, secret: bytes) -> str:
    """Header `ALI-LIVE-SIGNATURE`; `domain` is that of the push, `at_s` the header `ALI-LIVE-TIMESTAMP`."""
    return md5_hex(f"{domain}|{at_s}|".encode(), secret)
