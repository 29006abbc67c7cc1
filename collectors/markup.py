"""Reads XML that strangers sent: strict UTF-8, no document type, no entities of its own."""

from xml.etree import ElementTree

from .collector import BadFrame


def xml_root(frame: bytes) -> ElementTree.Element:
    """The root element of a whole, well-formed document, or `BadFrame`."""
    try:
        text = frame.decode()
    except UnicodeDecodeError as error:
        raise BadFrame(f"not_utf8: {error.reason} at byte {error.start}") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # inside text and names of a true answer, < is escaped
        raise BadFrame("dtd: an answer of a server declares no document type")
    try:
        return ElementTree.fromstring(text)  # noqa: S314 (nothing to expand: refused above)
    except ElementTree.ParseError as error:
        raise BadFrame(f"not_xml: {error}") from None
