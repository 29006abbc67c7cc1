"""What of a room's messages is waited for, how a slow disk is told from a silent platform, and the pace of connects."""

import pytest

from collectors.bilibili_messages import END, LIKE, OVER, command_of, glanced_at
from collectors.collector import BadFrame
from collectors.order_socket import QUEUED_MAX

from .bilibili_house import hall, row
from .test_bilibili_open import gift

P = "LIVE_OPEN_PLATFORM_"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('{"cmd":"LIVE_OPEN_PLATFORM_LIKE","data":{"like_count":1}}', P + "LIKE"),
        ('{"data":{"msg":"多少钱 \\"cmd\\" \\n"},"cmd":"LIVE_OPEN_PLATFORM_DM:1"}', P + "DM"),
        ('{"cmd":"LIVE_OPEN_PLATFORM_INTERACTION_END"}', OVER),
        ('{"cmd":"LIVE_OPEN_PLATFORM_LIKE","cmd":"LIVE_OPEN_PLATFORM_SEND_GIFT"}', ""),
        ('{"cmd":"LIVE_OPEN_PLATFORM_LIKE","\\u0063md":"LIVE_OPEN_PLATFORM_SEND_GIFT"}', ""),
        ('{"cmd":"LIVE_OPEN_PLATFORM_LIKE"', ""),
        ('{"cmd": 谁', ""),
        ('{"cmd":7}', ""),
        ("[]", ""),
        ("", ""),
    ],
)
def test_a_glance_tells_what_a_strict_reading_tells_or_nothing(message: str, told: str) -> None:
    assert glanced_at(message.encode()) == told
    if told:
        assert command_of(message.encode()) == told


def test_a_glance_at_what_is_no_text_tells_nothing() -> None:
    assert glanced_at(b'{"cmd":"\xff\xfe"}') == ""


async def test_of_likes_and_talk_one_is_told_and_what_may_be_two_things_is_kept_for_a_person() -> None:
    async with hall("5") as found, found.hearing(row(["5"])):
        await found.until(lambda: found.listeners() == 1)
        push, raw = found.fake.sockets.push, found.fake.sockets
        for number in range(20):
            push("5", "LIKE", {"room_id": 5, "like_count": number})
            push("5", "DM", {"room_id": 5, "msg": "多少钱"})
        raw.push_raw("5", raw.packed([f'{{"cmd":"{LIKE}","data":{{}},"cmd":"{END}"}}'.encode()]))
        push("5", "SEND_GIFT", gift(found, "5", 1))
        await found.until(lambda: len(found.frames) == 2)
        [liked], [twice, given] = ([frame for frame, _ in came] for came in (found.held, found.frames))
    assert b"_LIKE" in liked
    with pytest.raises(BadFrame):
        command_of(twice.partition(b"\n")[2])
    assert b"_SEND_GIFT" in given


async def test_a_like_overtakes_nothing_that_was_said_before_it() -> None:
    """It would decide how the room stands, and what is older and still on its way would come too late."""
    async with hall("5", "6", "7", "8") as found, found.hearing(row(["5", "6", "7", "8"])):
        await found.until(lambda: found.listeners() == 4)
        stage, raw = {"open_id": "o", "timestamp": 1_764_000_000}, found.fake.sockets

        def begun(room: str) -> None:
            raw.push(room, "LIVE_START", {"room_id": int(room)} | stage)

        def liked(room: str) -> None:
            raw.push(room, "LIKE", {"room_id": int(room), "like_count": 1})

        found.disk.clear()
        begun("5")
        liked("5")  # the first one is on its way to the disk
        liked("6")  # in this room nothing is
        await found.until(lambda: len(found.held) == 1)
        found.disk.set()
        await found.until(lambda: len(found.frames) == 2)
        found.unread = 1
        begun("7")
        await found.until(lambda: len(found.frames) == 3)
        liked("7")  # the first one is on the disk, and nobody has read it
        await found.until(lambda: len(found.frames) == 4)
        found.unread = 0
        begun("8")
        await found.until(lambda: len(found.frames) == 5)
        liked("8")
        await found.until(lambda: len(found.held) == 2)
    rooms = [[frame.partition(b"\n")[0] for frame, _ in came] for came in (found.held, found.frames)]
    assert rooms == [[b"6", b"8"], [b"5", b"5", b"7", b"7", b"8"]]


async def test_a_like_that_cannot_be_read_strictly_is_kept_for_a_person_and_stands_in_no_other_s_way() -> None:
    async with hall("5") as found, found.hearing(row(["5"])):
        await found.until(lambda: found.listeners() == 1)
        raw = found.fake.sockets
        raw.push_raw("5", raw.packed([f'{{"cmd":"{LIKE}","data":{{"room_id":5,"room_id":6}}}}'.encode()]))
        await found.until(lambda: len(found.frames) == 1)
        raw.push("5", "LIKE", {"room_id": 5, "like_count": 1})
        await found.until(lambda: len(found.held) == 1)


async def test_a_like_for_which_there_is_no_place_in_memory_is_kept() -> None:
    async with hall("5") as found, found.hearing(row(["5"])):
        await found.until(lambda: found.listeners() == 1)
        found.holds = False
        found.fake.sockets.push("5", "LIKE", {"room_id": 5, "like_count": 1})
        await found.until(lambda: len(found.frames) == 1)


async def test_a_heartbeat_whose_answer_our_disk_holds_up_ends_no_connection() -> None:
    """The answer waits behind messages that wait for the disk."""
    async with hall("5") as found:
        found.fake.sockets.muted.add("5")
        async with found.hearing(row(["5"], interval_s=1.0)):
            await found.until(lambda: found.listeners() == 1)
            found.disk.clear()
            for number in range(2 * QUEUED_MAX + 8):
                found.fake.sockets.push("5", "SEND_GIFT", gift(found, "5", number))
            began = found.clock()
            await found.until(lambda: (found.clock() - began).total_seconds() > 1.3)
            found.fake.sockets.muted.discard("5")
            found.disk.set()
            await found.until(lambda: len(found.frames) == 2 * QUEUED_MAX + 8)
            await found.until(lambda: found.fake.sockets.beats >= 2)
        assert len(found.fake.sockets.opened_at) == 1


async def test_gifts_are_of_the_instant_at_which_they_came_however_slow_the_disk_is() -> None:
    async with hall("5") as found, found.hearing(row(["5"])):
        await found.until(lambda: found.listeners() == 1)
        found.disk.clear()
        for number in range(3):
            found.fake.sockets.push("5", "SEND_GIFT", gift(found, "5", number))
        began = found.clock()
        await found.until(lambda: (found.clock() - began).total_seconds() > 0.5)
        found.disk.set()
        await found.until(lambda: len(found.frames) == 3)
        assert all((at - began).total_seconds() < 0.3 for _, at in found.frames)


async def test_names_that_are_looked_up_slowly_gather_no_connects() -> None:
    """What waits for a name must not have passed the turnstile: all would connect in the instant of the answer."""
    rooms = [str(number) for number in range(100, 160)]
    async with hall(*rooms) as found:
        found.names.clear()
        async with found.hearing(row(rooms, connects_per_s=50.0)):
            began = found.clock()
            await found.until(lambda: (found.clock() - began).total_seconds() > 0.8)
            assert not found.fake.sockets.opened_at
            found.names.set()
            await found.until(lambda: found.listeners() == 60)
    opened = sorted(found.fake.sockets.opened_at)
    assert opened[59] - opened[0] > 0.9, "fifty a second; what a late loop missed it makes up for"
