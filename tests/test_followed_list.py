"""Where the playlist of a room is: what is known of it goes on where a new key is all that changed in its address."""

from datetime import UTC, datetime, timedelta

from collectors.followed_list import FollowedList
from collectors.playlist import Known, Playlist, looked

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HERE, NEW_KEY, THERE = "http://10.0.0.7/run1.m3u8?key=a", "http://10.0.0.7/run1.m3u8?key=b", "http://10.0.0.7/run2.m3u8"


def seen(edge: int) -> Playlist:
    return Playlist(edge - 4, edge, 2.0, False, ())


def after(of_room: FollowedList, *looks: tuple[float, int]) -> FollowedList:
    for after_s, edge in looks:
        of_room.learn(looked(of_room.known, seen(edge), NOON + timedelta(seconds=after_s)))
    return of_room


def still() -> FollowedList:
    of_room = FollowedList()
    of_room.sent_to(HERE, NOON)
    assert not after(of_room, (0, 10), (2, 11), (4, 12), (8, 12), (9, 12)).moves
    return of_room


def test_another_list_that_stands_still_too_is_no_movement_whatever_its_numbers():
    of_room, moved_at = still(), NOON + timedelta(seconds=8)
    of_room.sent_to(THERE, NOON + timedelta(seconds=10))
    assert after(of_room, (10, 300)).known.moved_at == moved_at
    assert after(of_room, (12, 300)).known.moved_at == moved_at
    assert after(of_room, (16, 302)).known.moved_at == NOON + timedelta(seconds=16)


def test_with_a_new_key_it_is_the_same_list():
    of_room = still()
    of_room.sent_to(NEW_KEY, NOON + timedelta(seconds=10))
    assert after(of_room, (10, 14)).known.moved_at == NOON + timedelta(seconds=10)


def test_a_list_that_moves_goes_on_at_its_new_address():
    of_room = FollowedList()
    of_room.sent_to(HERE, NOON)
    known = after(of_room, (0, 10), (2, 11), (4, 12)).known
    of_room.sent_to(THERE, NOON + timedelta(seconds=5))
    assert of_room.known == known != Known()


def test_a_master_is_due_ten_seconds_later_or_when_the_clock_was_set_back():
    of_room = FollowedList()
    assert of_room.is_due(NOON)
    of_room.sent_to(HERE, NOON)
    due = [of_room.is_due(NOON + timedelta(seconds=after_s)) for after_s in (0, 9.9, 10, -1)]
    assert due == [False, False, True, True]
