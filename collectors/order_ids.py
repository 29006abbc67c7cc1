"""Ids of orders, shops and rooms as platforms write them: exact text, fit to be part of an event id."""

import re
from collections.abc import Iterable

from .collector import BadFrame

ID = re.compile(r"[\w.-]{1,40}", re.ASCII)


def exact_id(told: object) -> str:
    """An id told as a number or as text; numbers above 2^53 keep their last digit. Raises BadFrame."""
    written = str(told) if isinstance(told, int | str) and not isinstance(told, bool) else ""
    if not ID.fullmatch(written):
        raise BadFrame("bad_id: missing, or with signs that no id has")
    return written


def fit_name(told: object) -> str:
    """An id that may be shown as a sample; empty where it is none, so that nothing else is ever shown in its place."""
    try:
        return exact_id(told)
    except BadFrame:
        return ""


def agreed(told: Iterable[object]) -> str | None:
    """The one id on which all agree; 0, empty and missing are none, and none is guessed where they differ."""
    found = {exact_id(one) if one not in (None, 0, "", "0") else None for one in told}
    return found.pop() if len(found) == 1 else None
