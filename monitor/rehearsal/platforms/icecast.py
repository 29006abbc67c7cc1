"""Icecast in a hall, whose rooms are sound alone: the admin's statistics, which count bytes."""

import base64
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar
from xml.sax.saxutils import escape

from ..manners import MEASURES
from ..scene import Settings
from .hall import Look, View
from .page_server import Answer, Asked
from .stream import Counting, Stream

STATS = "/admin/stats"
KBPS = 128  # of sound
UP = timedelta(days=4)  # for how long it had been running when the play began
MORE = 'user = "{user}"\npassword_file = "secrets/{name}"\n'
PAGE = """\
<?xml version="1.0"?>
<icestats><admin>ops@localhost</admin><client_connections>{clients}</client_connections><clients>{clients}</clients>\
<connections>{clients}</connections><file_connections>0</file_connections><host>localhost</host>\
<listener_connections>{listeners}</listener_connections><listeners>{listeners}</listeners><location>local</location>\
<server_id>Icecast 2.4.4</server_id><server_start>{start}</server_start>\
<server_start_iso8601>{start_iso}</server_start_iso8601><source_client_connections>{sources}</source_client_connections>\
<source_relay_connections>0</source_relay_connections><source_total_connections>{sources}</source_total_connections>\
<sources>{sources}</sources><stats>0</stats><stats_connections>0</stats_connections>{rows}</icestats>
"""
ROW = """\
<source mount="/{mount}"><genre>test</genre><listener_peak>{listeners}</listener_peak>\
<listeners>{listeners}</listeners><listenurl>http://localhost:8000/{mount}</listenurl><max_listeners>unlimited</max_listeners><public>0</public>\
<server_description>{about}</server_description><server_name>{anchor}</server_name>\
<server_type>audio/mpeg</server_type><slow_listeners>0</slow_listeners><source_ip>{address}</source_ip>\
<stream_start>{start}</stream_start><stream_start_iso8601>{start_iso}</stream_start_iso8601>\
<total_bytes_read>{read}</total_bytes_read><total_bytes_sent>{sent}</total_bytes_sent>\
<user_agent>Lavf/61.7.103</user_agent></source>"""


class Icecast:
    """As Icecast 2.4.4 answers: a mount is there while its source is, and counts from 0 for each one; bytes every 5 s.
    Listeners whose source came back are there again at once, as the play says (they were disconnected in between)."""

    KIND: ClassVar[str] = "icecast"
    PATH: ClassVar[str] = ""
    SERVES: ClassVar[str] = "Icecast 2.4.4"
    CONTENT_TYPE: ClassVar[str] = "text/xml; charset=utf-8"
    COUNTING: ClassVar[Counting] = Counting(steps_s=MEASURES["icecast"].steps_s)
    USER: ClassVar[str] = "admin"

    def __init__(self, hall: str, secret: bytes) -> None:
        self.secret = secret
        self.key = b"Authorization: Basic " + base64.b64encode(self.USER.encode() + b":" + secret)

    def settings(self, name: str) -> Settings:
        return Settings(MORE.format(user=self.USER, name=name), {name: self.secret})

    def answer(self, asked: Asked, view: View) -> Answer | None:
        if (asked.method, asked.path) != ("GET", STATS):
            return None
        if self.key not in asked.shown:
            return Answer(None, status=401)
        look = view.now()
        return Answer(stats(look).encode(), look.viewers)


def stats(look: Look) -> str:
    there = sorted(
        (stream for stream in look.streams if stream.room.publishing), key=lambda stream: stream.room.part.room
    )
    listeners = sum(stream.room.viewers for stream in there)
    start, start_iso = written(look.at - timedelta(seconds=look.clock_s) - UP)
    return PAGE.format(
        clients=listeners + len(there), listeners=listeners, sources=len(there), start=start, start_iso=start_iso,
        rows="".join(row(stream, look) for stream in there),
    )  # fmt: skip


def row(stream: Stream, look: Look) -> str:
    room, read = stream.room, stream.bytes_at(KBPS)
    start, start_iso = written(look.since_at(stream))
    return ROW.format(
        mount=room.part.room, listeners=room.viewers, about=escape(room.part.category), anchor=escape(room.part.anchor),
        address=f"10.{room.part.number % 250}.0.1", start=start, start_iso=start_iso, read=read,
        sent=read * room.viewers,
    )  # fmt: skip


def written(at: datetime) -> tuple[str, str]:
    """As the server writes an instant, twice."""
    return format_datetime(at), f"{at:%Y-%m-%dT%H:%M:%S%z}"
