"""zlmediakit_hooks: what one ZLMediaKit calls when a stream appears or vanishes (`hook.on_stream_changed`).

Source of the format: docs.zlmediakit.com/guide/media_server/web_hook_api.html and server/WebHook.cpp of its source.
"""

from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, App, Delivery, Details, Meaning, Reply
from ..json_body import json_body
from ..server_hook import ServerHookRow
from ..tick import Tick

DEFAULT_VHOST = "__defaultVhost__"


class Origin(msgspec.Struct, frozen=True):
    identifier: str | int = ""


class Call(msgspec.Struct, frozen=True):
    regist: bool | None = None
    schema: str = ""
    vhost: str = DEFAULT_VHOST
    app: str = ""
    stream: str = ""
    originSock: Origin | None = None


class ZlmediakitHooks(ServerHookRow, tag="zlmediakit_hooks", frozen=True, kw_only=True):
    schema: str = "rtmp"  # a stream is told of once for each protocol that it can be had by; this one speaks for it

    PLATFORM = "zlmediakit"
    ALLOW = Reply(b'{"code":0,"msg":"success"}')

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        call = json_body(msgspec.msgpack.decode(frame, type=Delivery).body, Call)
        if call.regist is None or call.schema != self.schema:
            return Meaning()
        if not call.app or not call.stream:
            raise BadFrame("incomplete: no app or stream")
        origin = str(call.originSock.identifier) if call.originSock else ""
        if call.regist and not origin:
            # Older ones do not say who began. Without a key it would be taken for the publisher before, and the poll,
            # which knows better, would tell of a second stop.
            return Meaning()
        room = "/".join([call.vhost, call.app, call.stream][call.vhost == DEFAULT_VHOST :])
        return Meaning(ticks=[Tick(self.name, room, at, "event", call.regist, session_key=origin or None)])
