"""The replay cache: once in a day and never more entries than it may hold; and how its neighbours count."""

import ipaddress

import pytest

from monitor.http.forwarded import caller
from monitor.http.guard import Address
from monitor.http.rate import Bucket
from monitor.http.replay import TTL_S, Replays


class Hands:
    """Time and the disk of a test."""

    def __init__(self, entries_max: int = 1_000_000) -> None:
        self.replays, self.at, self.kept = Replays(entries_max), 0.0, 0

    async def keep(self) -> None:
        self.kept += 1

    async def once(self, name: str, body: bytes = b"", feed: str = "shop") -> str:
        return await self.replays.once(feed, name, body, self.keep, lambda: self.at)


async def test_an_id_is_known_for_a_day_and_forgotten_within_an_hour_more() -> None:
    hands = Hands()
    assert await hands.once("a") == "accepted"
    for _ in range(48):
        hands.at += 1_799
        await hands.once(str(hands.at))
        if hands.at < TTL_S:
            assert await hands.once("a") == "duplicate"
            assert await hands.once("a", b"other") == "replayed"
    hands.at = TTL_S + 3_601
    assert await hands.once("a", b"other") == "accepted"
    assert len(hands.replays) < 50


async def test_it_holds_no_more_than_it_may_and_the_newest_stay() -> None:
    hands = Hands(entries_max=240)
    for number in range(1_000):
        assert await hands.once(str(number)) == "accepted"
        assert len(hands.replays) <= 240
    assert [await hands.once(str(number)) for number in range(800, 1_000)] == ["duplicate"] * 200
    assert hands.kept == 1_000


async def test_a_tiny_one_holds_one() -> None:
    hands = Hands(entries_max=1)
    assert [await hands.once(name) for name in "aabb"] == ["accepted", "duplicate"] * 2
    assert len(hands.replays) == 1


async def test_an_id_that_is_no_proper_text_is_an_id_all_the_same() -> None:
    hands = Hands()
    assert [await hands.once("\ud800"), await hands.once("\ud800")] == ["accepted", "duplicate"]


def trusts(address: Address | None) -> bool:
    networks = [ipaddress.ip_network(text) for text in ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8")]
    return address is not None and any(address in network for network in networks)


@pytest.mark.parametrize(
    ("peer", "lines", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("203.0.113.9", [], "203.0.113.9"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["127.0.0.1, 198.51.100.1 ,10.0.0.7"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("127.0.0.1", ["[2001:db8:1:2::3]:4711"], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["2001:db8:1:2::3"], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", [], None),
        ("127.0.0.1", ["10.0.0.7"], None),
        ("127.0.0.1", ["198.51.100.1, unknown"], None),
        ("127.0.0.1", [""], None),
        (None, ["198.51.100.1"], "local"),
    ],
)
def test_a_request_counts_for_the_rightmost_hop_that_is_no_proxy_of_ours(
    peer: str | None, lines: list[str], client: str | None
) -> None:
    assert caller(peer, lines, trusts) == client


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(per_s=10.0, burst=5.0)
    assert sum(bucket.take(1_000.0) for _ in range(20)) == 5
    assert sum(bucket.take(1_000.0 + n / 100) for n in range(101)) == 10
    assert sum(bucket.take(9_000.0) for _ in range(20)) == 5
