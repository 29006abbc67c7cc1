"""On which line of a TOML text a table, key or list item stands, which `tomllib` does not tell."""

import re
import tomllib

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'  # a text may end in one or two quotes before the closing three
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}\n#]*")


class Lines:
    """The lines of a text that `tomllib` has read without complaint; what it refuses is not asked for here."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._items: dict[Path, int] = {}  # how many tables each [[list]] has so far
        self._found: dict[Path, int] = {(): 1}
        self._document()

    def of(self, path: Path) -> int:
        """The line of this place, or of the nearest one around it that stands in the text."""
        while path not in self._found:
            path = path[:-1]
        return self._found[path]

    def _document(self) -> None:
        table: Path = ()
        while self._skip(_BLANK):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        is_list = self._text.startswith("[[", self._at)
        self._at += 2 if is_list else 1
        table: Path = ()
        keys = self._dotted()
        for number, key in enumerate(keys, 1):
            table = (*table, key)
            if number == len(keys) and is_list:
                self._items[table] = self._items.get(table, 0) + 1
            self._note(table)
            if table in self._items:  # a header speaks of the list's last table
                table = (*table, self._items[table] - 1)
                self._note(table)
        self._skip(_SPACE)
        self._at += 2 if is_list else 1
        return table

    def _pair(self, table: Path) -> None:
        for key in self._dotted():
            table = (*table, key)
            self._note(table)
        self._skip(_SPACE)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(table)

    def _value(self, path: Path) -> None:
        if self._text.startswith("[", self._at):
            self._array(path)
        elif self._text.startswith("{", self._at):
            self._inline(path)
        elif self._text.startswith(('"', "'"), self._at):
            self._skip(_TEXT)
        else:
            self._skip(_PLAIN)

    def _array(self, path: Path) -> None:
        self._at += 1
        number = 0
        while self._skip(_BLANK) and not self._text.startswith("]", self._at):
            if self._text.startswith(",", self._at):
                self._at += 1
                continue
            self._note((*path, number))
            self._value((*path, number))
            number += 1
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._skip(_BLANK) and not self._text.startswith("}", self._at):
            if self._text.startswith(",", self._at):
                self._at += 1
                continue
            self._pair(path)
        self._at += 1

    def _dotted(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            found = _KEY.match(self._text, self._at)
            if found is None:
                raise ValueError(f"no key at character {self._at}: this is not TOML")
            self._at = found.end()
            key = found.group()
            keys.append(tomllib.loads(f"key = {key}")["key"] if key[0] in "\"'" else key)
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Go over what matches; whether anything is left."""
        if found := pattern.match(self._text, self._at):
            self._at = found.end()
        return self._at < len(self._text)

    def _note(self, path: Path) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self._found.setdefault(path, self._line)
