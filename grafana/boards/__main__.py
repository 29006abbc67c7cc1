"""Writes every board's JSON, the same bytes for the same source; with --rehearsal those of a rehearsal, elsewhere."""

import argparse
import json
from pathlib import Path
from typing import Any

from grafana.boards import hall
from monitor.rehearsal.boards import write_boards

DASHBOARDS = Path(__file__).resolve().parents[1] / "dashboards"
BOARDS = {"hall.json": hall.board}


def as_text(board: dict[str, Any]) -> str:
    return json.dumps(board, ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m grafana.boards", description=__doc__)
    parser.add_argument("--rehearsal", type=Path, metavar="DIR", help="write a rehearsal's boards into this folder")
    parser.add_argument(
        "--datasources", default="", metavar="SUFFIX", help="what those boards' data sources have behind their uids"
    )
    args = parser.parse_args()
    if args.rehearsal is not None:
        write_boards(args.rehearsal, datasource_suffix=args.datasources)
        return
    for name, board in BOARDS.items():
        (DASHBOARDS / name).write_text(as_text(board()))


if __name__ == "__main__":
    main()
