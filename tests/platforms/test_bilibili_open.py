"""bilibili_open against a played Bilibili, over real sockets: what it hears, survives, and says of rooms."""

import asyncio
import zlib

import msgspec
import pytest
from websockets.asyncio.client import connect

from collectors.apis.bilibili_calls import BATCH_MAX, Game
from collectors.bilibili_games import Games
from collectors.bilibili_messages import frame_of
from collectors.collector import BadFrame, FeedRefused
from monitor.rehearsal.platforms.bilibili_sockets import AUTH, as_bytes
from monitor.rehearsal.platforms.bilibili_wire import Spoken, bundled, written

from .bilibili_house import START, Hall, hall, row

GIFT = {
    "open_id": "u1", "uname": "张三", "gift_id": 31_036, "gift_name": "小花花", "gift_num": 3, "price": 300,
    "r_price": 300, "paid": True, "anchor_info": {"uid": 0, "open_id": "open-5"},
}  # fmt: skip


def at_s(found: Hall) -> int:
    return int(found.clock().timestamp())


def gift(found: Hall, room: str, number: int, **more: object) -> dict[str, object]:
    return {"room_id": int(room), "timestamp": at_s(found), "msg_id": f"m-{number}", **GIFT, **more}


@pytest.mark.parametrize("version", [0, 2, 3])
async def test_an_evening_is_heard_whatever_its_packing(version: int) -> None:
    async with hall("5", "6") as found, found.hearing(feed := row(["5", "6"])):
        found.fake.sockets.version = version
        await found.until(lambda: found.listeners() == 2)
        stage = {"room_id": 5, "open_id": "open-5", "timestamp": at_s(found), "title": "草莓专场", "area_name": "生活"}
        push = found.fake.sockets.push
        assert push("5", "LIVE_START", stage) == 1
        push("5", "SEND_GIFT", gift(found, "5", 1), gift(found, "5", 2, paid=False), gift(found, "5", 3, gift_num=1))
        push("5", "DM", {"room_id": 5, "msg": "多少钱"})
        push("6", "LIKE", {"room_id": 6, "like_count": 7})
        push("6", "LIKE", {"room_id": 6, "like_count": 9})
        push("5", "LIVE_END", stage)
        await found.until(lambda: (len(found.frames), len(found.held)) == (5, 1))
        meant = found.meanings(feed)
        told = [(tick.room, tick.live, tick.evidence, tick.end) for meaning in meant for tick in meaning.ticks]
        assert sorted(told, key=str) == sorted(
            [("5", True, "event", None), ("5", False, "event", "ended"), ("6", True, "status", None)], key=str
        )
        assert [sale.event_id for meaning in meant for sale in meaning.sales] == ["5:m-1:gift", "5:m-3:gift"]


async def test_runs_are_kept_alive_by_batches_and_sockets_by_beats() -> None:
    async with hall("5", "6") as found, found.hearing(row(["5", "6"])):
        await found.until(lambda: len([batch for batch in found.fake.beats if len(batch) == 2]) >= 2)
        await found.until(lambda: found.fake.sockets.beats >= 4)
    assert sorted(found.fake.started) == ["5", "6"]


async def test_no_batch_is_over_200_and_none_names_a_run_twice() -> None:
    rooms = [str(number) for number in range(1_000, 1_450)]
    async with hall(*rooms) as found:
        line, feed = found.line(row(rooms)), row(rooms)
        games = Games(line, rooms, feed.app_id, found.clock)
        async with asyncio.TaskGroup() as group:
            for room in rooms:
                group.create_task(games.of(room))
        again = Games(line, rooms, feed.app_id, found.clock)
        await again.find()
        assert [len(batch) for batch in found.fake.beats] == [BATCH_MAX, BATCH_MAX, 50]
        assert len({game_id for batch in found.fake.beats for game_id in batch}) == 450
        for room in rooms:
            await again.of(room)
        assert len(found.fake.started) == 450, "what runs is not begun again"


async def test_a_restart_goes_on_with_the_runs_it_finds() -> None:
    async with hall("5", "6") as found:
        for _ in range(2):
            async with found.hearing(row(["5", "6"])):
                await found.until(lambda: found.listeners() == 2)
            await found.until(lambda: found.listeners() == 0)
        assert sorted(found.fake.started) == ["5", "6"]


async def test_a_restart_that_comes_too_late_begins_anew_when_the_room_has_cooled_down() -> None:
    async with hall("5") as found:
        async with found.hearing(row(["5"])):
            await found.until(lambda: found.listeners() == 1)
        found.clock.add(61.0)
        async with found.hearing(row(["5"])):
            await found.until(lambda: found.asked["/v2/app/start", "7001"] > 0)
            assert found.listeners() == 0
            found.clock.add(11.0)
            await found.until(lambda: found.listeners() == 1)
        assert found.fake.started == ["5", "5"]


async def test_a_run_that_the_platform_ended_is_begun_anew_without_waiting_for_a_heartbeat() -> None:
    async with hall("5") as found, found.hearing(row(["5"], interval_s=20.0)):
        await found.until(lambda: found.listeners() == 1)
        found.fake._end({"game_id": "game-1", "app_id": found.fake.app_id})
        await found.until(lambda: found.fake.started == ["5", "5"] and found.listeners() == 1)


async def test_the_end_of_another_run_in_the_room_is_not_ours() -> None:
    """As of a livemon that was here before and was ended by its heartbeats."""
    async with hall("5") as found, found.hearing(row(["5"], interval_s=20.0)):
        await found.until(lambda: found.listeners() == 1)
        for game_id in ("game-0", 7):
            found.fake.sockets.push("5", "INTERACTION_END", {"game_id": game_id, "timestamp": 1})
        found.fake.sockets.push("5", "SEND_GIFT", gift(found, "5", 1))
        await found.until(lambda: found.frames)
        assert (found.fake.started, found.listeners(), len(found.fake.sockets.opened_at)) == (["5"], 1, 1)


@pytest.mark.parametrize("data", [{"game_id": "game-1"}, {"game_id": ""}, {"game_id": None}, {}])
async def test_an_end_that_is_ours_or_names_nobody_begins_the_run_anew(data: dict[str, object]) -> None:
    async with hall("5") as found, found.hearing(row(["5"], interval_s=20.0)):
        await found.until(lambda: found.listeners() == 1)
        del found.fake.games["game-1"]
        found.fake.sockets.push("5", "INTERACTION_END", data)
        await found.until(lambda: found.fake.started == ["5", "5"] and found.listeners() == 1)


async def test_the_played_platform_tells_the_end_of_a_run_to_its_own_sockets() -> None:
    async with hall("5") as found:
        sockets = found.fake.sockets
        async with connect(sockets.url) as one, connect(sockets.url) as other:
            for game_id, socket in (("game-1", one), ("game-2", other)):
                await socket.send(written(Spoken(AUTH, sockets.admit(game_id, "5").encode(), 1, 1)))
                await socket.recv()
            sockets.forget("game-2")
            sockets.push("5", "LIKE", {"room_id": 5})
            heard = {name: as_bytes(await socket.recv()) for name, socket in (("one", one), ("other", other))}
    assert b"_LIKE" in heard["one"]
    assert b'_INTERACTION_END", "data": {"game_id": "game-2"' in heard["other"]


async def test_a_run_that_a_heartbeat_finds_over_is_begun_anew() -> None:
    """The message that says so was lost: nothing else tells."""
    async with hall("5") as found, found.hearing(row(["5"])):
        await found.until(lambda: found.listeners() == 1)
        del found.fake.games["game-1"]
        await found.until(lambda: found.fake.started == ["5", "5"])


async def test_words_that_are_not_good_any_more_end_the_run_and_another_is_begun() -> None:
    async with hall("5") as found:
        game = Game("game-0", "5", '{"roomid":5}', (found.fake.sockets.url,))
        await found.line(row(["5"])).note("5", {"game": msgspec.json.encode(game).decode()})
        found.fake.games["game-0"] = type("Played", (), {"game_id": "game-0", "room": "5", "beat_at": START})()
        async with found.hearing(row(["5"])):
            await found.until(lambda: found.listeners() == 1)
        assert found.fake.ended == ["5"]
        assert found.fake.started == ["5"]


async def test_a_code_that_is_over_leaves_its_own_room_alone() -> None:
    async with hall("5", "6") as found:
        found.fake.expired.add("CODE5")
        async with found.hearing(row(["5", "6"])):
            await found.until(lambda: found.listeners() == 1)
            await found.until(lambda: found.unheard_rooms["5", "auth"] > 0)
        assert found.accounts["bili", "", "5"].refused
        assert found.asked["/v2/app/start", "7007"] == 1, "nobody is asked again before a person gave another code"
        assert not [room for room, _ in found.unheard_rooms if room == "6"]


async def test_a_room_without_an_account_is_unheard_and_others_are_heard() -> None:
    async with hall("5") as found, found.hearing(row(["5", "6"])):
        await found.until(lambda: found.listeners() == 1)
        await found.until(lambda: found.unheard_rooms["6", "auth"] > 0)


async def test_a_code_of_another_room_is_not_heard_as_this_one() -> None:
    async with hall("5", "6") as found:
        found.fake.codes["CODE5"] = "77"
        async with found.hearing(row(["5", "6"])):
            await found.until(lambda: found.unheard_rooms["5", "auth"] > 0)
            assert found.listeners() == 1


async def test_a_wrong_secret_is_a_refusal_of_the_feed() -> None:
    async with hall("5") as found:
        found.secret = b"another"
        with pytest.raises(ExceptionGroup) as failed:
            async with found.hearing(row(["5"])) as work:
                await asyncio.wait([work], timeout=5)
        assert failed.group_contains(FeedRefused, match="4002")


async def test_a_socket_that_is_cut_comes_back_and_nothing_is_begun_for_it() -> None:
    async with hall("5", "6") as found, found.hearing(row(["5", "6"])):
        await found.until(lambda: found.listeners() == 2)
        [connection] = found.fake.sockets.heard["5"]
        connection.transport.abort()
        await found.until(lambda: len(found.fake.sockets.opened_at) == 3 and found.listeners() == 2)
        assert len(found.fake.started) == 2
        assert not found.lost_for


async def test_a_socket_that_answers_no_heartbeat_is_left() -> None:
    async with hall("5", "6") as found, found.hearing(row(["5", "6"])):
        await found.until(lambda: found.listeners() == 2)
        found.fake.sockets.muted.add("5")
        await found.until(lambda: len(found.fake.sockets.opened_at) >= 3)


async def test_a_bomb_costs_one_connection() -> None:
    async with hall("5", "6") as found, found.hearing(feed := row(["5", "6"])):
        await found.until(lambda: found.listeners() == 2)
        bomb = written(Spoken(5, zlib.compress(bytes(32 << 20), 9), 2, 0))
        found.fake.sockets.push_raw("5", bomb)
        await found.until(lambda: len(found.fake.sockets.opened_at) == 3 and found.listeners() == 2)
        found.fake.sockets.push("5", "SEND_GIFT", gift(found, "5", 1))
        await found.until(lambda: found.frames)
        assert len(found.meanings(feed)[0].sales) == 1


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"<html>",
        b"\0" * 16,
        bundled([Spoken(5, written(Spoken(5, b"{}", 0, 0)), 2, 0)], 3),
        written(Spoken(5, b"{}", 0, 0))[:-1],
    ],
)
async def test_nonsense_costs_one_connection(message: bytes) -> None:
    async with hall("5", "6") as found, found.hearing(row(["5", "6"])):
        await found.until(lambda: found.listeners() == 2)
        found.fake.sockets.push_raw("5", message)
        await found.until(lambda: len(found.fake.sockets.opened_at) == 3 and found.listeners() == 2)
        assert not found.frames


async def test_what_is_no_json_is_kept_for_a_person() -> None:
    async with hall("5") as found, found.hearing(feed := row(["5"])):
        await found.until(lambda: found.listeners() == 1)
        broken = '{"cmd": 谁'.encode()
        found.fake.sockets.push_raw("5", found.fake.sockets.packed([broken]))
        await found.until(lambda: found.frames)
        assert found.frames[0][0] == frame_of("5", broken)
        with pytest.raises(BadFrame):
            found.meanings(feed)


async def test_all_that_are_cut_at_once_are_lost_once_and_come_back_within_the_pace() -> None:
    rooms = [str(number) for number in range(100, 160)]
    async with hall(*rooms) as found, found.hearing(row(rooms, connects_per_s=50.0)):
        await found.until(lambda: found.listeners() == 60)
        await found.until(lambda: found.pulses >= 2)
        before = len(found.fake.sockets.opened_at)
        found.fake.sockets.cut()
        await found.until(lambda: found.lost_for)
        await found.until(lambda: len(found.fake.sockets.opened_at) == before + 60 and found.listeners() == 60)
        opened = found.fake.sockets.opened_at
        assert opened[59] - opened[0] > 1.0, "fifty a second, when nobody has waited before"
        assert len(found.lost_for) == 1
        pulses = found.pulses
        await found.until(lambda: found.pulses > pulses)
        assert len(found.fake.started) == 60


async def test_a_platform_in_trouble_is_come_back_to() -> None:
    async with hall("5", "6") as found, found.hearing(row(["5", "6"])):
        await found.until(lambda: found.listeners() == 2)
        found.fake.trouble.feed = "refuse"
        found.fake.sockets.cut()
        await found.until(lambda: found.lost_for)
        found.fake.trouble.feed = None
        await found.until(lambda: found.listeners() == 2)


async def test_an_app_that_is_not_published_hears_its_own_room_without_a_run() -> None:
    async with hall("5", "6", published=False, own_room="5") as found, found.hearing(row(["5", "6"])):
        await found.until(lambda: found.listeners() == 1)
        await found.until(lambda: found.unheard_rooms["6", "auth"] > 0)
        assert not [batch for batch in found.fake.beats if batch]
