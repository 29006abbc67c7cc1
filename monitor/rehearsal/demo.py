"""`make demo`: a small event, played by fake halls and watched by the real monitor."""

import argparse
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from . import stage
from .cast import HALLS, cast, roster_csv
from .play import Play
from .monitored import Livemon, NotRunning
from .platforms.nginx_rtmp import hall_server
from .rtmp_hall import free_port
from .show import done_before, perform, say, show, stop_asked

PLATFORM = "nginx_rtmp"
USUAL_PORT = 8790
PLANNED_S = 3 * 86_400.0  # so far ahead goes the schedule, by the clock of the play


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--rooms", type=int, default=40, help="how many rooms play")
    parser.add_argument("--speed", type=float, default=30.0, help="how much faster than life")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another event")
    parser.add_argument("--for", type=float, default=None, metavar="SECONDS", dest="for_s", help="then a clean stop")
    parser.add_argument("--data-dir", type=Path, default=Path("var-demo"), help="emptied at each start")
    args = parser.parse_args()
    if args.rooms < 1 or args.speed <= 0:
        parser.error("--rooms and --speed are more than 0")
    return perform(demo(args.rooms, args.speed, args.seed, args.for_s, args.data_dir))


async def demo(rooms: int, speed: float, seed: int, for_s: float | None, data_dir: Path) -> int:
    stop = stop_asked()
    with stage.taken(data_dir) as folder:
        async with AsyncExitStack() as halls:
            parts = cast(rooms, seed)
            play, began_at, began = Play(parts, seed, speed), datetime.now(UTC), time.monotonic()
            urls = {hall: await halls.enter_async_context(served(play, hall, began)) for hall in HALLS[:rooms]}
            port = free_port(USUAL_PORT)
            config = stage.write(folder, began_at, port, urls, roster_csv(parts, PLATFORM))
            schedule = folder / "schedule.csv"
            schedule.write_bytes(stage.schedule_csv(play.planned(PLANNED_S / speed), PLATFORM, began_at))
            say(f"{rooms} rooms in {len(urls)} halls, {speed:g} times faster than life; starting livemon ...")
            async with Livemon(config, f"http://127.0.0.1:{port}") as livemon:
                if not await done_before(stop, ready(livemon, rooms, schedule)):
                    say("stopped before it was ready")
                    return 1
                return await show(livemon, stop, for_s, links(livemon, config, urls))


async def ready(livemon: Livemon, rooms: int, schedule: Path) -> None:
    await livemon.ready(rooms)
    code, output = await livemon.command("schedule", "import", str(schedule))
    if code != 0:
        raise NotRunning(f"the schedule was not taken: exit code {code}\n{output[:1000]}")


@asynccontextmanager
async def served(play: Play, hall: str, began: float) -> AsyncIterator[str]:
    """One fake hall on a free port; the URL of its stat page."""

    def clock_s() -> float:
        return time.monotonic() - began

    pid = 1000 + ord(hall)
    runner = web.AppRunner(hall_server(lambda: play.rooms(clock_s(), hall), pid, clock_s), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/stat"
    finally:
        await runner.cleanup()


def links(livemon: Livemon, config: Path, halls: dict[str, str]) -> dict[str, str]:
    return {
        "landing page": livemon.url,
        "metrics": f"{livemon.url}/metrics",
        "metrics of rooms": f"{livemon.url}/metrics/rooms",
        **{f"fake hall {hall}": url for hall, url in halls.items()},
        "ask the database": f'livemon sql "SELECT * FROM room_now" --config {config}',  # noqa: S608 (a hint to read)
        "its log": str(livemon.log),
    }


if __name__ == "__main__":
    raise SystemExit(main())
