"""The boards of a rehearsal: the real ones, that say what they are, and can stand beside the real ones."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from monitor.rehearsal.boards import DASHBOARDS, of_rehearsal, write_boards

ROOT = Path(__file__).resolve().parents[2]


def read(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.json")
    }


def test_every_board_is_there_marked_and_under_a_uid_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grafana.boards", "--rehearsal", tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    real, played = read(DASHBOARDS), read(tmp_path)
    assert real
    assert len(played) == len(real)
    for name, board in real.items():
        other = played[name.replace(".json", "-rehearsal.json")]
        assert other["title"] == f"【演练】{board['title']}"
        assert other["uid"] == f"{board['uid']}-rehearsal"
        assert len(other["uid"]) <= 40  # Grafana takes no longer ones
        links = re.findall(r'"/d/([^/?"]+)', json.dumps(other))
        assert all(uid.endswith("-rehearsal") for uid in links), name
        same = json.loads(re.sub(r'(?<="/d/)([^/?"]+)-rehearsal', r"\1", json.dumps(other)))
        assert same | {"title": 0, "uid": 0} == board | {"title": 0, "uid": 0}
    assert not {board["uid"] for board in real.values()} & {board["uid"] for board in played.values()}


def test_data_sources_may_have_names_of_their_own(tmp_path: Path) -> None:
    write_boards(tmp_path, datasource_suffix="-rehearsal")
    asked = [json.dumps(each) for board in read(tmp_path).values() for each in _found(board, "datasource")]
    assert asked
    assert all("-rehearsal" in each for each in asked)


def test_links_between_boards_stay_within_the_rehearsal_and_others_stay_as_they_are() -> None:
    links = [
        {"url": "/d/hall/halls?var-hall=A"},
        {"url": "/d/hall"},
        {"url": "/d/hallway/x"},
        {"url": "https://a/d/hall/"},
        {"url": "/d/hall?kiosk"},
    ]
    made = of_rehearsal({"uid": "all", "title": "【演练】总览", "links": links}, {"all", "hall"})
    assert [link["url"] for link in made["links"]] == [
        "/d/hall-rehearsal/halls?var-hall=A", "/d/hall-rehearsal", "/d/hallway/x", "https://a/d/hall/",
        "/d/hall-rehearsal?kiosk",
    ]  # fmt: skip
    assert made["title"] == "【演练】总览"


def test_without_boards_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no boards in"):
        write_boards(tmp_path / "into", source=tmp_path)
    assert not (tmp_path / "into").exists()


def test_the_boards_come_with_the_package() -> None:
    """Where it is installed there is no checkout beside it: they are found from the module's own place."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"]["grafana/dashboards"] == DASHBOARDS.parent.relative_to(ROOT).as_posix()
    assert "COPY grafana/dashboards ./grafana/dashboards\n" in (ROOT / "Dockerfile").read_text()


def _found(value: Any, name: str) -> list[Any]:
    if isinstance(value, list):
        return [found for each in value for found in _found(each, name)]
    if isinstance(value, dict):
        here = [value[name]] if name in value else []
        return here + [found for each in value.values() for found in _found(each, name)]
    return []
