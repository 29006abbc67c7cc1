"""Reads a JSON body strictly: one document, each key once, every digit kept, text that PostgreSQL can hold.

A body that two readers could understand differently is refused as a whole: it may speak of money.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import NoReturn

import msgspec

from .collector import BadFrame

KEYS_MAX = 1_000  # of one object
INTEGER_DIGITS_MAX = 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UNFIT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")  # escapes of NUL and of halves of a pair, lone or not
NOT_TEXT = re.compile("[\0\ud800-\udfff]")
WHOLE = re.compile(r"-?\d{1,18}\.0+")


def json_body[T](body: bytes, type_: type[T], number: Callable[[str], object] | None = None) -> T:
    """The document as `type_`; `number` reads numbers as in `document`. Raises BadFrame."""
    return formed(document(body, number), type_)


def formed[T](found: object, type_: type[T]) -> T:
    """A document that was read already. Raises BadFrame."""
    try:
        return msgspec.convert(found, type_)
    except msgspec.ValidationError as error:
        raise BadFrame(f"bad_json: {error}") from error


def document(body: bytes, number: Callable[[str], object] | None = None) -> object:
    """The document as plain objects, every NUL and lone surrogate in it as U+FFFD. Raises BadFrame.

    `number` reads numbers with a point or an exponent; left out: Decimal, but 3.0 is 3.
    """
    try:
        text = body.removeprefix(BYTE_ORDER_MARK).decode()
        found: object = _decoder(number or _number).decode(text)
    except UnicodeDecodeError as error:
        raise BadFrame("bad_json: the body is not UTF-8") from error
    except RecursionError as error:
        raise BadFrame("bad_json: nested too deeply") from error
    except json.JSONDecodeError as error:
        raise BadFrame(f"bad_json: {error.msg} at character {error.pos}") from error
    return _fit(found) if UNFIT.search(text) else found


@cache
def _decoder(number: Callable[[str], object]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object, parse_float=number, parse_constant=_no_number, parse_int=_integer
    )  # fmt: skip


def fraction(text: str) -> int | float:
    """A number that is no money: 3.0 is 3, all others are floats, which whoever reckons with them understands."""
    return int(text.partition(".")[0]) if WHOLE.fullmatch(text) else float(text)


def fit_text(text: str) -> str:
    """Text that PostgreSQL and UTF-8 can hold."""
    return NOT_TEXT.sub("\ufffd", text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(pairs) > KEYS_MAX:
        raise BadFrame(f"bad_json: an object of more than {KEYS_MAX} keys")
    if len(found) < len(pairs):
        raise BadFrame("bad_json: a key stands twice in one object")
    return found


def _integer(digits: str) -> int | Decimal:
    """What no field takes is no int, so that it spoils its own item alone; int() of a long one takes long, too."""
    return int(digits) if len(digits) <= INTEGER_DIGITS_MAX else Decimal(digits)


def _number(text: str) -> int | Decimal:
    return int(text.partition(".")[0]) if WHOLE.fullmatch(text) else Decimal(text)


def _no_number(token: str) -> NoReturn:
    raise BadFrame(f"bad_json: {token} is no JSON")


def _fit(found: object) -> object:
    if isinstance(found, str):
        return fit_text(found)
    if isinstance(found, list):
        return [_fit(part) for part in found]
    if isinstance(found, dict):
        return {fit_text(key): _fit(value) for key, value in found.items()}
    return found
