"""Cuts a JSON array into its items as they stand in the body, so that each is read, or set aside, by itself."""

import json
import re

from .collector import BadFrame
from .json_body import BYTE_ORDER_MARK

ITEMS_MAX = 1_000
BLANKS = re.compile(r"[ \t\r\n]*")
ANY = json.JSONDecoder(parse_int=str, parse_float=str)  # finds where an item ends; what is in it is not its business


def each_raw(body: bytes) -> list[bytes]:
    """Raises BadFrame, where it is no array at all."""
    try:
        return _cut(body.removeprefix(BYTE_ORDER_MARK).decode())
    except BadFrame:
        raise
    except (ValueError, RecursionError) as error:  # of UTF-8 and of JSON
        raise BadFrame("bad_json: no array") from error


def _cut(text: str) -> list[bytes]:
    items: list[bytes] = []
    at = _next(text, 0, "[")
    while text[at : at + 1] != "]" or items:
        _, end = ANY.raw_decode(text, at)
        items.append(text[at:end].encode())
        if len(items) > ITEMS_MAX:
            raise BadFrame(f"too_large: more than {ITEMS_MAX} items")
        end = _blanks(text, end)
        if text[end : end + 1] == "]":
            at = end
            break
        at = _next(text, end, ",")
    if _blanks(text, at + 1) != len(text):
        raise ValueError("more than an array")
    return items


def _next(text: str, at: int, sign: str) -> int:
    """The place of what follows the sign that must stand here, blanks before and after it left out."""
    at = _blanks(text, at)
    if text[at : at + 1] != sign:
        raise ValueError(f"no {sign}")
    return _blanks(text, at + 1)


def _blanks(text: str, at: int) -> int:
    found = BLANKS.match(text, at)
    return found.end() if found else at
