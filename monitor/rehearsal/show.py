"""Shows a play to a person: prints what livemon sees while it goes on, and judges at the end whether it did."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime

import aiohttp

from .monitored import START_S_MAX, Livemon, NotRunning, Sight
from .rtmp_hall import MissingTool
from .stage import Busy, NotOurs

LOOK_EVERY_S = 3.0
EXPECTED = (Busy, MissingTool, NotOurs, NotRunning)


def perform(play: Coroutine[None, None, int]) -> int:
    """Run a play; what may well go wrong is one message and exit code 1."""
    try:
        return asyncio.run(play)
    except EXPECTED as error:
        print(error, file=sys.stderr)
        return 1


def stop_asked() -> asyncio.Event:
    """Set by Ctrl-C and by SIGTERM from now on."""
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked


async def done_before(stop: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Do it; True if it was done before anyone asked to stop."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


async def show(
    livemon: Livemon, stop: asyncio.Event, for_s: float | None, links: Mapping[str, str],
    curtain: Callable[[], Awaitable[None]] | None = None,
) -> int:  # fmt: skip
    """Print what it sees until `stop` or for so many seconds, then end it; the exit code of the whole show.

    `curtain` is awaited before livemon is ended.
    """
    for what, url in links.items():
        say(f"  {what:<22} {url}")
    until = time.monotonic() + for_s if for_s else float("inf")
    sights: list[Sight] = []
    while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
        sight = await looked(livemon)
        if sight is not None and (not sights or sight != sights[-1]):
            sights.append(sight)
        say(f"{datetime.now(UTC).astimezone():%H:%M:%S}  {sight or 'livemon does not answer just now'}")
        try:
            await asyncio.wait_for(stop.wait(), min(LOOK_EVERY_S, left_s))
        except TimeoutError:
            pass  # the usual case: time to look again
    asked = stop.is_set()
    if curtain is not None:
        await curtain()
    stop.set()  # for whoever acts beside us
    say("stopping ...")
    code = await livemon.stop()
    if code != 0:
        raise NotRunning(f"livemon ended with exit code {code}\n{livemon.last_words()}")
    if not moving(sights) and not asked:
        raise NotRunning(f"nothing moved: livemon saw {sights}\n{livemon.last_words()}")
    say("stopped cleanly")
    return 0


async def looked(livemon: Livemon) -> Sight | None:
    """What it sees; None while it is away on purpose, or has not answered since it came back."""
    if livemon.away:
        return None
    try:
        sight = await livemon.look()
    except (aiohttp.ClientError, TimeoutError):
        if time.monotonic() - livemon.began_s > START_S_MAX:
            raise NotRunning(f"livemon does not answer\n{livemon.last_words()}") from None
        return None
    return sight


def moving(sights: list[Sight]) -> bool:
    """True if rooms were live and something about them changed; of equal sights in a row there is only one."""
    return sum(sight.states["live"] > 0 for sight in sights) > 1


def say(line: str) -> None:
    print(line, flush=True)
