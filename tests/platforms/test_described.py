"""The worked examples of docs/feeds-by-toml.md, loaded as a config is and run against a service that plays by them."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.described import DescribedRow
from collectors.polled_frame import joined
from collectors.tick import Tick
from monitor import config
from tests.platforms.described_house import SECRET, Broadcast, Hearing, Service, until

DOC = (Path(__file__).parents[2] / "docs/feeds-by-toml.md").read_text(encoding="utf-8")
EXAMPLES = dict(zip(("list", "batch", "socket"), re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL), strict=True))
ANSWERS = re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)
AT = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)
ROOMS = ["10086", "10087", "直播间3", "10089", "10090"]


def whole(answer: str) -> list[str]:
    """Its documents: one, over several lines, or one a line."""
    try:
        json.loads(answer)
    except ValueError:
        return answer.splitlines()
    return [answer]


def encoded(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()


def row_of(folder: Path, name: str, rooms: list[str]) -> Any:
    folder.mkdir()
    return msgspec.structs.replace(loaded(folder, name), rooms=rooms)


def loaded(folder: Path, name: str, at: str = "127.0.0.1:1", **changed: str) -> DescribedRow:
    """The example as `livemon run` has it, but for where it asks, how often, and what is changed ("" is left out)."""
    text = re.sub(r"(http|ws)s://\w+\.example\.cn", lambda found: f"{found[1]}://{at}", EXAMPLES[name])
    for key, value in {"interval_s": "1.0" if name == "socket" else "0.1", **changed}.items():
        line = f"{key} = {value}" if value else ""
        text, count = re.subn(rf"(?m)^{key} = .*$", lambda _, line=line: line, text)
        if not count:
            text = text.replace("[[feed]]\n", f"[[feed]]\n{line}\n")
    (folder / "secrets").mkdir()
    for file in re.findall(r'"secrets/([\w-]+)"', text):
        path = folder / "secrets" / file
        path.write_text(SECRET + "\n", encoding="utf-8")
        path.chmod(0o600)
    (folder / "livemon.toml").write_text(text, encoding="utf-8")
    (row,) = config.load(folder / "livemon.toml").feeds
    assert isinstance(row, DescribedRow)
    return msgspec.structs.replace(row, interval_s=0.2 if name == "socket" else 0.03)  # below what a config may have


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_shows_who_is_live_who_stops_and_how_many_watch(name: str, tmp_path: Path) -> None:
    truth = {room: Broadcast(viewers=number * 10) for number, room in enumerate(ROOMS, 1)}
    async with (
        Service(truth).serving() as service,
        Hearing(loaded(tmp_path, name, service.url), ROOMS).hearing() as hearing,
    ):
        await until(lambda: all(hearing.changes(room) == ["opened"] for room in ROOMS))
        if name == "socket":
            await until(lambda: service.sockets and all(set(ROOMS) == rooms for rooms in service.sockets.values()))
        await service.change("直播间3", viewers=777)
        await service.change("10086", live=False)
        await until(lambda: (tick := hearing.last("直播间3")) and tick.viewers == 777)
        await until(lambda: len(hearing.changes("10086")) == 2)
        await service.change("10086", live=True, session="s-2")
        await until(lambda: len(hearing.changes("10086")) > 2)
    stopped = ["opened", "closed", "opened"] if name == "list" else ["opened", "dropped", "resumed"]
    assert hearing.changes("10086") == stopped  # only the list says that the broadcaster ended it
    assert [hearing.changes(room) for room in ROOMS[1:]] == [["opened"]] * 4
    assert (hearing.quarantined, hearing.failed, hearing.blind()) == ([], [], [])


def test_the_answers_in_the_text_mean_what_the_text_says(tmp_path: Path) -> None:
    told = [[json.loads(line) for line in whole(answer)] for answer in ANSWERS]
    (listed, ended) = row_of(tmp_path / "1", "list", ["10086", "10087"]).parse(joined(None, [encoded(told[0][0])]), AT)
    assert listed == Tick("mcn-list", "10086", AT, "status", True, 1203, 88_000, 5210, None, None, "s-7")
    assert (ended.live, ended.end, ended.viewers, ended.views_total) == (False, "ended", None, 1200)
    batch = row_of(tmp_path / "2", "batch", ["10086", "10087"])
    on, off = batch.parse(joined(["10086", "10087"], [encoded(told[1][0])]), AT)
    assert (on.room, on.live, on.viewers, off.room, off.live, off.viewers) == (
        "10086",
        True,
        1203,
        "10087",
        False,
        None,
    )
    socket = row_of(tmp_path / "3", "socket", ["直播间1", "直播间2"])
    heard = [socket.parse(encoded(message), AT) for message in told[2][:2]]
    stamp = datetime(2026, 11, 24, 12, 0, 0, 123_000, tzinfo=UTC)
    assert heard == [[], [Tick("data-service", "直播间1", stamp, "status", True, 35)]]
    state = socket.parse(joined(None, [encoded(told[3][0])]), AT)
    assert [(tick.room, tick.live, tick.evidence) for tick in state] == [
        ("直播间1", True, "status"),
        ("直播间2", False, "absent"),
    ]
