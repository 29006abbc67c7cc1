"""aliyun_live: streams of Alibaba Cloud live, told by its callbacks when a push begins and when it is cut.

Fields and tries: help.aliyun.com/zh/live/user-guide/manage-callbacks (document 199365); signature: document 54787.
"""

import hashlib
from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, Accepted, App, Delivery, Details, LiveHookRow, Meaning, Refused, Reply
from ..instants import instant
from ..query import query_params
from ..signing import aliyun_live, one_of
from ..tick import Tick
from ..whole_seconds import ordered

WINDOW_S = 600
LIVE = {"publish": True, "publish_done": False}


class AliyunLive(LiveHookRow, tag="aliyun_live", frozen=True, kw_only=True):
    PLATFORM = "aliyun_live"
    METHOD = "GET"
    HEADERS = ("ali-live-timestamp", "ali-live-signature")
    TELLS_OF_REFUSED = False

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        params = query_params(delivery.query)
        stamp, told = (delivery.headers.get(header, "") for header in self.HEADERS)
        try:
            signed_at = instant(stamp)
        except BadFrame:
            return Refused("malformed")
        if params is None or not params.get("app"):
            return Refused("malformed")
        if not one_of(told.lower(), [aliyun_live(params["app"], stamp, secret) for secret in app.secrets]):
            return Refused("bad_signature")
        if abs((signed_at - now).total_seconds()) > WINDOW_S:
            return Refused("stale")
        return Accepted(Reply(b"", "text/plain"), hashlib.sha256(delivery.query.encode()).hexdigest(), once=True)

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        told = query_params(msgspec.msgpack.decode(frame, type=Delivery).query) or {}
        live = LIVE.get(told.get("action", ""))
        if live is None:
            raise BadFrame("unknown_call: neither publish nor publish_done")
        if not told.get("appname") or not told.get("id"):
            raise BadFrame("incomplete: no appname or id")
        stamp = ordered(instant(told.get("time")), live)
        return Meaning(ticks=[Tick(self.name, f"{told['appname']}/{told['id']}", stamp, "event", live)])
