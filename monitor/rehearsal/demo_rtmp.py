"""`make demo-rtmp`: a real nginx with real encoders and viewers, hurt one after the other, watched by the monitor."""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import msgspec

from . import stage
from .event.cast import Part, cast, roster_csv
from .monitored import Livemon
from .program import Program
from .rtmp_hall import RtmpHall, free_port
from .scene import Settings
from .show import done_before, perform, say, show, stop_asked

ROOMS = 3
VIEWERS = (2, 1, 0)
GRACE_S, USUAL_PORT = 20.0, 8790
FEED = """\
[[feed]]
kind = "nginx_rtmp"
name = "hall-a"
hall = "A"
url = "{url}"
interval_s = 2.0
"""

Act = tuple[float, str, Callable[[], object]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo-rtmp", description=__doc__)
    parser.add_argument("--for", type=float, default=None, metavar="SECONDS", dest="for_s", help="then a clean stop")
    parser.add_argument("--data-dir", type=Path, default=Path("var-demo-rtmp"), help="emptied at each start")
    args = parser.parse_args()
    return perform(demo(args.for_s, args.data_dir))


async def demo(for_s: float | None, data_dir: Path) -> int:
    stop = stop_asked()
    parts = [in_the_hall(part) for part in cast(ROOMS, seed=1)]
    with stage.taken(data_dir) as folder, RtmpHall(folder / "nginx") as hall:
        rooms = [part.room for part in parts]
        encoders = {room: hall.publish(room) for room in rooms}
        for room, viewers in zip(rooms, VIEWERS, strict=True):
            for _ in range(viewers):
                hall.play(room)
        port = free_port(USUAL_PORT)
        feed = Settings(FEED.format(url=hall.stat_url))
        config = stage.write(folder, datetime.now(UTC), port, roster_csv(parts), [feed], grace_s=GRACE_S)
        say(f"{ROOMS} encoders and {sum(VIEWERS)} viewers at a real nginx; starting livemon ...")
        async with Livemon(config, f"http://127.0.0.1:{port}") as livemon:
            if not await done_before(stop, livemon.ready(ROOMS)):
                say("stopped before it was ready")
                return 1
            links = {"landing page": livemon.url, "stat page of nginx": hall.stat_url, "its log": str(livemon.log)}
            acting = asyncio.ensure_future(act(acts(hall, encoders, rooms), stop))
            try:
                return await show(livemon, stop, for_s, links)
            finally:
                acting.cancel()


def in_the_hall(part: Part) -> Part:
    """The same person at the event's own server."""
    return msgspec.structs.replace(part, platform="nginx_rtmp", room=f"live/room{part.number}", hall="A")


async def act(story: Iterator[Act], stop: asyncio.Event) -> None:
    for after_s, what, do in story:
        await asyncio.sleep(after_s)
        if stop.is_set():
            return
        say(f"          -- {what}")
        await asyncio.to_thread(do)


def acts(hall: RtmpHall, encoders: dict[str, Program], rooms: list[str]) -> Iterator[Act]:
    """What happens to the encoders, again and again, each after so many seconds."""

    def publish(room: str) -> None:
        encoders[room] = hall.publish(room)

    first, second, third = rooms
    story: list[Act] = [
        (5, f"{first}: SIGKILL to its encoder", lambda: encoders[first].kill()),
        (10, f"{first}: its encoder is back, within the grace", lambda: publish(first)),
        (8, f"{second}: its encoder freezes (SIGSTOP) with the connection open", lambda: encoders[second].freeze()),
        (15, f"{second}: it thaws, within the grace", lambda: encoders[second].thaw()),
        (8, f"{third}: its encoder stops cleanly", lambda: encoders[third].stop()),
        (30, f"{third}: on air again, after the grace: another session", lambda: publish(third)),
    ]
    yield from cycle(story)


if __name__ == "__main__":
    raise SystemExit(main())
