"""Every value of this document is the number of the line on which it stands, so the document checks itself."""

import tomllib
from collections.abc import Iterator

import pytest

from monitor.toml_lines import Lines, Path

DOCUMENT = """\
# = a comment [with] brackets and "quotes"
first = 2 # and = another
  indented = 3
"quoted # key = [" = 4
'literal "key"' = 5
"esc\\"aped \\u4e2d" = 6
dotted.key.path = 7
dotted . "spaced" .path = 8
inline = { a = 9, b.c = 9, "d" = { e = [9, 9] } }
skipped = \"\"\"
[not.a.table]
not_a_key = 99 \\
\\\"\"\" still inside "" text\"\"\"\"\"
after_text = 14
literal = '''
[[not]]
'''''
after_literal = 18
array = [ 19,
  20, # a ] comment
  # another, [ comment
  [22, 22,
  23],
  { deep = 24 }, 24,
]
short = [26, "[", 'a,b', '''c
]''', 27]
empty = []
also_empty = {}
after_empty = 30

[table]
key = 33
[table.sub."dotted.name"]
key = 35

[[rows]]
key = 38
[rows.sub]
key = 40
[[rows.inner]]
key = 42
[[rows.inner]]
key = 44
[rows.inner.leaf]
key = 46
[[rows]]
key = 48
[[rows.inner]]
key = 50
[ spaced . header ] # comment
key = 52
date = 2026-11-19T00:00:00+08:00
last = 54"""


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path, value


def test_every_value_is_found_on_its_line() -> None:
    lines = Lines(DOCUMENT)
    numbers = [(path, value) for path, value in leaves(tomllib.loads(DOCUMENT)) if isinstance(value, int)]
    assert len(numbers) > 30
    assert [(path, lines.of(path)) for path, _ in numbers] == numbers


def test_carriage_returns_before_newlines_count_for_nothing() -> None:
    text = DOCUMENT.replace("\n", "\r\n")
    lines = Lines(text)
    numbers = [(path, value) for path, value in leaves(tomllib.loads(text)) if isinstance(value, int)]
    assert [(path, lines.of(path)) for path, _ in numbers] == numbers


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("nowhere",), 1),
        (("table",), 32),
        (("table", "missing"), 32),
        (("rows",), 37),
        (("rows", 0), 37),
        (("rows", 0, "missing"), 37),
        (("rows", 1), 47),
        (("rows", 1, "inner", 0, "missing", 5), 49),
        (("rows", 0, "inner", 1), 43),
    ],
)
def test_what_is_missing_stands_at_the_nearest_thing_around_it(path: Path, line: int) -> None:
    assert Lines(DOCUMENT).of(path) == line


def test_a_text_of_nothing_has_one_line() -> None:
    assert Lines("").of(("a", 0)) == 1
