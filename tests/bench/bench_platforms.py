"""What 12,000 rooms of hosted platforms cost one livemon: asked a hundred in a call each 5 s, asked one by one each
30 s, heard by 12,000 sockets; and what becomes of it all when every socket is cut at once.

A tick is late by as much as its room was asked after its beat, a gift by as much as it was taken after it was told.

    [PLATFORM_ROOMS=12000] [PLATFORM_FOR_S=60] [PLATFORM_KINDS=twitch,wechat_live,bilibili_open] \
        python -m tests.bench.bench_platforms
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from datetime import datetime
from functools import partial
from pathlib import Path

from tests.acceptance.alerts.speeds import Ports
from tests.bench.connects import counted, counting
from tests.bench.figures import core_percent, late_s, most_in_any_second, now, sample, spread_ms
from tests.bench.housed import ACCOUNTS, SETTLE_S, House, Json, at_work, housed, until
from tests.bench.platforms_played import FEED, Played, PlayedBilibili, PlayedTwitch, PlayedWechat, tables

ROOMS, FOR_S = 12_000, 60.0
BACK_S_MAX = 240.0
LOOKED_S = (
    10.0  # by then everybody was asked twice: a WeChat that is asked first, and for the first data, tells its quota
)
GOALS = {"rss_mb": 300, "core_percent": 30, "connects_in_a_second": 400}
TICKS = "SELECT r.external_id, t.at FROM ticks($1, $2) AS t JOIN room AS r USING (room_id) WHERE t.at < $2"
GIFTS = "SELECT event_id, received_at FROM sale WHERE received_at >= $1 AND received_at < $2"
SPANS = """SELECT room_id IS NULL AS whole, count(*), coalesce(sum(extract(epoch FROM to_at - from_at)), 0)
FROM blind WHERE feed = $1 AND (to_at IS NULL OR to_at > $2) GROUP BY 1"""
STOPPED = "SELECT count(*) FROM session_change WHERE at >= $1 AND change <> 'opened' AND change <> 'resumed'"
FIRING = 'max by (alertname, feed, platform, room) (max_over_time(ALERTS{alertstate="firing"}[%ds]))'


def written(played: Played, more: str, folder: Path, api: str, ports: Ports) -> Path:
    """Config, secret, roster and accounts; the path of the config."""
    roster = "".join(f"{played.platform},{room},主播{room}\n" for room in played.rooms)
    (folder / "roster.csv").write_text("platform,room,anchor\n" + roster, encoding="utf-8")
    (folder / "app.secret").touch(mode=0o600)
    (folder / "app.secret").write_text("secret")
    if played.account:
        rows = [[played.platform, "app", room, *(it.format(room=room) for it in played.account.values())]
                for room in played.rooms]  # fmt: skip
        lines = [["platform", "app", "anchor", *played.account], *rows]
        (folder / ACCOUNTS).touch(mode=0o600)
        (folder / ACCOUNTS).write_text("".join(",".join(line) + "\n" for line in lines))
    path = folder / "livemon.toml"
    top = f'data_dir = "data"\nlisten = "127.0.0.1:{ports.livemon}"\nroster = "roster.csv"\n'
    path.write_text(top + tables(played, api, more), encoding="utf-8")
    return path


async def steady(house: House, played: Played, for_s: float) -> Json:
    """How it is while nothing happens but the work; no tick of a platform that is asked is left out."""
    figures, from_at, to_at = await at_work(house, for_s)
    ticks = await house.rows(TICKS, from_at, to_at)
    row = figures | {
        "kind": played.kind, "interval_s": played.interval_s, "ticks_per_s": round(len(ticks) / figures["seconds"]),
    }  # fmt: skip
    if beats := played.beats:
        wall_s = time.time() - time.monotonic()
        row["wanted_per_s"] = round(len(played.rooms) / played.interval_s)
        row["late"] = spread_ms(
            late_s(FEED, beats[room], at.timestamp() - wall_s, played.interval_s) for room, at in ticks
        )
    else:
        row["late"] = spread_ms(_gift_late_s(*gift) for gift in await house.rows(GIFTS, from_at, to_at))
    return row


def _gift_late_s(event_id: str, received_at: datetime) -> float:
    """Of `room:g<µs since 1970>:gift`."""
    return received_at.timestamp() - int(event_id.split(":")[1].removeprefix("g")) / 1e6


async def cut(house: House, played: PlayedBilibili, folder: Path) -> Json:
    """Every socket ends at one instant; what comes back, what was written of it and what a person was told.

    Connects are all that this machine made meanwhile, Prometheus' and PostgreSQL's among them.
    """
    rooms, sockets = len(played.rooms), played.fake.sockets
    before, cut_at = set(await house.told(FIRING % 300)), now()
    cpu = sample(house.livemon.child.pid)
    sockets.opened_at.clear()

    async def heard() -> int:
        return min(played.heard, len(sockets.opened_at))  # what was cut leaves its room an instant later

    async with counting(folder / "connects") as looks:
        sockets.cut()
        back_s = await until(heard, rooms, BACK_S_MAX)
    again, opened = sample(house.livemon.child.pid), len(sockets.opened_at)
    live_s = back_s + await until(house.live, rooms, BACK_S_MAX)
    await asyncio.sleep(SETTLE_S)  # a room that is seen to be missing decides nothing before, and a rule waits, too
    await house.written(now())
    spans = {bool(whole): (count, float(seconds)) for whole, count, seconds in await house.rows(SPANS, FEED, cut_at)}
    stopped = (await house.rows(STOPPED, cut_at))[0][0]
    fired = set(await house.told(FIRING % ((now() - cut_at).total_seconds() + 5))) - before
    whole, single = spans.get(True, (0, 0.0)), spans.get(False, (0, 0.0))
    return {
        "rooms": rooms, "back_s": round(back_s, 1), "all_live_s": round(live_s, 1), "opened": opened,
        "connects_in_a_second": most_in_any_second(counted(looks)),
        "core_percent": round(core_percent([cpu, again]), 1), "rss_mb": round(again.bytes / 1e6),
        "blind_spans": whole[0], "blind_s": round(whole[1], 1),
        "blind_alone": single[0], "sessions_touched": stopped, "alerts": sorted(fired),
    }  # fmt: skip


async def measure(rooms: int, for_s: float, kinds: list[str]) -> Json:
    report: Json = {"name": "platforms", "goals": GOALS, "steady": [], "cut": None}
    with tempfile.TemporaryDirectory(prefix="livemon-bench-platforms-") as name:
        os.chmod(name, 0o711)  # noqa: S103 - root's PostgreSQL runs as another user
        for make in (PlayedTwitch, PlayedWechat, PlayedBilibili):
            if make.kind not in kinds:
                continue
            played = make(rooms)
            more = f"app_id = {played.fake.app_id}" if isinstance(played, PlayedBilibili) else ""
            async with housed(Path(name) / make.kind, played, partial(written, played, more)) as house:
                await house.all_live(max(SETTLE_S, played.interval_s + LOOKED_S))
                report["steady"].append(await steady(house, played, for_s))
                print(report["steady"][-1], file=sys.stderr, flush=True)
                if isinstance(played, PlayedBilibili):
                    report["cut"] = await cut(house, played, Path(name))
                    print(report["cut"], file=sys.stderr, flush=True)
    return report


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clears up as Ctrl-C does
    rooms, for_s = int(os.environ.get("PLATFORM_ROOMS", ROOMS)), float(os.environ.get("PLATFORM_FOR_S", FOR_S))
    kinds = os.environ.get("PLATFORM_KINDS", "twitch,wechat_live,bilibili_open").split(",")
    print(json.dumps(asyncio.run(measure(rooms, for_s, kinds)), ensure_ascii=False))


if __name__ == "__main__":
    main()
