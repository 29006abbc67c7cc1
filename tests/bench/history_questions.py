"""What is asked of the history: SQL of the boards, as Grafana would send it, of its views, and the ready questions."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.boards.asked import asked_of, opened_at
from tests.boards.macros import Chosen, NotUnderstood, sql_sent

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "grafana" / "dashboards" / "zh"
ASKED = Path(__file__).parent / "history" / "asked.sql"
READY = ROOT / "sql" / "queries"
# In variables where a person chooses: asked.sql asks for the same. Which sessions there are only the history knows.
SESSION = "00000000-0000-4000-8000-000000000100"
ITS_SESSION = "(SELECT session_id::text FROM session WHERE room_id = 100 ORDER BY opened_at LIMIT 1)"
CHOSEN = {"room": Chosen("100"), "session": Chosen(SESSION)}
type Json = dict[str, Any]


class Question(NamedTuple):
    kind: str  # board, view or ready
    name: str
    text: str
    not_understood: str | None = None  # of Grafana's syntax; then the text is as the board has it


def questions(now: datetime, boards: Path = BOARDS) -> list[Question]:
    """The boards' own first. The same text in two panels is asked once."""
    found = [question for path in sorted(boards.rglob("*.json")) for question in _of_board(path, now)]
    for part in ASKED.read_text().split("-- ask: ")[1:]:
        name, _, text = part.partition("\n")
        found.append(Question("view", name, text))
    found += [Question("ready", path.stem, path.read_text()) for path in sorted(READY.glob("*.sql"))]
    return list({question.text: question for question in reversed(found)}.values())[::-1]


def _of_board(path: Path, now: datetime) -> Iterator[Question]:
    """As it opens: all is chosen wherever that can be, which is the most that a board can ask."""
    board: Json = json.loads(path.read_text())
    opened = opened_at(board, now, CHOSEN)
    for asked in asked_of(path.stem, board):
        if asked.language == "sql":
            try:
                text = sql_sent(asked.text, opened).replace(f"'{SESSION}'", ITS_SESSION)
                yield Question("board", asked.name, text)
            except NotUnderstood as error:
                yield Question("board", asked.name, asked.text, str(error))
