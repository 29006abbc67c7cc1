"""The style that a page carries with it, and the word of a Content-Security-Policy that allows it and no other."""

import base64
import hashlib
from importlib import resources
from typing import NamedTuple


class Style(NamedTuple):
    text: str
    policy: str


def style_of(package: str, name: str) -> Style:
    """The colours that all pages share, then the page's own file of this package."""
    files = ((__package__, "colours.css"), (package, name))
    text = "".join(resources.files(where).joinpath(file).read_text(encoding="utf-8") for where, file in files)
    return Style(text, f"style-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'")
