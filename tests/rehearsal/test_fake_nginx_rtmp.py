"""The fake stat page has the form of the real one, and the real collector sees in it what the play says."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from collectors import frames
from collectors.servers.nginx_rtmp import NginxRtmp
from monitor.rehearsal.event.cast import cast
from monitor.rehearsal.event.play import Play, RoomNow
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.platforms.nginx_rtmp_page import stat_page

RECORDED = Path(__file__).parents[1] / "feeds/nginx_rtmp/one_evening/frames.jsonl"
EVENING = [frame for frame, _ in frames.decode_lines(RECORDED.read_bytes().splitlines())]
PARTS = [part for part in cast(60, 1) if part.platform == "nginx_rtmp"]
PART = PARTS[0]
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)

Form = tuple[str, tuple["Form", ...]]


def form(element: ElementTree.Element) -> Form:
    return element.tag, tuple(form(child) for child in element)


def first_application(page: bytes) -> tuple[Form, ...]:
    """The form of a page: every element in its order, of the totals and of the first application."""
    root = ElementTree.fromstring(page)  # noqa: S314 (our own pages)
    server = root.find("server")
    assert server is not None
    for other in server.findall("application")[1:]:
        server.remove(other)
    return form(root)[1]


def test_a_live_room_with_two_viewers_has_the_form_of_the_real_page() -> None:
    room = RoomNow(PART, True, True, viewers=2, connection=3, connected_s=16, received_s=16, kbps=108)
    page = stat_page([room], pid=30557, uptime_s=18)
    assert first_application(page) == first_application(EVENING[2])
    assert page.count(b"\r\n") == page.count(b"\n")


def test_a_room_whose_viewers_wait_has_the_form_of_the_real_page() -> None:
    room = RoomNow(PART, True, False, viewers=1, received_s=16, kbps=108)
    assert first_application(stat_page([room], 30557, 18)) == first_application(EVENING[6])


def test_a_hall_that_is_off_air_has_the_form_of_the_real_page() -> None:
    nobody = [RoomNow(PART, False), RoomNow(PART, True, False, viewers=0)]
    assert first_application(stat_page(nobody, 30557, 2)) == first_application(EVENING[0])


def test_the_first_lines_are_the_real_ones() -> None:
    assert stat_page([], 30557, 2).splitlines()[:7] == EVENING[0].splitlines()[:7]


def test_every_count_of_clients_is_that_of_the_clients_listed() -> None:
    rooms = [
        RoomNow(PART, True, True, viewers=3, connection=3), RoomNow(PARTS[1], True, False, viewers=2),
        RoomNow(PARTS[2], True, True, viewers=0, connection=4), RoomNow(PARTS[3], False),
    ]  # fmt: skip
    root = ElementTree.fromstring(stat_page(rooms, 30557, 18))  # noqa: S314 (our own page)
    streams = root.findall("server/application/live/stream")
    assert [stream.findtext("nclients") for stream in streams] == ["4", "2", "1"]
    assert [len(stream.findall("client")) for stream in streams] == [4, 2, 1]
    assert root.findtext("server/application/live/nclients") == root.findtext("naccepted") == "7"


def test_the_collector_sees_what_the_play_says() -> None:
    play = Play(PARTS, 1, Tempo(AT, 30))
    feed = NginxRtmp(name="hall", url="http://127.0.0.1/stat", rooms=[part.room for part in PARTS])
    for clock_s in range(0, 120, 5):
        rooms = play.rooms(clock_s)
        ticks = feed.parse(stat_page(rooms, 1, clock_s), AT)
        assert [tick.live for tick in ticks] == [room.publishing for room in rooms]
        assert [tick.viewers for tick in ticks] == [room.viewers if room.publishing else None for room in rooms]
        assert {tick.session_key for tick in ticks if tick.live} == {f"1:{r.connection}" for r in rooms if r.publishing}
