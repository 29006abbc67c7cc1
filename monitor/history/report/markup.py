"""HTML and SVG as text that is markup already; all other text is escaped on its way in."""

from collections.abc import Iterable
from html import escape

MAX = 80  # of a name that a stranger gave


class Markup(str):
    """Text that may stand in a page as it is."""

    __slots__ = ()


def safe(value: object) -> Markup:
    """As it may stand in a page, also within quotes: markup as it is, anything else escaped.

    Names come from strangers: what would turn the text around or is no character is left out, and long ones are cut.
    """
    if isinstance(value, Markup):
        return value
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return Markup(escape(text))


def named(text: str) -> str:
    """A stranger's name, cut to what a table can hold."""
    return text if len(text) <= MAX else f"{text[: MAX - 1]}…"


def joined(parts: Iterable[object], between: str = "") -> Markup:
    return Markup(between.join(safe(part) for part in parts))


def tag(name: str, *inside: object, **attributes: object) -> Markup:
    """An element. `class_` is class, `text_anchor` is text-anchor; an attribute of None is left out."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-") if key != "viewBox" else key}="{safe(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{told}>{joined(inside)}</{name}>")


def table(
    heads: Iterable[object], rows: Iterable[Iterable[object]], class_: str | None = None, words: int = 1
) -> Markup:
    """A table whose first `words` columns are words, the others numbers."""

    def line(cell: str, values: Iterable[object]) -> Markup:
        return tag("tr", *(tag(cell, value, class_="word" if n < words else None) for n, value in enumerate(values)))

    head = tag("thead", line("th", heads))
    return tag("table", head, tag("tbody", *(line("td", row) for row in rows)), class_=class_)


def _number(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
