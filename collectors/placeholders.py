"""Fills `{room}`, `{rooms}`, `{cursor}`, `{page}` and the names of secrets into the texts of a config file."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from .collector import FeedRefused

Message = str | dict[str, Any] | list[Any]
"""What is sent: a text as it stands, or a table or list that becomes JSON."""

NAME = re.compile(r"\{(\w+)\}")
SECRET_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
RESERVED = frozenset(("room", "rooms", "cursor", "page"))
SECRET_BYTES_MAX = 65_536
MASK = b"***"
MASKED_BYTES_MIN = 6  # shorter ones stand in every text by chance, and are no secrets either


def named(message: Message | None) -> set[str]:
    """The names that stand in braces in a text, a table or a list."""
    if isinstance(message, str):
        return set(NAME.findall(message))
    parts = message.values() if isinstance(message, dict) else message or ()
    return {name for part in parts if isinstance(part, str | dict | list) for name in named(part)}


def url_filled(url: str, values: Mapping[str, str], rooms: Sequence[str] = ()) -> str:
    """The URL, every value in it percent-encoded.

    `{rooms}` are all ids with commas between; a parameter that holds `{room}` stands there once for each of them. One
    that holds an empty cursor is left out: there is nothing to go on from at the first page.
    """
    address, mark, query = "".join(char if char.isascii() else quote(char) for char in url).partition("?")
    parts = (part for part in query.split("&") if values.get("cursor") or "{cursor}" not in part)
    told = "&".join(_filled(part, values, rooms, one) for part in parts for one in _each(part, rooms))
    return _filled(address, values, rooms, rooms[0] if rooms else "") + (mark and "?") + told


def _each(part: str, rooms: Sequence[str]) -> Sequence[str]:
    return rooms if "{room}" in part else [""]


def _filled(part: str, values: Mapping[str, str], rooms: Sequence[str], room: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "rooms":
            return ",".join(quote(one, safe="") for one in rooms)
        return quote(room if name == "room" else values.get(name, found[0]), safe="")

    return NAME.sub(value, part)


def headers_filled(headers: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """Raises FeedRefused for what no header may hold, before a library says so, and shows it."""
    told = {name: filled(value, secrets) for name, value in headers.items()}
    for name, value in told.items():
        if not (value.isascii() and value.isprintable()):
            raise FeedRefused(f"the header {name} would hold other characters than plain ASCII")
    return told


def filled(text: str, values: Mapping[str, str]) -> str:
    return NAME.sub(lambda found: values.get(found[1], found[0]), text)


def messages(message: Message, values: Mapping[str, str], rooms: Sequence[str], rooms_max: int) -> Iterator[str]:
    """What is to be sent for these rooms: one message for each with `{room}`, for so many at once with `{rooms}`."""
    names = named(message)
    if "room" in names:
        yield from (_message(message, {**values, "room": room}, [room]) for room in rooms)
    elif "rooms" in names:
        chunks = (rooms[at : at + rooms_max] for at in range(0, len(rooms), rooms_max))
        yield from (_message(message, values, chunk) for chunk in chunks)
    else:
        yield _message(message, values, rooms)


def body_filled(message: Message, values: Mapping[str, str], rooms: Sequence[str]) -> bytes:
    """The body of a request that asks for these rooms."""
    return _message(message, {**values, "room": rooms[0] if rooms else ""}, rooms).encode()


def _message(message: Message, values: Mapping[str, str], rooms: Sequence[str]) -> str:
    if isinstance(message, str):  # whatever stands in a text of somebody else's form must not end it
        inner = {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in values.items()}
        return filled(message, {**inner, "rooms": json.dumps(",".join(rooms), ensure_ascii=False)[1:-1]})
    return json.dumps(_told(message, values, rooms), ensure_ascii=False)


def _told(part: object, values: Mapping[str, str], rooms: Sequence[str]) -> object:
    if part == "{rooms}":
        return list(rooms)
    if isinstance(part, str):
        return filled(part, {**values, "rooms": ",".join(rooms)})
    if isinstance(part, dict):
        return {key: _told(value, values, rooms) for key, value in part.items()}
    return [_told(value, values, rooms) for value in part] if isinstance(part, list) else part


def read_secrets(files: Mapping[str, Path]) -> dict[str, str]:
    """What the files hold now, so that a rotated one is followed. Raises FeedRefused, never with any of the content.

    That nobody else may read them is looked at when the config is loaded.
    """
    return {name: _secret(name, file) for name, file in files.items()}


def _secret(name: str, file: Path) -> str:
    try:
        with file.open("rb") as opened:
            text = opened.read(SECRET_BYTES_MAX + 1).decode("utf-8-sig")
    except OSError as error:
        raise FeedRefused(f"the secret {name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        text = ""  # the error itself holds what it could not read
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip() or not text.isprintable() or len(text) > SECRET_BYTES_MAX:
        raise FeedRefused(f"the secret {name} is empty, or not one line of UTF-8 text")
    return text


def masked(told: bytes, secrets: Iterable[str]) -> bytes:
    """What came, without our secrets: who answers with them must not get them into frames that people look at."""
    for secret in secrets:
        inner = json.dumps(secret, ensure_ascii=False)[1:-1]
        forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], inner}
        for form in {*forms, inner.replace("/", "\\/")}:
            if len(form) >= MASKED_BYTES_MIN and not form.isdigit():  # digits are counts and ids of rooms, too
                told = told.replace(form.encode(), MASK)
    return told
