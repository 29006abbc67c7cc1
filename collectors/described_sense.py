"""What is wrong with a feed that TOML describes, beside what is wrong of each key alone."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from .finding import finder
from .mapping import Fields
from .placeholders import RESERVED, SECRET_NAME, Message, named

Complaint = tuple[tuple[str, ...], str, str]
"""The setting (and the key in it), what is wrong, what to do."""

TODO = "give keys as data.rooms, a JSON pointer as /data/rooms, or a JMESPath expression"
ROOMS = frozenset(("room", "rooms"))  # names that rooms fill
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
OUR_HEADERS = frozenset("host content-length transfer-encoding connection upgrade".split())
SECRETIVE = re.compile(  # the short ones only as whole names: monkey and design hold none
    r"auth|cookie|token|secret|passw|api[-_]?key|access[-_]?key|signature|^(x[-_])?(key|sign|sk|pwd)$", re.IGNORECASE
)
SECRETS_TODO = 'write it into a file, name that as secrets = { token = "secrets/NAME" }, and put {token} here'


def of_path(place: tuple[str, ...], path: str) -> Iterator[Complaint]:
    try:
        finder(path)
    except ValueError as error:
        yield place, f"{'.'.join(place)} is no path: {error}", TODO


def of_secrets(secrets: Mapping[str, Path], used: set[str]) -> Iterator[Complaint]:
    for name in secrets:
        if name in RESERVED or not SECRET_NAME.fullmatch(name):
            todo = f"give small letters, digits and _, and none of {', '.join(sorted(RESERVED))}"
            yield ("secrets", name), f"secrets.{name[:64]} cannot be named so", todo
        elif name not in used:
            todo = f"put {{{name}}} where it belongs, or take it out"
            yield ("secrets", name), f"secrets.{name} is used nowhere", todo


def of_names(place: tuple[str, ...], text: Message | None, known: set[str]) -> Iterator[Complaint]:
    """Names in braces that nobody fills in."""
    for name in sorted(named(text) - known):
        todo = (
            f"known here: {', '.join('{' + one + '}' for one in sorted(known)) or 'none'}; a secret must be in secrets"
        )
        yield place, f"{'.'.join(place)} holds {{{name[:64]}}}, which nothing fills", todo


def of_headers(headers: Mapping[str, str], known: set[str]) -> Iterator[Complaint]:
    for name, value in headers.items():
        place = ("headers", name)
        if not HEADER.fullmatch(name) or name.lower() in OUR_HEADERS:
            yield place, f"headers.{name[:64]!r} cannot be set", "take it out"
        elif not value.isprintable():
            yield place, f"headers.{name} holds a line break or a control character", "take it out"
        elif SECRETIVE.search(name) and not named(value):
            yield place, f"headers.{name} holds a secret", SECRETS_TODO
        yield from of_names(place, value, known)


def of_query(place: tuple[str, ...], url: str) -> Iterator[Complaint]:
    """A secret that stands in the URL itself; it is not shown."""
    for name, value in parse_qsl(urlsplit(url).query):
        if SECRETIVE.search(name) and not named(value):
            yield place, f"{'.'.join(place)} holds a secret in its parameter {name[:64]!r}", SECRETS_TODO


def of_poll(fields: Fields) -> Iterator[Complaint]:
    if fields.at:
        todo = "take it out: what an answer says is as of when it was asked"
        yield ("fields", "at"), "fields.at is of messages alone", todo


def of_paging(names: set[str], cursor: str, more: str) -> Iterator[Complaint]:
    """`names` stand in what is sent."""
    if cursor and "cursor" not in names:
        yield ("cursor",), "cursor is given, and nothing sends it", "put {cursor} into url, as ?after={cursor}"
    if "cursor" in names and not cursor:
        yield (
            ("url",),
            "{cursor} is sent, and no answer names one",
            'add cursor = "paging.next", where a page names the next',
        )
    if {"cursor", "page"} <= names:
        yield ("url",), "{cursor} and {page} are both sent", "keep the one that the platform wants"
    if more and names.isdisjoint(("cursor", "page")):
        yield ("more",), "more is given, and there are no pages", "put {page} or {cursor} into url"


def of_shares(url: str, body: Message | None, rooms_per_call: int, named_rooms: bool) -> Iterator[Complaint]:
    """`named_rooms`: answers say whose they are."""
    names = named(url) | named(body)
    if names.isdisjoint(ROOMS):
        if rooms_per_call > 1:
            todo = "put {rooms} or {room} into url, as ?ids={rooms}"
            yield ("rooms_per_call",), "rooms_per_call is given, and no room is asked about", todo
    elif rooms_per_call > 1 and ("{room}" in url.partition("?")[0] or "room" in named(body)):
        todo = "put {rooms} there, or take out rooms_per_call"
        yield ("rooms_per_call",), "rooms_per_call is given, and {room} stands where one room has place", todo
    if not named_rooms and (names.isdisjoint(ROOMS) or rooms_per_call > 1):
        yield ("fields",), "fields.room is missing", 'add it: room = "id", where a room has its id'


def of_socket(fields: Fields, state_url: str, complete: bool) -> Iterator[Complaint]:
    for name in ("room", "live"):
        if not getattr(fields, name):
            yield ("fields",), f"fields.{name} is missing", f'add it: {name} = "...", where a message has it'
    if complete and not state_url:
        todo = "give state_url, or take it out: messages of a socket tell of changes alone"
        yield ("complete",), "complete is given, and there is no state_url", todo
