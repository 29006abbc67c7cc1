"""Writes every board's JSON, the same bytes for the same source; elsewhere those of another zone, currency, or of a
rehearsal."""

import argparse
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from grafana.boards.board import TIMEZONE
from grafana.boards.columns import MONEY
from grafana.boards.every import BOARDS
from grafana.boards.words import LANGUAGES, speaking
from monitor.rehearsal.boards import write_boards

DASHBOARDS = Path(__file__).resolve().parents[1] / "dashboards"
CURRENCY = "¥"
assert MONEY.endswith(CURRENCY)  # noqa: S101 - else another sign would be put nowhere


def as_text(board: dict[str, Any]) -> str:
    return json.dumps(board, ensure_ascii=False, indent=2) + "\n"


def made(timezone: str = TIMEZONE, currency: str = CURRENCY) -> dict[str, str]:
    """Path below the folder of boards -> the text of the file: each board in each language.

    `timezone`: an IANA name, the event's. `currency`: the sign before amounts of the event's currency.
    """
    return {
        f"{language}/{board.folder}/{board.name}.json": as_text(
            _signed(board.make(speaking(language)), currency) | {"timezone": timezone}
        )
        for language in LANGUAGES
        for board in BOARDS
    }


def _signed(value: Any, currency: str) -> Any:
    """Units of money with this sign: boards are written with the usual one, and know no other."""
    if isinstance(value, list):
        return [_signed(each, currency) for each in value]
    if isinstance(value, dict):
        return {name: _signed(each, currency) for name, each in value.items()}
    return MONEY.removesuffix(CURRENCY) + currency if value == MONEY else value


def _zone(text: str) -> str:
    """Grafana knows IANA names alone: a fixed offset, which livemon's own config takes, is none."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # not found, not a name, a folder of names
        raise argparse.ArgumentTypeError(f"{text!r} is no IANA name of a zone, such as Asia/Tokyo") from None
    return text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m grafana.boards", description=__doc__)
    parser.add_argument("-o", "--into", type=Path, metavar="DIR", help="write zh and en into this folder")
    parser.add_argument("--timezone", type=_zone, default=TIMEZONE, metavar="Z", help=f"the event's zone ({TIMEZONE})")
    parser.add_argument("--currency", default=CURRENCY, metavar="SIGN", help=f"before amounts of money ({CURRENCY})")
    parser.add_argument("--rehearsal", type=Path, metavar="DIR", help="write a rehearsal's boards into this folder")
    parser.add_argument(
        "--datasources", default="", metavar="SUFFIX", help="what those boards' data sources have behind their uids"
    )
    args = parser.parse_args()
    if args.rehearsal is not None:
        write_boards(args.rehearsal, datasource_suffix=args.datasources, timezone=args.timezone)
        return
    if args.into is None and (args.timezone, args.currency) != (TIMEZONE, CURRENCY):
        parser.error("boards of another zone or currency are not those of this repository: give their folder with -o")
    texts = made(args.timezone, args.currency)
    if args.into is None:
        for path in DASHBOARDS.rglob("*.json"):
            if str(path.relative_to(DASHBOARDS)) not in texts:
                path.unlink()  # of a board that is gone
    for name, text in texts.items():
        path = (args.into or DASHBOARDS) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
