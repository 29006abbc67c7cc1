"""What an answer says of rooms that it lists, and of those that it does not: seen, missed, or blind."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.collector import BadFrame, PartlyRead
from collectors.mapping import Fields
from collectors.platforms.http_json import HttpJson
from collectors.platforms.ws_json import WsJson
from collectors.polled_frame import joined
from collectors.tick import Tick

AT = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)
STAMP = datetime(2026, 11, 24, 12, tzinfo=UTC)
URL = "http://127.0.0.1/l"
ROOMS = ["a", "b", "直"]
FIELDS = Fields(room="id", live="on", viewers="v")


def row(**more: Any) -> HttpJson:
    return HttpJson(**{"name": "f", "url": URL, "rooms": ROOMS, "fields": FIELDS, **more})


def listed(*rooms: dict[str, Any]) -> bytes:
    return json.dumps(rooms, ensure_ascii=False).encode()


def said(feed: HttpJson | WsJson, frame: bytes) -> tuple[dict[str, tuple[bool | None, str]], set[str]]:
    """Of each room that has a tick whether it is live and by what evidence; and the rooms that are blind alone."""
    try:
        ticks, unseen = feed.parse(frame, AT), set[str]()
    except PartlyRead as partly:
        ticks, unseen = list(partly.ticks), set(partly.unseen)
    return {tick.room: (tick.live, tick.evidence) for tick in ticks}, unseen


ON, OFF = (True, "status"), (False, "status")
ABSENT = (False, "absent")


def test_a_whole_list_says_something_of_every_room() -> None:
    whole = row(complete=True)
    assert said(whole, listed({"id": "a", "on": True}, {"id": "b", "on": 0}, {"id": "别人", "on": 1})) == (
        {"a": ON, "b": OFF, "别人": ON, "直": ABSENT},
        set(),
    )
    assert said(whole, listed()) == (dict.fromkeys(ROOMS, ABSENT), set())


def test_a_list_that_is_not_whole_says_nothing_of_whom_it_misses() -> None:
    assert said(row(), listed({"id": "a", "on": True})) == ({"a": ON}, set())
    assert said(row(), listed()) == ({}, set())


def test_without_a_path_to_live_what_is_listed_is_live() -> None:
    assert said(row(fields=Fields(room="id")), listed({"id": "a"})) == ({"a": ON}, set())


@pytest.mark.parametrize(
    ("nonsense", "blind"),
    [
        ({"id": "b", "on": []}, {"b"}),
        ({"id": "b", "on": True, "v": "1.2万"}, {"b"}),
        ({"id": None, "on": True}, {"b"}),  # it may be b, so that b is not missed
        ({"on": True}, {"b"}),
        ({"id": "b" * 129, "on": True}, {"b"}),
        (7, {"b"}),
    ],
)
def test_whom_nonsense_is_told_of_is_blind_and_nobody_is_missed_for_it(nonsense: Any, blind: set[str]) -> None:
    frame = listed({"id": "a", "on": True}, {"id": "直", "on": True}, nonsense)
    assert said(row(complete=True), frame) == ({"a": ON, "直": ON}, blind)
    assert said(row(), frame) == ({"a": ON, "直": ON}, set())  # of such a list no single room can be blind


def test_what_could_not_be_read_is_told_and_no_more() -> None:
    with pytest.raises(PartlyRead, match="unfit: of 1 rooms: viewers is no whole number") as caught:
        row(complete=True).parse(listed({"id": "a", "on": True}, {"id": "b", "on": 1, "v": -1}), AT)
    assert caught.value.part == b'{"id":"b","on":1,"v":-1}'


def test_mostly_nonsense_is_no_answer() -> None:
    with pytest.raises(BadFrame, match="unfit: 2 of 3 rooms") as caught:
        row(complete=True).parse(listed({"id": "a", "on": True}, {"id": "b"} | {"on": {}}, {"id": "直", "on": {}}), AT)
    assert not isinstance(caught.value, PartlyRead)


def test_a_room_that_two_pages_show_is_taken_as_the_first_shows_it() -> None:
    feed = row(url=f"{URL}?page={{page}}", complete=True)
    frame = joined(
        None, [listed({"id": "a", "on": True, "v": 1}), listed({"id": "a", "on": False}, {"id": "b", "on": 1})]
    )
    assert said(feed, frame) == ({"a": ON, "b": ON, "直": ABSENT}, set())


ASKING = f"{URL}?ids={{rooms}}"


def test_of_rooms_that_were_asked_about_all_are_known_or_blind() -> None:
    frame = joined(["a", "b"], [listed({"id": "a", "on": True})])
    assert said(row(url=ASKING, rooms_per_call=2), frame) == ({"a": ON}, {"b"})
    assert said(row(url=ASKING, rooms_per_call=2, complete=True), frame) == ({"a": ON, "b": ABSENT}, set())


@pytest.mark.parametrize(
    "frame",
    [
        joined(["a", "b"], [b"<html>"]),
        joined(["a", "b"], [listed({"id": "直", "on": True})]),
        joined(["a", "b"], [b'{"code": 7}']),
        joined(["a", "b"], [], failed="timeout"),
        joined(["a", "b"], [listed({"id": "a", "on": True})], broken="page_loop: a page came twice"),
    ],
)
def test_an_answer_that_cannot_be_believed_blinds_whom_it_was_about(frame: bytes) -> None:
    assert said(row(url=ASKING, rooms_per_call=2, complete=True), frame) == ({}, {"a", "b"})


def test_one_room_a_call_need_not_say_whose_answer_it_is() -> None:
    feed = row(url=f"{URL}/{{room}}", fields=Fields(live="on"))
    assert said(feed, joined(["直"], [b'{"on": true}'])) == ({"直": ON}, set())
    assert said(feed, joined(["直"], [b"{}"])) == ({"直": (None, "status")}, set())


@pytest.mark.parametrize(("total", "good"), [(2, True), (1, True), ("2", True), (None, True), (3, False), (-1, False)])
def test_a_list_of_fewer_rooms_than_it_says_is_no_answer(total: object, good: bool) -> None:
    feed = row(rooms_at="r", total="t", complete=True)
    frame = json.dumps({"t": total, "r": [{"id": "a", "on": 1}, {"id": "b", "on": 1}]}).encode()
    if good:
        assert said(feed, frame)[0]["直"] == ABSENT
    else:
        with pytest.raises(BadFrame):
            feed.parse(frame, AT)


def test_there_is_an_end_to_how_many_rooms_a_frame_may_have() -> None:
    with pytest.raises(BadFrame, match="too_large"):
        row().parse(b"[" + b",".join([b"{}"] * 50_001) + b"]", AT)


def test_a_message_tells_of_its_own_room_alone() -> None:
    feed = WsJson(name="s", url="ws://127.0.0.1/", rooms=ROOMS, fields=FIELDS, state_url=URL, complete=True)
    assert said(feed, b'{"id": "a", "on": false}') == ({"a": OFF}, set())
    assert said(feed, b"") == ({}, set())
    with pytest.raises(BadFrame, match="room is not told"):
        feed.parse(b'{"on": true}', AT)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("stamped", [True, False])
def test_two_changes_of_one_room_in_a_message_are_both_told_in_their_order(first: bool, stamped: bool) -> None:
    """Of a poll that lists a room twice it is the first that counts; here the last one says how the room stands."""
    fields = Fields(room="id", live="on", at="ts")
    feed = WsJson(name="s", url="ws://127.0.0.1/", rooms=["a", "b"], rooms_at="r", fields=fields, state_url=URL)
    changes = [("a", first), ("b", True), ("a", not first)]
    told = {
        "r": [
            {"id": room, "on": on} | ({"ts": 1795521600 + number} if stamped else {})
            for number, (room, on) in enumerate(changes)
        ]
    }
    ticks = feed.parse(json.dumps(told).encode(), AT)
    assert [(tick.room, tick.live) for tick in ticks] == changes
    first_at, _, last_at = (tick.at for tick in ticks)
    assert first_at == (STAMP if stamped else AT)
    assert last_at == (STAMP + timedelta(seconds=2) if stamped else AT + timedelta(microseconds=1))  # so it decides
    [of_a, _] = feed.parse(joined(None, [json.dumps(told["r"]).encode()]), AT)
    assert of_a.live is first


def test_a_message_has_its_own_time_and_a_poll_that_of_the_asking() -> None:
    fields = Fields(room="id", live="on", at="ts")
    feed = WsJson(name="s", url="ws://127.0.0.1/", rooms=["a"], fields=fields, state_url=URL)
    told = b'{"id": "a", "on": true, "ts": 1795521600}'
    assert feed.parse(told, AT) == [Tick("s", "a", datetime(2026, 11, 24, 12, tzinfo=UTC), "status", True)]
    assert feed.parse(joined(None, [told]), AT) == [Tick("s", "a", AT, "status", True)]
