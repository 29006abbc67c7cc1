"""Every board as it is made, what its panels ask, and Grafana's variables put in."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from grafana.boards.every import BOARDS
from grafana.boards.words import LANGUAGES, speaking

ROOT = Path(__file__).resolve().parents[2]

type Json = dict[str, Any]

NAMES = [board.name for board in BOARDS]
LEFT = re.compile(r"\$\{[^}]*\}|\$[a-zA-Z_]\w*|\[\[\w")  # of Grafana's syntax


@cache
def made(language: str) -> dict[str, Json]:
    """By name."""
    return {board.name: board.make(speaking(language)) for board in BOARDS}  # type: ignore[arg-type]


def every() -> Iterator[tuple[str, str, Json]]:
    """Language, name, board."""
    for language in LANGUAGES:
        for name, board in made(language).items():
            yield language, name, board


def panels(language: str = "zh", *, board: str = "") -> Iterator[tuple[str, Json]]:
    """Of all boards, or of one: the board's name and the panel."""
    for name, written in made(language).items():
        if not board or name == board:
            for panel in written["panels"]:
                yield name, panel


def title(panel: Json) -> str:
    return str(panel.get("title", "")).removeprefix("${purpose_mark}")


def queries(kind: str, *, board: str = "") -> dict[str, str]:
    """By "board panel refId (legend)"; `kind` is `expr` or `rawSql`."""
    return {
        f"{name} {title(panel)} {target['refId']} {target.get('legendFormat', '')}".strip(): target[kind]
        for name, panel in panels(board=board)
        for target in panel.get("targets", [])
        if kind in target
    }


def variables(board: str, name: str = "") -> list[Json]:
    found = made("zh")[board]["templating"]["list"]
    return [variable for variable in found if not name or variable["name"] == name]


def with_values(query: str, values: Mapping[str, str]) -> str:
    """As Grafana does for values that need no quoting; whatever else of its syntax is left fails the test."""
    for name, value in values.items():
        query = re.sub(rf"\$\{{{name}(:\w+)?\}}|\${name}\b", lambda _, value=value: value, query)
    query = query.replace("$__rate_interval", "20s").replace("$__interval", "15s")
    assert not LEFT.search(re.sub(r"\$\$.*?\$\$", "", query, flags=re.DOTALL)), query
    return query
