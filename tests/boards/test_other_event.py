"""Boards of an event elsewhere: its zone, its currency; the committed ones stay as they are."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest

from grafana.boards.__main__ import DASHBOARDS, made
from monitor.rehearsal.boards import write_boards, zone_of_boards
from tests.rehearsal.test_boards import read

ROOT = Path(__file__).resolve().parents[2]


def boards(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grafana.boards", *arguments], cwd=ROOT, capture_output=True, text=True
    )


def units(board: Any) -> set[str]:
    """Every unit of money that is named anywhere in it."""
    if isinstance(board, str):
        return {board} if board.startswith("currency:") else set()
    values: Sequence[Any] = (
        list(board.values()) if isinstance(board, dict) else board if isinstance(board, list) else []
    )
    return {unit for value in values for unit in units(value)}


def test_another_zone_and_currency_are_on_every_board_and_nothing_else_changes(tmp_path: Path):
    committed = read(DASHBOARDS)
    done = boards("--timezone", "Asia/Tokyo", "--currency", "$", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    written = read(tmp_path)
    assert set(written) == set(made())
    assert {board["timezone"] for board in written.values()} == {"Asia/Tokyo"}
    assert {unit for board in written.values() for unit in units(board)} == {"currency:financial:$"}
    usual = {name: json.loads(text) for name, text in made().items()}
    back = json.loads(json.dumps(written).replace("currency:financial:$", "currency:financial:\\u00a5"))
    assert {name: board | {"timezone": "Asia/Shanghai"} for name, board in back.items()} == usual
    assert read(DASHBOARDS) == committed


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--timezone", "Asia/Tokyo"], "give their folder with -o"),
        (["--currency", "€"], "give their folder with -o"),
        (["--timezone", "+08:00", "-o", "nowhere"], "no IANA name"),
        (["--timezone", "Asia", "-o", "nowhere"], "no IANA name"),
        (["--timezone", "../../etc/passwd", "-o", "nowhere"], "no IANA name"),
    ],
)
def test_what_would_spoil_the_committed_boards_or_grafana_cannot_read_is_refused(arguments: list[str], why: str):
    done = boards(*arguments)
    assert done.returncode == 2
    assert why in done.stderr
    assert not (ROOT / "nowhere").exists()


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Shanghai", "Asia/Shanghai"),
        ("+08:00", "Etc/GMT-8"),  # the sign of these names is that of POSIX
        ("-03:00", "Etc/GMT+3"),
        ("+00:00", "Etc/GMT-0"),
        ("+14:00", "Etc/GMT-14"),
        ("-13:00", "utc"),  # there is no such name
        ("+03:25", "utc"),
    ],
)
def test_a_rehearsal_s_boards_are_in_its_own_zone(tmp_path: Path, zone: str, shown: str):
    assert zone_of_boards(zone) == shown
    assert shown == "utc" or shown in available_timezones()
    write_boards(tmp_path, timezone=shown)
    assert {board["timezone"] for board in read(tmp_path).values()} == {shown}
