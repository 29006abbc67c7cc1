"""Writes every board's JSON, the same bytes for the same source."""

import json
from pathlib import Path
from typing import Any

from grafana.boards import hall

DASHBOARDS = Path(__file__).resolve().parents[1] / "dashboards"
BOARDS = {"hall.json": hall.board}


def as_text(board: dict[str, Any]) -> str:
    return json.dumps(board, ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    for name, board in BOARDS.items():
        (DASHBOARDS / name).write_text(as_text(board()))


if __name__ == "__main__":
    main()
