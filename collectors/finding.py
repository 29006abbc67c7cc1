"""Finds a value in an answer by a path of the config file: plain keys, a JSON pointer, or a JMESPath expression."""

import re
from collections.abc import Callable
from functools import lru_cache

import jmespath
from jmespath.exceptions import JMESPathError

from .collector import BadFrame
from .json_body import document, fraction

Find = Callable[[object], object]
"""The value at a path, None where there is none. Raises `Unfit` where an expression cannot be reckoned."""

PLAIN = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")  # what JMESPath means by it, too, but for letters beyond ASCII
NO = frozenset(("0", "false"))
INDEX = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)


class Unfit(ValueError):
    """A value that is there, and is not what its setting says it is. Never holds the value itself."""


@lru_cache(maxsize=1024)
def finder(path: str) -> Find:
    """Raises ValueError, with the reason, for a path that is none.

    Keys are walked without JMESPath, which costs 15 times as much: 12,000 rooms of seven values are 10 ms of a poll
    instead of 150.
    """
    if PLAIN.fullmatch(path):
        return _along(path.split("."))
    if path.startswith("/"):
        return _pointed(path)
    try:
        search = jmespath.compile(path).search
    except JMESPathError as error:
        said = str(error).partition("for expression")[0].partition(": Parse error")[0]
        raise ValueError(" ".join(said.split()).rstrip(":,")[:200]) from error

    def find(found: object) -> object:
        try:
            return search(found)
        except (
            JMESPathError,
            TypeError,
            ValueError,
            ArithmeticError,
        ) as error:  # of a function that was given nonsense
            raise Unfit(f"{path} cannot be reckoned: {type(error).__name__}") from error

    return find


def _along(keys: list[str]) -> Find:
    def find(found: object) -> object:
        for key in keys:
            if type(found) is not dict:
                return None
            found = found.get(key)
        return found

    return find


def _pointed(path: str) -> Find:
    """A JSON pointer (RFC 6901)."""
    if re.search(r"~(?![01])", path):
        raise ValueError("in a JSON pointer ~ stands only in ~0 and ~1")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]

    def find(found: object) -> object:
        for step in steps:
            if isinstance(found, dict):
                found = found.get(step)
            elif isinstance(found, list) and INDEX.fullmatch(step) and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
        return found

    return find


def holds(path: str, told: object) -> bool:
    """Whether a condition is met: it is true, or finds something that is not 0. Raises BadFrame."""
    return _is_yes(_found(path, told))


def goes_on(path: str, told: object) -> bool:
    """As `holds`, of what says whether there is more: some write that as a text. Raises BadFrame."""
    found = _found(path, told)
    return _is_yes(found) and not (isinstance(found, str) and found.lower() in NO)


def _found(path: str, told: object) -> object:
    try:
        return finder(path)(told)
    except Unfit as error:
        raise BadFrame(f"unfit: {error}") from error


def _is_yes(found: object) -> bool:
    """Not as JMESPath has it, by which 0 is true: services write 0 and 1 for no and yes."""
    return found is not None and found != 0 and found != "" and found != []  # False is 0


def means(path: str, frame: bytes) -> bool:
    """Whether a frame meets a condition; one that cannot be read does not."""
    try:
        return holds(path, document(frame, fraction))
    except BadFrame:
        return False
