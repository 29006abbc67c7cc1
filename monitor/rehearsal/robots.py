"""Whom a rehearsal tells, if it is let: robots, shifts and contacts of a config, as lines of the rehearsal's own."""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from monitor.config import Config


class Lines(NamedTuple):
    """Keys that stand above the first table, and tables."""

    top: str = ""
    tables: str = ""


NOBODY = Lines()


def lines_of(config: Config, url: str) -> Lines:
    """Links to pages lead to the rehearsal itself, at `url`.

    The Alertmanager is taken from a rehearsal's config alone: what is acknowledged in play must not silence an event.
    The outside heartbeat is nobody's to play with.
    """
    top = {"public_url": url, "grafana_url": config.grafana_url}
    top["contacts"] = None if config.contacts is None else str(config.contacts)
    if config.purpose == "rehearsal":
        top["alertmanager_url"] = config.alertmanager_url
    tables = [("robot", robot) for robot in config.robots] + [("shift", shift) for shift in config.shifts]
    return Lines(
        "".join(f"{key} = {_text(value)}\n" for key, value in top.items() if value is not None),
        "\n".join(_lines(_table(kind, row)) for kind, row in tables),
    )


def _table(kind: str, row: msgspec.Struct) -> Iterator[str]:
    yield f"\n[[{kind}]]"
    for key, value in msgspec.to_builtins(row, enc_hook=str).items():
        if isinstance(value, dict):
            given = ", ".join(f"{name} = {_text(texts)}" for name, texts in value.items() if texts)
            yield f"{key} = {{ {given} }}"
        elif value not in (None, ""):
            yield f"{key} = {_text(value)}"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _text(value: object) -> str:
    """JSON, which is TOML for texts and lists of them."""
    return json.dumps(value, ensure_ascii=False)
