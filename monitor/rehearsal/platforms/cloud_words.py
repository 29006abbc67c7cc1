"""What clouds write when they call, in the form of the documented callbacks: whose push began, and whose was cut. Pure.

Of Tencent: cloud.tencent.com/document/product/267/47025, 267/32744 (tries), 267/31083 (`errcode`). Of Alibaba Cloud:
help.aliyun.com, documents 199365 and 54787 (signature). Of Volcengine: www.volcengine.com/docs/6469/1126932.
"""

import hashlib
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote, urlencode

from ..deliveries import Made
from ..event.play import RoomNow
from .call_words import unix_ms, written
from .calls import Habit
from .stream import Stream

DOMAIN = "push.example.cn"  # that the hall pushes to
NODE, PUBLISHER = "192.0.2.10", "192.0.2.20"
EXPIRES_S = 600  # both whose calls expire give ten minutes


def signed_within(told: bytes, secret: bytes, at: datetime) -> Made:
    """As the last two fields of the JSON. A further try brings those of the first."""
    expires_s = int(at.timestamp()) + EXPIRES_S
    signature = {"sign": md5(secret + str(expires_s).encode()), "t": expires_s}
    return {"Content-Type": "application/json"}, told[:-1] + b"," + written(signature)[1:]


def signed_beside(told: bytes, secret: bytes, at: datetime) -> Made:
    """In headers; what is told is the query of a GET."""
    stamp = str(int(at.timestamp()))
    headers = {"ALI-LIVE-TIMESTAMP": stamp, "ALI-LIVE-SIGNATURE": md5(f"{DOMAIN}|{stamp}|".encode() + secret)}
    return headers, b"", told.decode()


def md5(signed: bytes) -> str:
    return hashlib.md5(signed, usedforsecurity=False).hexdigest()


class TencentCalls:
    """A push has one sequence from begin to end, and its end says why it ended."""

    KIND: ClassVar[str] = "tencent_live"
    HABIT: ClassVar[Habit] = Habit(
        signed_within, token=False, timeout_s=20.0, retries_s=(60.0,) * 12, stamped="seconds"
    )  # fmt: skip

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        code, why = (0, "ok") if live else reason(stream.room)
        told: dict[str, object] = {
            "app": DOMAIN, "appid": 12345678, "appname": stream.app, "channel_id": stream.name, "errcode": code,
            "errmsg": why, "event_time": int(at.timestamp()), "event_type": int(live), "node": NODE,
            "sequence": str(2_188_986_200_000_000_000 + stream.room.connection), "set_id": 2,
            "stream_id": stream.name, "stream_param": "txSecret=00&txTime=6A000000", "user_ip": PUBLISHER,
        }  # fmt: skip
        if not live:
            told["push_duration"] = str(unix_ms(at) - unix_ms(since_at))
        return written(told)


def reason(room: RoomNow) -> tuple[int, str]:
    """Why a push ended, of a room as `Words` is given it: its publisher closed it, or hung, or the way to him broke."""
    if not room.on_air and room.signed_off:
        return (3, "recv() return 0") if room.frozen_s else (1, "recv rtmp deleteStream")
    return (8, "no data") if room.frozen_s else (12, "network exception")


class AliyunCalls:
    """It names no push, and does not say why one ended. Of who came it tells when he has stayed for two seconds."""

    KIND: ClassVar[str] = "aliyun_live"
    HABIT: ClassVar[Habit] = Habit(
        signed_beside, method="GET", token=False, retries_s=(1.0,) * 4, waits_s=2.0, stamped="seconds"
    )

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        told = {
            "action": "publish" if live else "publish_done", "app": DOMAIN, "appname": stream.app, "id": stream.name,
            "ip": PUBLISHER, "node": "cdnvideocenter010000000000.cm3", "time": int(at.timestamp()),
            "usrargs": f"vhost={DOMAIN}&auth_key=1795525200-0-0-00",
        }  # fmt: skip
        return urlencode(told, quote_via=quote, safe="").encode()


class VolcengineCalls:
    """A push has one session from begin to end, in milliseconds. UNVERIFIED: what an end is called, that it has the
    time of the end, and how far apart its later tries are: three soon, others until ten minutes have passed."""

    KIND: ClassVar[str] = "volcengine_live"
    HABIT: ClassVar[Habit] = Habit(
        signed_within, token=False, timeout_s=4.0, retries_s=(*(3.0,) * 3, *(30.0,) * 19), stamped="always"
    )

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        session = f"s-{stream.room.connection}"
        told = {
            "vhost": DOMAIN, "domain": DOMAIN, "app": stream.app, "stream": stream.name,
            "event_type": "push_start" if live else "push_end", "time": int(at.timestamp()), "time_ms": unix_ms(at),
            "transcoded": False, "fp_node_ip": NODE, "fp_client_ip": PUBLISHER, "session_id": session,
            "sequence_id": f"q-{session}",
        }  # fmt: skip
        return written(told)
