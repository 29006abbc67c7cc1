"""The cast is that of the real event, whatever the seed, and every platform's ids are in its own form."""

from collections import Counter

import pytest

from collectors.apis.youtube_calls import is_video_id
from monitor.rehearsal.event.cast import CITIES, ELSEWHERE, HALLS, OWN_SHOPS, PLATFORMS, Part, cast, roster_csv
from monitor.rehearsal.event.fans import OWN_SERVER_FANS_MAX
from monitor.rehearsal.house import CLOUD_CALLS, SERVERS
from monitor.rehearsal.manners import server_of
from monitor.roster_file import read_roster_file

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=SEEDS)
def event(request: pytest.FixtureRequest) -> list[Part]:
    return cast(12_000, request.param)


def test_a_longer_cast_begins_with_the_shorter_one(event: list[Part]) -> None:
    assert [part for part in cast(2_000, 1)][:40] == cast(40, 1)
    assert cast(40, 1) != cast(40, 2)


def test_seventy_have_over_a_hundred_thousand_fans_and_thirty_of_them_a_million(event: list[Part]) -> None:
    fans = sorted((part.fans for part in event), reverse=True)
    assert sum(one > 100_000 for one in fans) == 70
    assert sum(one > 1_000_000 for one in fans) == 30
    assert fans[2] > 7_000_000
    assert fans[0] <= 10_000_000
    assert sum(fans) == pytest.approx(116_000_000, rel=0.04)


@pytest.mark.parametrize(("rooms", "stars"), [(20, 0), (40, 1), (2_000, 12), (6_000, 35), (24_000, 140)])
def test_smaller_casts_keep_the_share_of_stars(rooms: int, stars: int) -> None:
    assert sum(part.tier == 1 for part in cast(rooms, 1)) == stars


def test_some_stars_of_a_small_cast_are_large_ones() -> None:
    fans = [part.fans for part in cast(2_000, 1) if part.star]
    assert 3 <= sum(one > 1_000_000 for one in fans) <= 7


def test_stars_are_on_platforms_and_draw_thousands_villages_draw_dozens(event: list[Part]) -> None:
    for part in event:
        if part.star:
            assert part.platform != "nginx_rtmp"
            assert 5_000 <= part.draw <= 60_000
        else:
            assert part.fans < OWN_SERVER_FANS_MAX
            assert 5 <= part.draw <= 200
    village = [part.draw for part in event if part.tier == 4]
    assert 5 <= min(village) < max(village) <= 40


def test_tiers_follow_fans(event: list[Part]) -> None:
    for part in event:
        assert part.tier == 1 + sum(part.fans < least for least in (100_000, 10_000, 1_000))


def test_rooms_are_spread_as_the_shares_say(event: list[Part]) -> None:
    rooms = Counter(part.platform for part in event)
    for platform, (share, _) in PLATFORMS.items():
        assert rooms[platform] == pytest.approx(12_000 * share, rel=0.2)
    assert {part.city for part in event} == {city for city, *_ in CITIES}
    assert {part.hall for part in event} == set(HALLS)


def test_halls_of_nginx_have_most_rooms_and_each_other_kind_of_server_or_cloud_has_a_hall(event: list[Part]) -> None:
    halls = Counter(part.hall for part in event)
    kinds = Counter(server_of(part.hall) for part in event)
    assert set(kinds) == {*SERVERS, "hls", *CLOUD_CALLS}
    assert kinds["nginx_rtmp"] == 8_250
    assert kinds["srs"] == 1_000
    assert {halls[hall] for hall in "FGH"} == {500}
    assert {halls[hall] for hall in "IJKLM"} == {250}
    assert min(halls[hall] for hall in "ABCD") == 2_000
    for part in event:  # of the large ones each has the rooms that it had before there were others
        assert part.hall not in "ABCD" or part.hall == "ABCD"[part.number % 4]


def test_what_rooms_of_own_servers_sell_in_is_one_of_our_shops_and_all_others_in_their_platforms(
    event: list[Part],
) -> None:
    for part in event:
        if part.platform == "nginx_rtmp":
            assert part.sells_on in OWN_SHOPS
        else:
            assert part.sells_on == ELSEWHERE.get(part.platform, part.platform)
    assert {part.sells_on for part in event} == {*OWN_SHOPS, *PLATFORMS} - {"nginx_rtmp", *ELSEWHERE}
    assert set(ELSEWHERE.values()) <= set(OWN_SHOPS)


def test_every_id_is_in_the_form_of_its_platform(event: list[Part]) -> None:
    digits = "0123456789"
    for part in event:
        if part.platform == "doudian":  # the author's id, that sales name
            assert len(part.room) == 19
            assert int(part.room) < 2**63
        match part.platform:  # as their APIs take them
            case "bilibili" | "twitch":
                assert str(int(part.room)) == part.room
            case "youtube":
                assert is_video_id(part.room)
                assert len(part.room) == 11
        match part.sells_on:
            case "wechat":
                assert part.room.startswith("sph")
                assert part.shop.startswith("gh_")
                assert len(part.shop) == 15
            case "shopify":
                assert part.shop.endswith(".myshopify.com")
            case "stripe":
                assert part.shop.startswith("acct_")
            case "doudian" | "kwaixiaodian" | "taobao" | "pinduoduo" | "tiktok_shop" | "jd":
                assert not part.shop.strip(digits)
                assert part.shop == str(int(part.shop))
    assert len({(part.platform, part.room) for part in event}) == len(event)


def test_shops_are_few_each_of_one_city_and_stars_have_their_own(event: list[Part]) -> None:
    cities: dict[tuple[str, str], set[str]] = {}
    stars: Counter[tuple[str, str]] = Counter()
    for part in event:
        cities.setdefault((part.sells_on, part.shop), set()).add(part.city)
    rooms = Counter((part.sells_on, part.shop) for part in event)
    for part in event:
        if part.star:
            stars[part.sells_on, part.shop] += 1
            assert rooms[part.sells_on, part.shop] == 1
    assert len(stars) == 70
    assert len(cities) <= 800
    assert all(len(one) == 1 for one in cities.values())
    assert max(rooms.values()) <= 20
    assert max(Counter(kind for kind, _ in cities).values()) <= 200


def test_a_name_is_one_person_who_has_two_rooms_at_most(event: list[Part]) -> None:
    rooms = Counter(part.broadcaster for part in event)
    assert set(rooms.values()) == {1, 2}
    assert sum(count == 2 for count in rooms.values()) == pytest.approx(0.05 * 12_000, rel=0.3)


def test_the_roster_file_is_one_that_livemon_reads_without_a_word(event: list[Part]) -> None:
    read = read_roster_file(roster_csv(event), "roster.csv")
    assert read.problems == ()
    assert read.notes == ()
    assert [room.key for room in read.rooms] == [(part.platform, part.room) for part in event]
