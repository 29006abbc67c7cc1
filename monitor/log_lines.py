"""How a log record becomes a line: JSON or text, without control characters that act, and without secrets."""

import json
import logging
import math
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from monitor.secret import Secret

CHARS_MAX = 8_192
HIDDEN_CHARS_MIN = 4  # a shorter secret would blank out half of each line, and guards nothing
HIDDEN_LINE_CHARS_MIN = 16
BUILT_IN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# What moves a terminal's cursor, breaks a line or turns the direction of writing: a feed may send all of it.
ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class Hidden:
    """The secrets that must not be shown, in each form in which they could turn up."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: Secret) -> None:
        text = secret.reveal()
        pieces = {text, *(line for line in text.splitlines() if len(line) >= HIDDEN_LINE_CHARS_MIN)}
        forms = pieces | {quote(piece, safe="") for piece in pieces} | {repr(piece)[1:-1] for piece in pieces}
        self._forms |= {form for form in forms if len(form) >= HIDDEN_CHARS_MIN}
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def without(self, text: str) -> str:
        """The text with its secrets blanked out; cut only after that, lest half a secret stay at the edge."""
        clean = self._pattern.sub("***", text) if self._pattern else text
        return clean if len(clean) <= CHARS_MAX else f"{clean[:CHARS_MAX]}... ({len(clean)} characters)"


class JsonLines(logging.Formatter):
    """One JSON object a line: ts, level, logger, message, whatever the caller added, and the traceback if any."""

    def __init__(self, hidden: Hidden) -> None:
        super().__init__()
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": _at(record).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._hidden.without(record.getMessage()),
        }
        for key, value in _extra(record).items():
            line.setdefault(key, _plain(value, self._hidden))
        if trace := _trace(record):
            line["exception"] = self._hidden.without(trace)
        text = json.dumps(line, ensure_ascii=False)
        return ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class TextLines(logging.Formatter):
    """For a person at a terminal: one line, then the traceback indented below it."""

    def __init__(self, hidden: Hidden) -> None:
        super().__init__()
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        words = [f"{_at(record):%Y-%m-%d %H:%M:%SZ} {record.levelname:7} {record.name}: {record.getMessage()}"]
        words += [f"{key}={value}" for key, value in _extra(record).items()]
        lines = [escaped(self._hidden.without(" ".join(words)))]
        if trace := _trace(record):
            lines += [f"    {escaped(line)}" for line in self._hidden.without(trace).splitlines()]
        return "\n".join(lines)


def escaped(text: str) -> str:
    """The text with every character that acts on a terminal written out."""
    return ACTING.sub(lambda found: ascii(found[0])[1:-1], text)


def _at(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in BUILT_IN}


def _trace(record: logging.LogRecord) -> str:
    if record.exc_text is None and record.exc_info:
        return logging.Formatter().formatException(record.exc_info)
    return record.exc_text or ""


def _plain(value: object, hidden: Hidden) -> object:
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return hidden.without(value.isoformat() if isinstance(value, datetime) else str(value))
