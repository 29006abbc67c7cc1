"""A call of Kwaixiaodian's open API as it is signed, and the one that tells how many watch a seller's live room.

Source: china.md 4.1.
"""

from collections.abc import Mapping
from datetime import datetime
from math import floor
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from ..json_body import json_body
from ..open_api import Call, Caller
from ..signing import kwaixiaodian_request

REAL_UV = "open.live.shop.seller.real.uv"


def signed_call(caller: Caller, method: str, params: Mapping[str, object] | None, now: datetime) -> Call:
    """Signed with the signSecret over all of its parameters as they are before they are escaped."""
    asked = {
        "access_token": caller.access, "appkey": caller.app.key, "method": method, "signMethod": "HMAC_SHA256",
        "timestamp": str(floor(now.timestamp() * 1000)), "version": "1",
    }  # fmt: skip
    if params is not None:
        asked["param"] = msgspec.json.encode(params, order="sorted").decode()
    asked["sign"] = kwaixiaodian_request(asked, next(iter(caller.app.sign_secrets), b""))
    return Call(method, f"{caller.base}/{method.replace('.', '/')}?{urlencode(asked)}")


# --- the live room of the seller who asks -----------------------------------------------------------------------------


class RealUv(msgspec.Struct, frozen=True):
    realWatchUv: Annotated[int, msgspec.Meta(ge=0)] | None = None


class RealUvAnswer(msgspec.Struct, frozen=True):
    data: RealUv | None


def real_uv(caller: Caller, now: datetime) -> Call:
    """How many watch the live room of the seller in whose name it is asked."""
    return signed_call(caller, REAL_UV, {}, now)


def read_uv(body: bytes) -> int | None:
    """None: the answer names no number. Raises BadFrame."""
    told = json_body(body, RealUvAnswer).data
    return None if told is None else told.realWatchUv
