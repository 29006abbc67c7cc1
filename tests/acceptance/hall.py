"""What the acceptance tests share: a config for one real hall, and waiting until the monitor sees something."""

import asyncio
import csv
import io
import os
from pathlib import Path

import aiohttp

from monitor.rehearsal.monitored import Livemon, samples

CONFIG = """\
data_dir = "data"
listen = "127.0.0.1:{port}"
roster = "roster.csv"
grace_s = {grace_s}
end_slack_s = {end_slack_s}
{database}
[[feed]]
kind = "nginx_rtmp"
name = "hall-a"
hall = "A"
url = "{url}"
interval_s = 0.5
silence_s_max = 5.0
"""


def write_config(
    folder: Path,
    port: int,
    url: str,
    rooms: list[str],
    grace_s: float = 20.0,
    end_slack_s: float = 5.0,
    database: str = "",
) -> Path:
    """A config and a roster of these rooms; the path of the config."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "roster.csv").write_text(
        "platform,room,anchor,hall\n" + "".join(f"nginx_rtmp,{room},主播{room[-1]},A\n" for room in rooms),
        encoding="utf-8",
    )
    path = folder / "livemon.toml"
    path.write_text(
        CONFIG.format(port=port, url=url, grace_s=grace_s, end_slack_s=end_slack_s, database=database), encoding="utf-8"
    )
    return path


async def rooms_page(livemon: Livemon) -> dict[str, dict[str, float]]:
    """/metrics/rooms: for each room its numbers by the family's name, less the prefix."""
    rooms: dict[str, dict[str, float]] = {}
    for name, labels, value in samples(await livemon.text("/metrics/rooms")):
        rooms.setdefault(labels["room"], {})[name.removeprefix("livemon_room_")] = value
    return rooms


async def seen(livemon: Livemon, room: str, within_s: float, **numbers: float) -> float:
    """Wait until the room's numbers are these; how many seconds that took."""
    loop = asyncio.get_running_loop()
    began, shown = loop.time(), {}
    while loop.time() - began < within_s:
        shown = (await rooms_page(livemon)).get(room, {})
        if all(shown.get(name) == value for name, value in numbers.items()):
            return loop.time() - began
        await asyncio.sleep(0.1)
    raise AssertionError(f"{room} is {shown} after {within_s} s, not {numbers}\n{livemon.last_words()}")


async def ask(livemon: Livemon, question: str) -> list[tuple[str, ...]]:
    """The rows of `livemon sql`, as text, as a user would get them in a CSV file."""
    output = livemon.config.with_name("answer.csv")
    code, said = await livemon.command("sql", question, "-o", str(output))
    assert code == 0, said
    rows = list(csv.reader(io.StringIO(output.read_text(encoding="utf-8-sig"))))
    os.unlink(output)
    return [tuple(row) for row in rows[1:]]


async def listening(livemon: Livemon, within_s: float = 20.0) -> None:
    """Wait until it answers at all; it need not be ready."""
    async with asyncio.timeout(within_s):
        while True:
            livemon.must_run()
            try:
                await livemon.text("/healthz")
                return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
