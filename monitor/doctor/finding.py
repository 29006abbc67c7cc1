"""What one check found: fine, of note, or wrong with what to do about it."""

from typing import Literal

import msgspec

State = Literal["fine", "note", "wrong"]


class Finding(msgspec.Struct, frozen=True):
    """One line for a person. A note is nothing to mend; anything wrong makes the exit code 1."""

    name: str
    state: State
    what: str
    todo: str = ""


def fine(name: str, what: str) -> Finding:
    return Finding(name, "fine", what)


def note(name: str, what: str, todo: str = "") -> Finding:
    return Finding(name, "note", what, todo)


def wrong(name: str, what: str, todo: str) -> Finding:
    return Finding(name, "wrong", what, todo)
