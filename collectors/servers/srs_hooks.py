"""srs_hooks: what one SRS calls when a publisher comes or goes (http_hooks of its vhosts).

Source of the format: github.com/ossrs/srs, trunk/conf/full.conf and srs_app_http_hooks.cpp, and the recording.
"""

from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, App, Delivery, Details, Meaning, Reply
from ..json_body import json_body
from ..server_hook import ServerHookRow
from ..tick import Tick

LIVE = {"on_publish": True, "on_unpublish": False}


class Call(msgspec.Struct, frozen=True):
    action: str
    client_id: str = ""
    app: str = ""
    stream: str = ""


class SrsHooks(ServerHookRow, tag="srs_hooks", frozen=True, kw_only=True):
    PLATFORM = "srs"
    ALLOW = Reply(b'{"code":0}')  # an empty body, or any other code, refuses the publisher

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        call = json_body(msgspec.msgpack.decode(frame, type=Delivery).body, Call)
        live = LIVE.get(call.action)
        if live is None:
            if call.action.startswith("on_"):
                return Meaning()  # connections, players, files: none of them says how a room stands
            raise BadFrame("unknown_call: no action of SRS")
        if not call.app or not call.stream or not call.client_id:
            raise BadFrame("incomplete: no app, stream or client_id")
        room = f"{call.app}/{call.stream}"
        return Meaning(ticks=[Tick(self.name, room, at, "event", live, session_key=call.client_id)])
