"""nginx_rtmp_hooks: what one nginx with the RTMP module calls when a publisher comes or goes (its on_* directives).

Source of the format: github.com/arut/nginx-rtmp-module, ngx_rtmp_notify_module.c, and the recording.
"""

from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, App, Delivery, Details, Meaning, Reply
from ..json_body import fit_text
from ..query import first_fields
from ..server_hook import ServerHookRow
from ..tick import Tick

TOLD = {
    "publish": True,  # before it is let on air, and of a second publisher, too, who is refused
    "publish_done": False,
}
# A second publisher who was refused and stays connected has updates, too: they do not show who is on air.
OTHERS = {
    "connect", "disconnect", "play", "play_done", "update_play", "update_publish", "update", "done", "record_done",
}  # fmt: skip


class NginxRtmpHooks(ServerHookRow, tag="nginx_rtmp_hooks", frozen=True, kw_only=True):
    PLATFORM = "nginx_rtmp"
    CONTENT_TYPES = ("application/x-www-form-urlencoded",)
    ALLOW = Reply(b"", "text/plain")  # nginx reads the first digit of the status

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        # What a publisher adds to the name of his stream (`room1?token=abc`) comes last, as fields of its own.
        told = first_fields(msgspec.msgpack.decode(frame, type=Delivery).body)
        call = told.get("call", "")
        if call not in TOLD:
            if call in OTHERS:
                return Meaning()
            raise BadFrame("unknown_call: no call of nginx-rtmp")
        name, client = told.get("name", ""), told.get("clientid", "")
        if not told.get("app") or not name or not (client.isascii() and client.isdigit()):
            raise BadFrame("incomplete: no app, name or clientid")
        # The stat page has the process before the client: it is one server's, so the end of the key will do.
        key, room = f":{client}", fit_text(f"{told['app']}/{name}")
        return Meaning(ticks=[Tick(self.name, room, at, "event", TOLD[call], session_key=key)])
