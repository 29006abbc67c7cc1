"""A master playlist is asked again where its variant may be the room's no longer, and not often: over real sockets."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from collectors.collector import PartlyRead
from collectors.servers.hls import Hls

from .own_servers import AT, heard, served

LOOK_S = 2.0
SPOILT_S = 7.0
Seen = list[tuple[bool | None, str]]


class Cdn:
    """Its master names run1.m3u8, for which `spoil` answers from 7 s on, and then run2.m3u8 if there is a second."""

    def __init__(self, spoil: Callable[[], web.Response], second: bool = True) -> None:
        self.spoil, self.second, self.passed_s = spoil, second, -LOOK_S
        self.masters: list[float] = []
        self.master_fails = False

    def now(self) -> datetime:
        self.passed_s += LOOK_S
        return AT + timedelta(seconds=self.passed_s)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        spoilt = self.passed_s >= SPOILT_S
        if "index" in request.path:
            self.masters.append(self.passed_s)
            if self.master_fails and spoilt:
                return web.Response(status=502)
            run = 2 if spoilt and self.second else 1
            return web.Response(text=f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nrun{run}.m3u8\n")
        if "run2" in request.path:
            return listing(int(self.passed_s - SPOILT_S))
        return self.spoil() if spoilt else listing(100 + int(self.passed_s))

    async def seen(self, count: int) -> Seen:
        """Of each look: is the room live, and why it is blind."""
        async with served(self.answer) as url:
            row = Hls(name="h", url=url + "/{room}/index.m3u8", interval_s=0.1, rooms=["room1"])
            found, seen = await heard(row, count, self.now), Seen()
            for number, frame in enumerate(found):
                try:
                    seen += [(tick.live, "") for tick in row.parse(frame, AT + timedelta(seconds=LOOK_S * number))]
                except PartlyRead as blind:
                    seen.append((None, blind.unseen["room1"]))
        return seen


def listing(edge: int, more: str = "") -> web.Response:
    first = max(edge - 4, 0)
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:0", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    return web.Response(text="\n".join([*lines, *(f"#EXTINF:1,\n{n}.ts" for n in range(first, edge)), more]))


LIVE, OFF = (True, ""), (False, "")


@pytest.mark.parametrize(
    ("spoil", "meanwhile"),
    [
        (lambda: listing(107, "#EXT-X-ENDLIST"), OFF),
        (lambda: web.Response(status=404), OFF),
        (lambda: web.Response(status=400), (None, "http_status")),
        (lambda: web.Response(status=403), (None, "auth")),  # the key in its address has expired
        (lambda: web.Response(status=503), (None, "http_status")),
        (lambda: web.Response(text="<html>"), (None, "bad_frame")),
    ],
)
async def test_a_room_that_has_another_variant_is_seen_again(
    spoil: Callable[[], web.Response], meanwhile: tuple[bool | None, str]
):
    cdn = Cdn(spoil)
    assert await cdn.seen(9) == [(None, ""), *[LIVE] * 3, meanwhile, OFF, *[LIVE] * 3]
    assert cdn.masters == [0.0, 10.0]


async def test_a_variant_that_stands_still_is_left_where_its_master_names_another():
    cdn = Cdn(lambda: listing(106))
    seen = await cdn.seen(12)
    assert cdn.masters == [0.0, 12.0]
    assert seen == [(None, ""), *[LIVE] * 11]  # told apart by when it moved last


@pytest.mark.parametrize("master_fails", [False, True])
async def test_while_no_other_is_named_the_variant_is_shown_and_its_master_seldom_asked(master_fails: bool):
    cdn = Cdn(lambda: listing(107, "#EXT-X-ENDLIST"), second=False)
    cdn.master_fails = master_fails
    assert await cdn.seen(25) == [(None, ""), *[LIVE] * 3, *[OFF] * 21]
    assert cdn.masters == [0.0, 10.0, 20.0, 30.0, 40.0]


async def test_a_variant_that_moves_is_never_left():
    cdn = Cdn(lambda: listing(100 + int(cdn.passed_s)))
    assert await cdn.seen(15) == [(None, ""), *[LIVE] * 14]
    assert cdn.masters == [0.0]
