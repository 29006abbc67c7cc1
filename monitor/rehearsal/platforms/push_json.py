"""A sender of push_json: signs and names what it delivers as docs/push_json.md tells strangers to."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from ..deliveries import Made
from ..scene import Settings

RETRIES_S = (2.0, 4.0, 6.0, 8.0, 10.0)
TIMEOUT_S = 10.0
BODY_BYTES_MAX = 1_048_576
STANZAS = """\
[[app]]
name = "{feed}"
platform = "push_json"
secret_file = "secrets/{feed}"

[[feed]]
kind = "push_json"
name = "{feed}"
app = "{feed}"
platform = "{platform}"
tells = {tells}
"""


def signed(secret: bytes, name: str, body: bytes, at: datetime) -> Made:
    """The delivery `name` with this body, signed at this instant; a retry is signed anew."""
    stamp = str(int(at.timestamp()))
    signature = hmac.new(secret, f"{stamp}.{name}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Livemon-Timestamp": stamp,
        "X-Livemon-Id": name,
        "X-Livemon-Signature": signature,
    }
    return headers, body


def content_name(body: bytes) -> str:
    """A name by which livemon keeps a body once, even if it was killed after keeping it and before saying so."""
    return "sha256-" + hashlib.sha256(body).hexdigest()


def written(document: object) -> bytes:
    """The body of a delivery."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(body) <= BODY_BYTES_MAX, len(body)  # noqa: S101 - it would be refused for ever
    return body


def taken(status: int, body: bytes) -> bool:
    return status == 200 and body == b'{"accepted": true}'


def settings(feed: str, platform: str, tells: Sequence[str], secret: bytes) -> Settings:
    """An application and a feed of the same name."""
    stanzas = STANZAS.format(feed=feed, platform=platform, tells=json.dumps(list(tells)))
    return Settings(stanzas, {feed: secret})
