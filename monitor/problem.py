"""One thing wrong in a file that a person wrote: where it is, what it is, and what to do."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

SHOWN_MAX = 200


class Problem(msgspec.Struct, frozen=True, order=True):
    """Printed as `file:line: what; what to do`. What concerns the file as a whole stands at line 1."""

    file: str
    line: int
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}; {self.todo}"


class ConfigError(Exception):
    """What a person must correct before anything can start: all that was found at once, in the order of lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def of_file(file: Path, what: str, todo: str) -> ConfigError:
    """One problem with a file as a whole."""
    return ConfigError([Problem(str(file), 1, what, todo)])


def quoted(text: str) -> str:
    """A text of the file as an error line may show it: short, and without characters that act on a terminal."""
    shown = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
    return "'" + "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown) + "'"
