"""The text of a link: which app a shop shall be linked with, and until when, signed by us. Pure, and kept nowhere.

It is base64url of a msgpack array and its HMAC-SHA256 (the first 16 bytes), so it goes through QR codes, chats and a
platform's `state` unharmed.
"""

import base64
import binascii
import hmac
import secrets
from datetime import UTC, datetime

import msgspec

MAC_BYTES = 16
CHARS_MAX = 512
PURPOSE = b"livemon account link 1"


class Link(msgspec.Struct, frozen=True, array_like=True):
    """`until` in unix seconds. `nonce` tells one link from another of the same shop."""

    app: str
    shop: str
    anchor: str
    until: int
    nonce: str


class BadLink(Exception):
    """Not signed by us, or `expired`."""

    def __init__(self, expired: bool = False) -> None:
        self.expired = expired
        super().__init__("expired" if expired else "not a link of ours")


def link_key(account_key: bytes) -> bytes:
    """What signs links: made of the account key, so that neither tells the other."""
    return hmac.digest(account_key, PURPOSE, "sha256")


def sign_link(key: bytes, app: str, shop: str, anchor: str, until: datetime) -> str:
    """`key` is that of `link_key`."""
    told = msgspec.msgpack.encode(Link(app, shop, anchor, int(until.timestamp()), secrets.token_urlsafe(9)))
    return base64.urlsafe_b64encode(_mac(key, told) + told).rstrip(b"=").decode()


def read_link(key: bytes, text: str, now: datetime) -> Link:
    """Raises BadLink, for whatever text; the signature is compared in constant time, before anything is read."""
    if len(text) > CHARS_MAX:
        raise BadLink
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadLink from None
    mac, told = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, told)):
        raise BadLink
    link = msgspec.msgpack.decode(told, type=Link)
    if now >= datetime.fromtimestamp(link.until, UTC):
        raise BadLink(expired=True)
    return link


def _mac(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, "sha256")[:MAC_BYTES]
