"""node_media_server_hooks: what one Node-Media-Server calls when a publisher comes or goes (its one webhook URL).

Source of the format: the npm package node-media-server 4.4.3, src/server/notify_server.js, and the recording.
"""

from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, App, Delivery, Details, Meaning, Reply
from ..instants import instant
from ..json_body import json_body
from ..server_hook import ServerHookRow
from ..tick import Tick

LIVE = {"postPublish": True, "donePublish": False}
OTHERS = {"prePlay", "postPlay", "donePlay", "prePublish", "postRecord", "doneRecord"}


class Call(msgspec.Struct, frozen=True):
    action: str
    id: str = ""
    app: str = ""
    name: str = ""
    endtime: int = 0


class NodeMediaServerHooks(ServerHookRow, tag="node_media_server_hooks", frozen=True, kw_only=True):
    PLATFORM = "node_media_server"
    CONTENT_TYPES = ("text/plain", "application/json")  # it sends its JSON as text
    TOLD_LATE_S = 30.0  # of an end: so long it waits for the publisher
    ALLOW = Reply(b"{}")  # any status but 200 cuts the publisher

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        call = json_body(msgspec.msgpack.decode(frame, type=Delivery).body, Call)
        live = LIVE.get(call.action)
        if live is None:
            if call.action in OTHERS:
                return Meaning()
            raise BadFrame("unknown_call: no action of Node-Media-Server")
        if not call.id or not call.app or not call.name:
            raise BadFrame("incomplete: no id, app or name")
        if not live and call.endtime:
            at = instant(call.endtime)
        room = f"{call.app}/{call.name}"
        return Meaning(ticks=[Tick(self.name, room, at, "event", live, session_key=call.id)])
