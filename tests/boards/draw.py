"""Pictures of the boards, drawn by Grafana's own libraries in Chromium before an evening that runs.

python -m tests.boards.draw -o docs/pictures            # all, in Chinese, as docs/boards.md shows them
python -m tests.boards.draw -o /tmp/x hall --whole      # one, as far down as it goes

What this proves and what not: docs/boards.md.
"""

import argparse
import asyncio
import base64
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from grafana.boards.every import BOARDS
from grafana.boards.words import LANGUAGES
from monitor.rehearsal.boards import zone_of_boards
from monitor.zone import as_written
from tests.boards import past
from tests.boards.drawn.bridge import Bridge, served
from tests.boards.drawn.browser import Browser, chromium
from tests.boards.drawn.build import built
from tests.boards.running import evening_of
from tests.boards.sources import POSTGRES, Addresses, Sources, asked

WIDTH, HEIGHT = 1920, 1080
HEIGHT_MAX = 6000
PALETTE = Path(__file__).parent / "drawn" / "palette.js"
NOWHERE = "http://127.0.0.1:9"  # no Prometheus: those boards ask SQL alone
# The board of a room opens with one that has all there is to see: on air, dropped and unseen before, with sales.
TOLD_OF = """
SELECT now.room_id
FROM room_now AS now
JOIN session_summary AS summary USING (session_id)
ORDER BY
    now.state = 'live' AND summary.drops > 0 AND summary.orders > 0 DESC, now.kbps > 0 AND summary.blind_s > 0 DESC,
    summary.gmv DESC NULLS LAST, now.room_id
LIMIT 1
"""


class Drawn(NamedTuple):
    """A board as the browser shows it. `panels`: titles of those that something drew; `empty`: those without data;
    `refused`: what data sources said no to; `said`: errors on the console; `height`: of the whole board in pixels."""

    picture: bytes
    text: str
    panels: list[str]
    empty: list[str]
    refused: list[str]
    said: list[str]
    height: int


class Drawer:
    """Draws before one evening; `room` is the one that the board of a room is opened with."""

    def __init__(self, browser: Browser, address: str, room: str) -> None:
        self.browser, self.address, self.room = browser, address, room

    async def draw(self, path: str, *, theme: str = "dark", whole: bool = False, since: str = "") -> Drawn:
        """`path`: `zh/Halls/hall`. The text is always of the whole board, the picture of what is in sight."""
        told = {"board": path, "theme": theme} | self._chosen(path) | ({"from": since} if since else {})
        # High from the beginning: what is below the edge of a screen is drawn, too.
        tab = await self.browser.open(f"{self.address}/?{urlencode(told)}", WIDTH, HEIGHT_MAX)
        await tab.evaluate(
            "new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))"
        )
        seen = await tab.evaluate("drawn()")
        height = int(seen["height"])
        await tab.size(WIDTH, max(HEIGHT, min(height, HEIGHT_MAX)) if whole else HEIGHT)
        await tab.evaluate("new Promise(done => setTimeout(done, 300))")  # what is in sight now is laid out anew
        picture = await tab.picture()
        await tab.ask("Page.close")
        return Drawn(picture, seen["text"], seen["panels"], seen["empty"], seen["refused"], tab.said, height)

    def _chosen(self, path: str) -> dict[str, str]:
        return {"var-room": self.room} if path.endswith("/room") else {}


@asynccontextmanager
async def drawing(addresses: Addresses) -> AsyncIterator[Drawer]:
    """Chromium, the page, and the bridge to these data sources."""
    bundle = await asyncio.to_thread(built)
    async with asked(addresses) as sources, chromium() as browser:
        zone = zone_of_boards(as_written(await one_of(sources, "SELECT timezone FROM setting")))
        async with served(Bridge(sources, bundle, zone)) as address:
            yield Drawer(browser, address, await told_of(sources))


async def told_of(sources: Sources) -> str:
    return await one_of(sources, TOLD_OF)


async def one_of(sources: Sources, question: str) -> str:
    _, _, rows = await sources.rows(POSTGRES, question)
    return str(rows[0][0])


def paths(language: str = "zh", names: Sequence[str] = ()) -> Mapping[str, str]:
    """Name of a board -> its file below grafana/dashboards, without .json."""
    known = {board.name: f"{language}/{board.folder}/{board.name}" for board in BOARDS}
    return {name: path for name, path in known.items() if not names or name in names}


async def pictures(
    addresses: Addresses, into: Path, args: argparse.Namespace, names: Sequence[str], since: str
) -> None:
    into.mkdir(parents=True, exist_ok=True)
    async with drawing(addresses) as drawer:
        for name, path in paths(args.language, names).items():
            drawn = await drawer.draw(path, theme=args.theme, whole=args.whole, since=since)
            picture = await smaller(drawer.browser, drawn.picture)
            file = into / f"board-{name}.png"
            file.write_bytes(picture)
            print(f"{file}  {len(drawn.picture) / 1000:.0f} kB -> {len(picture) / 1000:.0f} kB  {drawn.height} px high")
            for what in [*(f"empty: {panel}" for panel in drawn.empty), *drawn.refused, *drawn.said]:
                print(f"  {what}")


async def smaller(browser: Browser, picture: bytes) -> bytes:
    """The same as PNG with 256 colours."""
    tab = await browser.open("about:blank", WIDTH, HEIGHT)
    code, told = PALETTE.read_text(), base64.b64encode(picture).decode()
    made = base64.b64decode(await tab.evaluate(f"(() => {{ {code} return smaller('{told}'); }})()"))
    await tab.ask("Page.close")
    return made


async def drawn_all(folder: Path, args: argparse.Namespace) -> None:
    """What boards of money and of history show before days that were, the others before an evening that runs."""
    names = args.board or [board.name for board in BOARDS]
    if was := [name for name in names if name in past.BOARDS]:
        async with past.days(folder / "past", NOWHERE) as addresses:
            await pictures(addresses, args.into, args, was, since="")  # all of their days
    if now := [name for name in names if name not in past.BOARDS]:
        async with evening_of(folder / "evening", more_s=args.after) as evening:
            await pictures(evening.addresses, args.into, args, now, args.since)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.boards.draw", description=__doc__.split("\n")[0])
    parser.add_argument("board", nargs="*", help="names of boards (left out: all)")
    parser.add_argument("-o", "--into", type=Path, required=True, metavar="DIR")
    parser.add_argument("--whole", action="store_true", help="as high as the board is, not one screen")
    parser.add_argument("--language", choices=LANGUAGES, default="zh")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--since", default="", metavar="FROM", help="of the evening show what is since then: now-5m")
    parser.add_argument(
        "--after", type=float, default=0.0, metavar="SECONDS", help="let the evening run so much longer"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="livemon-boards-", ignore_cleanup_errors=True) as folder:
        asyncio.run(drawn_all(Path(folder), args))


if __name__ == "__main__":
    main()
