"""What 200 own servers of 60 rooms each cost one livemon that asks each of them every 5 s: nginx-rtmp by its stat page,
SRS by its API.

A tick is late by as much as its server was asked after its beat; how long the answer then took is livemon's own number.

    [SERVERS=200] [SERVERS_ROOMS=60] [SERVERS_VIEWERS=3] [SERVERS_FOR_S=60] [SERVERS_KINDS=nginx_rtmp,srs] \
        python -m tests.bench.bench_servers
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from functools import partial
from itertools import chain
from pathlib import Path

from tests.acceptance.alerts.speeds import Ports
from tests.bench.figures import late_by_turns_s, most_in_a_second, spread_ms
from tests.bench.housed import House, Json, at_work, housed
from tests.bench.servers_played import PlayedServers, tables

USUAL = {"": "200", "_ROOMS": "60", "_VIEWERS": "3", "_FOR_S": "60", "_KINDS": "nginx_rtmp,srs"}
ASKED = """SELECT r.hall, t.at, count(*) FROM ticks($1, $2) AS t JOIN room AS r USING (room_id) WHERE t.at < $2
GROUP BY 1, 2 ORDER BY 1, 2"""
ANSWERED = "histogram_quantile(0.99, sum by (le) (increase(livemon_feed_poll_duration_seconds_bucket[%ds])))"


def written(played: PlayedServers, folder: Path, _: str, ports: Ports) -> Path:
    """Config and roster; the path of the config."""
    roster = "".join(f"{part.platform},{part.room},{part.anchor},{part.hall}\n" for part in played.parts)
    (folder / "roster.csv").write_text("platform,room,anchor,hall\n" + roster, encoding="utf-8")
    path = folder / "livemon.toml"
    top = f'data_dir = "data"\nlisten = "127.0.0.1:{ports.livemon}"\nroster = "roster.csv"\n'
    path.write_text(top + tables(played), encoding="utf-8")
    return path


async def so_far(house: House, played: PlayedServers) -> tuple[float, ...]:
    """Failures and good polls as livemon counts them, requests and bytes as they were answered."""
    return (
        await house.total("livemon_feed_failures_total"), await house.total("livemon_feed_messages_total"),
        played.asked, played.sent,
    )  # fmt: skip


async def steady(house: House, played: PlayedServers, for_s: float) -> Json:
    """How it is while nothing happens but the work; no tick is left out."""
    before = await so_far(house, played)
    figures, from_at, to_at = await at_work(house, for_s)
    failed, polls, requests, sent = (now - then for now, then in zip(await so_far(house, played), before, strict=True))
    answered_s = await house.most(ANSWERED % for_s)
    halls: dict[str, list[float]] = {}
    ticks = 0
    for hall, at, rooms in await house.rows(ASKED, from_at, to_at):
        halls.setdefault(hall, []).append(at.timestamp())
        ticks += rooms
    return figures | {
        "kind": played.kind, "servers": len(played.halls), "viewers": played.viewers,
        "interval_s": played.interval_s, "wanted_per_s": round(len(played.rooms) / played.interval_s),
        "ticks_per_s": round(ticks / figures["seconds"]), "polls": sum(map(len, halls.values())),
        "requests_a_poll": round(requests / max(1, polls), 1), "kb_a_poll": round(sent / max(1, polls) / 1e3),
        "failed": round(failed),
        "asked_in_a_second": most_in_a_second(sorted(chain(*halls.values()))),
        "late": spread_ms(chain(*(late_by_turns_s(instants, played.interval_s) for instants in halls.values()))),
        "answered_p99_ms": round(1000 * answered_s, 1),
    }  # fmt: skip


async def measure(servers: int, rooms: int, viewers: int, for_s: float, kinds: list[str]) -> Json:
    report: Json = {"name": "servers", "steady": []}
    with tempfile.TemporaryDirectory(prefix="livemon-bench-servers-") as name:
        os.chmod(name, 0o711)  # noqa: S103 - root's PostgreSQL runs as another user
        for kind in kinds:
            played = PlayedServers(kind, servers, rooms, viewers)
            async with housed(Path(name) / kind, played, partial(written, played)) as house:
                await house.all_live()
                report["steady"].append(await steady(house, played, for_s))
                print(report["steady"][-1], file=sys.stderr, flush=True)
    return report


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clears up as Ctrl-C does
    servers, rooms, viewers, for_s, kinds = (
        os.environ.get(f"SERVERS{name}", usual) for name, usual in USUAL.items()
    )  # fmt: skip
    report = asyncio.run(measure(int(servers), int(rooms), int(viewers), float(for_s), kinds.split(",")))
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
