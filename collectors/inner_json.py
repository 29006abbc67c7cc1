"""Reads a field that some senders write as an object and others as a text of JSON."""

import msgspec

from .collector import BadFrame
from .json_body import json_body


def inner_json[T](told: object, form: type[T]) -> T:
    """Raises BadFrame."""
    if isinstance(told, str):
        return json_body(told.encode(), form)
    try:
        return msgspec.convert(told, form)
    except msgspec.ValidationError as error:
        raise BadFrame(f"bad_json: {error}") from error
