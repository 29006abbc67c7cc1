"""The folder of a play belongs to it alone, and what is written there is a config that livemon takes."""

import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor import config
from monitor.rehearsal import stage
from monitor.rehearsal.event.cast import cast, roster_csv
from monitor.rehearsal.event.play import Play
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.monitored import Sight
from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import MissingTool, tool
from monitor.rehearsal.scene import Settings
from monitor.rehearsal.show import moving
from monitor.roster_file import read_roster_file
from monitor.schedule_file import read_schedule_file

BEGAN_AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
FEED = """
[[app]]
name = "shops"
platform = "push_json"
secret_file = "secrets/shops"

[[feed]]
kind = "push_json"
name = "shops"
app = "shops"
platform = "nginx_rtmp"
"""


def test_the_config_of_a_play_is_right_in_every_line(tmp_path: Path) -> None:
    settings = [Settings(FEED, {"shops": b"a secret of at least thirty-two bytes"}, [{"platform": "jd", "shop": "1"}])]
    with stage.taken(tmp_path / "演练 1") as folder:
        path = stage.write(folder, BEGAN_AT, 8790, roster_csv(cast(10, 1)), settings, 8791, timezone="+03:25")
        loaded = config.load(path)
        assert (folder / "accounts.csv").read_text().split() == ["platform,shop", "jd,1"]
        private = [folder / "accounts.csv", folder / "secrets" / "shops"]
        assert [path.stat().st_mode & 0o777 for path in private] == [0o600, 0o600]
    assert [feed.name for feed in loaded.feeds] == ["shops"]
    assert loaded.purpose == "rehearsal"
    assert loaded.timezone == "+03:25"
    assert loaded.hooks_listen == "127.0.0.1:8791"
    assert loaded.event
    assert loaded.event.starts_at < BEGAN_AT < loaded.event.ends_at


def test_the_roster_and_the_schedule_of_a_play_are_right_in_every_line() -> None:
    play = Play(cast(200, 1), 1, Tempo(BEGAN_AT, 10.0))
    roster = read_roster_file(roster_csv(play.parts), "roster.csv")
    assert not roster.problems
    assert len(roster.rooms) == 200
    slots = play.planned(3_600.0)
    schedule = read_schedule_file(stage.schedule_csv(slots, BEGAN_AT), "schedule.csv", ZoneInfo("Asia/Shanghai"))
    assert not schedule.problems
    assert len(schedule.slots) == len(slots) > 50


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
