"""How two clouds sign their callbacks: `sign` in the body is the MD5 of the callback's key and of `t`, when it expires.

It covers nothing else of the body. Tencent: cloud.tencent.com/document/product/267/47025, Volcengine:
www.volcengine.com/docs/6469/1126932.
"""

import hashlib
import re
from datetime import datetime

import msgspec

from .collector import BadFrame
from .hook import Accepted, App, Delivery, LiveHookRow, Refused, Reply
from .json_body import json_body
from .signing import key_and_expiry, one_of

T = re.compile(r"[0-9]{10}", re.ASCII)
AHEAD_S_MAX = 3_600  # both give ten minutes
OVERDUE_S_MAX = 900  # a redelivery may bring the `t` of its first try, and they try for twelve minutes


class Signed(msgspec.Struct, frozen=True):
    t: int | str = ""
    sign: str = ""


class KeyAndExpiryRow(LiveHookRow, kw_only=True, frozen=True):
    """A `[[feed]]` table of such a cloud. Its answer is a receipt: the same code for all that was kept."""

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        try:
            told = json_body(delivery.body, Signed)
        except BadFrame:
            return Refused("malformed")
        expires = str(told.t)
        if not T.fullmatch(expires):
            return Refused("malformed")
        if not one_of(told.sign.lower(), [key_and_expiry(expires, secret) for secret in app.secrets]):
            return Refused("bad_signature")
        if not -OVERDUE_S_MAX <= int(expires) - now.timestamp() <= AHEAD_S_MAX:
            return Refused("stale")
        # Once: who was ended between the disk and the answer is called again with the same bytes.
        return Accepted(Reply(b'{"code":0}'), hashlib.sha256(delivery.body).hexdigest(), once=True)

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None
