"""What is asked of the history: SQL of the boards, as Grafana would send it, of its views, and the ready questions."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "grafana" / "dashboards" / "zh"
ASKED = Path(__file__).parent / "history" / "asked.sql"
READY = ROOT / "sql" / "queries"
# Grafana's macros for PostgreSQL and its variables in their formats: what is left of them was not understood.
LEFT = re.compile(r"\$\{|\$__\w+|\$[A-Za-z_]\w*")
HOURS = {"m": 1 / 60, "h": 1, "d": 24}
type Json = dict[str, Any]


class Question(NamedTuple):
    kind: str  # board, view or ready
    name: str
    text: str

    @property
    def not_understood(self) -> str | None:
        found = LEFT.search(re.sub(r"\$\$.*?\$\$", "", self.text, flags=re.DOTALL)) if self.kind == "board" else None
        return found[0] if found else None


def questions(now: datetime, boards: Path = BOARDS) -> list[Question]:
    """The boards' own first. The same text in two panels is asked once."""
    found = [question for path in sorted(boards.rglob("*.json")) for question in _of_board(path, now)]
    for part in ASKED.read_text().split("-- ask: ")[1:]:
        name, _, text = part.partition("\n")
        found.append(Question("view", name, text))
    found += [Question("ready", path.stem, path.read_text()) for path in sorted(READY.glob("*.sql"))]
    return list({question.text: question for question in reversed(found)}.values())[::-1]


def _of_board(path: Path, now: datetime) -> Iterator[Question]:
    board: Json = json.loads(path.read_text())
    variables = board.get("templating", {}).get("list", [])
    from_at = now - timedelta(hours=_hours(board.get("time", {}).get("from", "now-6h"), now))
    for variable in variables:
        if isinstance(text := variable.get("query"), str) and "SELECT" in text.upper():
            yield Question("board", f"{path.stem} ${variable['name']}", _sent(text, variables, from_at, now))
    for panel in _panels(board):
        for target in panel.get("targets", []):
            if isinstance(text := target.get("rawSql"), str):
                title = f"{path.stem} {panel.get('title', '')} {target.get('refId', '')}"
                yield Question("board", title.replace("${purpose_mark}", ""), _sent(text, variables, from_at, now))
    for annotation in board.get("annotations", {}).get("list", []):
        for text in (annotation.get("rawQuery"), annotation.get("target", {}).get("rawSql")):
            if isinstance(text, str):
                yield Question("board", f"{path.stem} @{annotation['name']}", _sent(text, variables, from_at, now))


def _panels(part: Json) -> Iterator[Json]:
    for panel in part.get("panels", []):
        yield panel
        yield from _panels(panel)


def _hours(written: str, now: datetime) -> float:
    """`now-6h`, `now-7d`, `now/d`: how far back the board opens."""
    if back := re.fullmatch(r"now-(\d+)([mhd])(?:/d)?", written):
        return int(back[1]) * HOURS[back[2]]
    return 24 if written == "now/d" else 6


def _sent(text: str, variables: list[Json], from_at: datetime, to_at: datetime) -> str:
    """All is chosen in every variable, which is the most that a board can ask."""
    first, last = (f"'{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'" for at in (from_at, to_at))
    text = re.sub(r"\$__timeFilter\(([^()]*)\)", rf"\1 BETWEEN {first} AND {last}", text)
    text = text.replace("$__timeFrom()", first).replace("$__timeTo()", last)
    text = re.sub(r"\$\{__from(:\w+)?\}", str(round(from_at.timestamp() * 1000)), text)
    text = re.sub(r"\$\{__to(:\w+)?\}", str(round(to_at.timestamp() * 1000)), text)
    text = text.replace("$__interval_ms", "60000").replace("$__interval", "1m")
    for variable in variables:
        name, all_value = variable["name"], variable.get("allValue") or variable.get("current", {}).get("value", "")
        value = all_value[0] if isinstance(all_value, list) else all_value
        text = re.sub(rf"\$\{{{name}:(sqlstring|singlequote)\}}", "'" + str(value).replace("'", "''") + "'", text)
        text = re.sub(rf"\$(\{{{name}(:\w+)?\}}|{name}\b)", str(value).replace("\\", r"\\"), text)
    return text
