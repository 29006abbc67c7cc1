"""The folder of a play belongs to it alone, and what is written there is a config that livemon takes."""

import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import config
from monitor.rehearsal import stage
from monitor.rehearsal.cast import cast, roster_csv
from monitor.rehearsal.monitored import Sight
from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import MissingTool, tool
from monitor.rehearsal.show import moving


def test_the_config_of_a_play_is_right_in_every_line(tmp_path: Path) -> None:
    halls = {"A": "http://127.0.0.1:8080/stat", "B": "http://127.0.0.1:8081/stat"}
    with stage.taken(tmp_path / "演练 1") as folder:
        path = stage.write(folder, datetime.now(UTC), 8790, halls, roster_csv(cast(10, 1), "nginx_rtmp"))
        loaded = config.load(path)
    assert [(feed.name, feed.hall, feed.url) for feed in loaded.feeds] == [
        ("hall-a", "A", halls["A"]),
        ("hall-b", "B", halls["B"]),
    ]
    assert loaded.event
    assert loaded.event.name == "辽宁网红周（演练）"


def test_a_second_play_begins_with_an_empty_folder(tmp_path: Path) -> None:
    with stage.taken(tmp_path) as folder:
        (folder / "data" / "deep").mkdir(parents=True)
        (folder / "roster.csv").touch()
        (folder / "link").symlink_to("/", target_is_directory=True)
    with stage.taken(tmp_path) as folder:
        assert [path.name for path in folder.iterdir()] == [stage.MARK]


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "wages.csv").touch()
    with pytest.raises(stage.NotOurs, match="not empty"), stage.taken(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["wages.csv"]


def test_the_folder_of_a_play_that_runs_is_left_alone(tmp_path: Path) -> None:
    with stage.taken(tmp_path) as folder:
        (folder / "roster.csv").touch()
        with pytest.raises(stage.Busy), stage.taken(tmp_path):
            pass
        assert (folder / "roster.csv").exists()


def sight(live: int, viewers: int) -> Sight:
    return Sight(Counter(live=live), viewers, 0)


@pytest.mark.parametrize(
    ("sights", "is_moving"),
    [
        ([], False),
        ([sight(0, 0)], False),
        ([sight(3, 10)], False),
        ([sight(0, 0), sight(3, 10)], False),
        ([sight(3, 10), sight(3, 11)], True),
        ([sight(3, 10), sight(2, 10)], True),
    ],
)
def test_a_play_moves_when_something_changes_while_rooms_are_live(sights: list[Sight], is_moving: bool) -> None:
    assert moving(sights) is is_moving


def test_a_program_that_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    with Program([sys.executable, "-c", deaf], log) as program:
        while not log.read_bytes():
            assert program.running
        with pytest.raises(subprocess.TimeoutExpired):
            program.stop(signal.SIGTERM, within_s=0.3)
        assert program.process.returncode == -signal.SIGKILL


def test_a_missing_tool_is_named_with_the_way_to_get_it() -> None:
    with pytest.raises(MissingTool, match=r"nginy is not installed.*apt-get install nginy"):
        tool("nginy", "apt-get install nginy")
