"""Writes every board's JSON, the same bytes for the same source; with --rehearsal those of a rehearsal, elsewhere."""

import argparse
import json
from pathlib import Path
from typing import Any

from grafana.boards.every import BOARDS
from grafana.boards.words import LANGUAGES, speaking
from monitor.rehearsal.boards import write_boards

DASHBOARDS = Path(__file__).resolve().parents[1] / "dashboards"


def as_text(board: dict[str, Any]) -> str:
    return json.dumps(board, ensure_ascii=False, indent=2) + "\n"


def made() -> dict[str, str]:
    """Path below grafana/dashboards -> the text of the file: each board in each language."""
    return {
        f"{language}/{board.folder}/{board.name}.json": as_text(board.make(speaking(language)))
        for language in LANGUAGES
        for board in BOARDS
    }


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
    texts = made()
    for path in DASHBOARDS.rglob("*.json"):
        if str(path.relative_to(DASHBOARDS)) not in texts:
            path.unlink()  # of a board that is gone
    for name, text in texts.items():
        path = DASHBOARDS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
