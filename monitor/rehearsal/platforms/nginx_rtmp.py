"""nginx-rtmp in a hall: its stat page."""

from typing import ClassVar

from ..scene import Settings
from .hall import View
from .nginx_rtmp_page import stat_page
from .page_server import Answer, Asked
from .stream import Counting

UP_S = 400_000  # for how long nginx had been running when the play began


class NginxRtmp:
    """One worker process; the hall's letter gives its pid. The totals of a stream go on from one publisher to the
    next (they do while anybody watches), as `stat_page` has them."""

    KIND: ClassVar[str] = "nginx_rtmp"
    PATH: ClassVar[str] = "/stat"
    SERVES: ClassVar[str] = "nginx/1.26.3"
    CONTENT_TYPE: ClassVar[str] = "text/xml"
    COUNTING: ClassVar[Counting] = Counting()

    def __init__(self, hall: str, secret: bytes) -> None:
        self.pid = 30_000 + ord(hall[0])

    def settings(self, name: str) -> Settings:
        return Settings("")

    def answer(self, asked: Asked, view: View) -> Answer | None:
        if (asked.method, asked.path) != ("GET", self.PATH):
            return None
        look = view.now()
        return Answer(stat_page([it.room for it in look.streams], self.pid, UP_S + int(look.clock_s)), look.viewers)
