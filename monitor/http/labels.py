"""Text from outside, made fit for a label, a page or a terminal: the one sanitiser of what people may name."""

import hashlib
import re

POINTS_MAX = 256
"""Code points of a label value; what is longer is cut."""

UNFIT = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f"  # control characters, but for the line feed, which is escaped
    "\u2028-\u202e\u2066-\u2069"  # line separators and bidi overrides: they reorder what stands beside them
    "\ud800-\udfff\ufffe\uffff]"  # lone surrogates cannot be encoded, the last two are no characters
)
REPLACEMENT = "\ufffd"


def clean(text: str) -> str:
    """The same text with U+FFFD for what would break an encoder, a line or the eye, cut at POINTS_MAX."""
    if text.isascii() and text.isprintable():
        return text[:POINTS_MAX]
    return UNFIT.sub(REPLACEMENT, text[:POINTS_MAX])


def escape(text: str) -> str:
    """Backslash, quote and line feed as the text exposition format wants them inside a label value."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def one_line(text: str) -> str:
    """Cleaned text for a page or a terminal, where a line feed is as unfit as any control character."""
    return clean(text).replace("\n", REPLACEMENT)


def name_label(text: str) -> str:
    """An identifying label value, not escaped: two different ids never become the same one.

    An id that had to be changed gets a piece of its digest, since two series with equal labels fail a whole scrape.
    """
    cleaned = clean(text)
    if cleaned == text:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{cleaned[: POINTS_MAX - 9]}~{digest[:8]}"
