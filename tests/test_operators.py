"""The operators' page names what there is: boards, who sees them, pictures, runbooks, ports."""

import re
from pathlib import Path

import pytest

from grafana import permissions
from grafana.boards.board import Board
from grafana.boards.every import BOARDS
from grafana.boards.words import speaking

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "operators.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if "`/d/livemon-" in line]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_each_board_is_told_with_its_place_and_its_teams(board: Board):
    made = board.make(speaking("zh"))
    (row,) = (row for row in ROWS if f"`/d/{made['uid']}`" in row[1])
    assert row[1].startswith(made["title"])
    assert row[2].startswith(board.folder)
    teams = {*permissions.FOLDERS[board.folder], *permissions.BOARDS.get(made["uid"], ())}
    told = set(re.findall(r"leaders|duty|analysts|halls", row[2]))
    assert told == teams or (row[2] == board.folder), "the teams of a folder are told once"
    assert row[3] == f"[board-{board.name}](pictures/board-{board.name}.png)"


def test_no_row_tells_of_a_board_that_is_gone_and_each_folder_s_teams_are_told():
    assert len(ROWS) == len(BOARDS)
    for folder, teams in permissions.FOLDERS.items():
        assert any(row[2] == f"{folder}: {', '.join(teams)}" for row in ROWS), folder


def test_runbooks_and_pages_that_it_names_are_there():
    for name in re.findall(r"\bLivemon[A-Z]\w+", PAGE):
        assert (DOCS / "runbooks" / f"{name}.md").is_file(), name
    for link in re.findall(r"\]\(([^)]+\.md)\)", PAGE):
        assert (DOCS / link).is_file(), link
    services = (DOCS.parent / "docker-compose.yml").read_text()
    for port in re.findall(r"127\.0\.0\.1:(\d+)", PAGE):
        assert f"127.0.0.1:{port}" in services
