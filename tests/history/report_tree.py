"""A page of `livemon report` read back as a tree; what is not closed in its turn fails."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    inside: list["Element | str"] = field(default_factory=list)

    def all(self, name: str | None = None) -> Iterator["Element"]:
        for part in self.inside:
            if isinstance(part, Element):
                if name in (None, part.name):
                    yield part
                yield from part.all(name)

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.inside)

    def by_id(self, name: str) -> "Element":
        (found,) = [part for part in self.all() if part.attributes.get("id") == name]
        return found

    def rows(self) -> list[list[str]]:
        """The cells of the table rows in it."""
        return [[cell.text for cell in row.all("td")] for row in self.all("tr") if any(True for _ in row.all("td"))]

    def after(self, heading: str) -> "Element":
        """What comes after the h3 with this text."""
        parts = [part for part in self.inside if isinstance(part, Element)]
        (place,) = [n for n, part in enumerate(parts) if part.name == "h3" and part.text == heading]
        return parts[place + 1]


class Reader(HTMLParser):
    """Every element must be closed, by its own end and in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"{tag} has an attribute twice"
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(text: str) -> Element:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def tile(root: Element, key: str) -> tuple[str, str]:
    box = root.by_id(f"key-{key}")
    (value,), (below,) = box.all("b"), box.all("small")
    return value.text, below.text
