"""The benchmark of own servers: its arithmetic by hand, what it plays as livemon reads it, its rows in the table."""

import csv
from pathlib import Path
from typing import cast

import msgspec
import pytest

from collectors.collector import Collector
from collectors.servers.srs import Srs
from monitor.config import load
from tests.acceptance.alerts.speeds import Ports
from tests.bench import __main__ as table
from tests.bench.bench_servers import written
from tests.bench.figures import late_by_turns_s
from tests.bench.servers_played import PlayedServers
from tests.own_servers import AT, SRS, heard


@pytest.mark.parametrize(
    ("instants", "late"),
    [
        ([], []),
        ([7.0], [0.0]),
        ([7.0, 12.0, 17.2, 22.0], [0.0, 0.0, 0.2, 0.0]),
        ([7.3, 12.1, 17.0, 22.0], [0.3, 0.1, 0.0, 0.0]),  # the first is the latest
        ([7.0, 12.0, 22.1], [0.0, 0.0, 0.1]),  # a beat was left out
        ([7.0, 13.5, 18.5], [0.0, 1.5, 1.5]),  # the beats after a late one are moved
    ],
)
def test_the_most_punctual_poll_of_a_server_says_where_its_beats_are(instants: list[float], late: list[float]) -> None:
    assert late_by_turns_s(instants, 5.0) == pytest.approx(late, abs=1e-9)


@pytest.mark.parametrize("kind", ["nginx_rtmp", "srs"])
async def test_livemon_sees_every_room_of_a_server_on_its_own_page(kind: str, tmp_path: Path) -> None:
    """130 streams and about 500 clients: of SRS they are several pages each."""
    played = PlayedServers(kind, servers=2, rooms=130, viewers=3)
    await played.serve()
    try:
        config = load(written(played, tmp_path, played.urls[0], Ports(8001, 8002, 8003)))
        assert [feed.hall for feed in config.feeds] == ["S000", "S001"]
        assert len({getattr(feed, "url", "") for feed in config.feeds}) == 2, "a connection a server"
        listed = list(csv.DictReader((tmp_path / "roster.csv").open(encoding="utf-8")))
        assert {(row["platform"], row["hall"]) for row in listed} == {(kind, "S000"), (kind, "S001")}
        for feed in config.feeds:
            rooms = [row["room"] for row in listed if row["hall"] == feed.hall]
            row = cast(Collector, msgspec.structs.replace(feed, rooms=rooms, interval_s=0.1))
            first, second = (row.parse(frame, AT) for frame in await heard(row, 2))
            assert [tick.room for tick in first] == [tick.room for tick in second] == rooms
            assert all(tick.live and tick.session_key and tick.kbps for tick in first)
            assert {tick.viewers for tick in first} == set(range(7))
            assert all((tick.progress or 0) > (old.progress or 0) for tick, old in zip(second, first, strict=True))
    finally:
        await played.close()
    assert {room for hall in played.halls for room in (part.room for part in hall)} == {row["room"] for row in listed}


async def test_a_played_srs_has_all_fields_of_a_real_one() -> None:
    played = PlayedServers("srs", servers=1, rooms=2, viewers=3)
    await played.serve()
    try:
        feed = Srs(name="s", url=played.urls[0], interval_s=0.1)
        [frame] = await heard(feed, 1)
    finally:
        await played.close()
    ours, real = (msgspec.json.decode(one)["pages"] for one in (frame, SRS))
    for page, true in zip(ours, real, strict=True):
        [what] = {"streams", "clients"} & set(true)
        assert list(page) == list(true)
        assert list(page[what][0]) == list(true[what][0])


def test_the_table_says_what_was_measured() -> None:
    late = {"p50_ms": 1.0, "p99_ms": 9.0, "max_ms": 10.0}
    row = {
        "kind": "srs", "servers": 200, "rooms": 12_000, "ticks_per_s": 2_399, "wanted_per_s": 2_400, "polls": 2_400,
        "core_percent": 31.6, "rss_mb": 200, "late": late, "answered_p99_ms": 48.4, "failed": 0,
    }  # fmt: skip
    rows = list(table._servers({"steady": [row, row | {"failed": 3}]}))
    what = "200 srs servers of 60 rooms"
    assert rows[0] == (f"{what}: 2,399 ticks/s", "32 % of a core", "RSS 200 MB", "", "2,400 ticks/s")
    assert rows[1] == (f"{what}: asked after their beats", "p99 9.0 ms", "p50 1.0 ms", "answers p99 48 ms", "")
    assert [each[0].rpartition(": ")[2] for each in rows[2:]] == [
        "2,399 ticks/s",
        "asked after their beats",
        "polls that failed",
    ]
    assert rows[-1][1:] == ("3", "2,400 polls", "", "0")
