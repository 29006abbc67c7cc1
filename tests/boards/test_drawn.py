"""Every board in real Chromium, drawn by Grafana's own libraries before an evening that runs: whole, nothing refused.

What this proves and what not is in docs/boards.md.
"""

import re
import struct

import pytest

from tests.boards.draw import HEIGHT, HEIGHT_MAX, WIDTH, Drawn
from tests.boards.stage import NAMES, made, panels, title
from tests.boards.test_alive import EXCUSED

pytestmark = [pytest.mark.real, pytest.mark.slow]

MARK = "【演练】"
BLANK_BYTES_MAX = 20_000  # an empty page of this size is 10 kB
WRONG = ("No data", "Error", "error", "no shell for panels", "undefined", "NaN", "${", "[object")
HARMLESS = ("grafanaBootData",)  # what a Grafana server would write into its page


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_board_is_there(drawn_boards: dict[str, Drawn], name: str):
    drawn, board = drawn_boards[name], made("zh")[name]
    assert drawn.refused == []
    assert [said for said in drawn.said if not any(word in said for word in HARMLESS)] == []
    assert struct.unpack(">II", drawn.picture[16:24]) == (WIDTH, HEIGHT)
    assert len(drawn.picture) > BLANK_BYTES_MAX
    assert HEIGHT <= drawn.height < HEIGHT_MAX
    assert board["title"] in drawn.text
    for _, panel in panels(board=name):
        assert title(panel) in drawn.text, title(panel)
    assert sorted(title({"title": shown}) for shown in drawn.panels) == sorted(title(p) for _, p in panels(board=name))
    assert f"{MARK}{title(board['panels'][0])}" in drawn.text


@pytest.mark.parametrize("name", NAMES)
def test_nothing_on_it_is_empty_or_wrong(drawn_boards: dict[str, Drawn], name: str):
    drawn = drawn_boards[name]
    excused = {re.sub(r" \w+$", "", what.removeprefix(f"{name} ")) for what in EXCUSED if what.startswith(f"{name} ")}
    empty = {title({"title": shown}) for shown in drawn.empty}
    assert empty - excused == set()
    assert [word for word in WRONG if word in drawn.text] == []
