"""Whether values of the right type make sense: zones, currencies, addresses, spans, and feeds beside each other."""

import difflib
import os
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, parse_qs, urlsplit

import msgspec

from collectors.collector import FeedRow
from collectors.probed_row import PROBE_SCHEMES
from monitor import config_apps, config_hooks, config_retention
from monitor.config_shape import Complaint, Row
from monitor.config_urls import EXAMPLE, url_complaint
from monitor.keys import read_keys
from monitor.problem import quoted
from monitor.secret import SecretError, read_secret
from monitor.toml_lines import Path as Place
from monitor.zone import zone_of

NAME = re.compile(r"[\w-]{1,64}")
PLATFORM = re.compile(r"[a-z0-9_]{1,64}")
KEY_FILES = ("spool_key_file", "buyer_key_file", "account_key_file")
DSN_KEYS = ("dsn", "migrate_dsn", "reader_dsn")
HALL_CHARS_MAX = 64
SILENCE_S = (0.5, 86_400)


def complaints(
    sound: dict[str, Any], feeds: list[Row], apps: list[Row], rates: list[Row], kinds: Mapping[str, type], folder: Path
) -> Iterator[Complaint]:
    """What is wrong with the tables that have the right shape; paths in them are relative to `folder`."""
    for key in ("listen", "hooks_listen"):
        if key in sound:
            yield from _listen(key, sound[key])
    for key, check in {"timezone": _timezone, "event_currency": _currency}.items():
        if key in sound:
            yield from check(sound[key])
    yield from _event(sound.get("event", {}))
    yield from config_retention.complaints(sound.get("retention", {}))
    for key in DSN_KEYS:
        yield from _dsn(key, sound)
    yield from _folders(sound, folder)
    yield from _secrets((), sound, folder)
    yield from _feeds(feeds, kinds, folder)
    yield from config_hooks.complaints(sound, feeds, apps, rates, kinds)
    yield from config_apps.complaints(feeds, apps, kinds, lambda written: absolute(folder, written))
    for at, app in apps:
        yield from _secrets(at, app, folder)


def absolute(folder: Path, written: str) -> Path:
    """A path of the file as a place on this machine; a link in it stays a link."""
    return Path(os.path.abspath(folder / os.path.expanduser(written)))


def host_and_port(address: str) -> tuple[str, int]:
    """`host:port` or `[host]:port` in parts; ValueError if it is neither."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})", address)
    if found is None or not 1 <= int(found[2]) <= 65_535:
        raise ValueError("not host:port")
    return found[1].strip("[]"), int(found[2])


def _listen(key: str, address: str) -> Iterator[Complaint]:
    try:
        host_and_port(address)
    except ValueError:
        todo = 'give host:port, as "127.0.0.1:8790" or "[::1]:8790", with a port from 1 to 65535'
        yield (key,), f"{key} {quoted(address)} is no address", todo


def _timezone(name: str) -> Iterator[Complaint]:
    try:
        zone_of(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if name[:1] in ("+", "-"):
            todo = "give an offset from '-12:00' to '+14:00', as '+03:25', or a name as 'Asia/Shanghai'"
            yield ("timezone",), f"no zone has the offset {quoted(name)}", todo
            return
        near = difflib.get_close_matches(name, sorted(zoneinfo.available_timezones()), 1)
        todo = f"did you mean {quoted(near[0])}?" if near else "give a name as 'Asia/Shanghai'"
        yield ("timezone",), f"unknown timezone {quoted(name)}", todo


def _currency(code: str) -> Iterator[Complaint]:
    if re.fullmatch(r"[A-Z]{3}", code) is None:
        todo = "give its three capital letters, as CNY"
        yield ("event_currency",), f"event_currency {quoted(code)} is no currency code", todo


def _event(event: dict[str, Any]) -> Iterator[Complaint]:
    if "name" in event and not event["name"].strip():
        yield ("event", "name"), "event.name is empty", "give the event a name"
    times = {key: msgspec.convert(event[key], datetime) for key in ("starts_at", "ends_at") if key in event}
    for key, at in times.items():
        if not 2000 <= at.year < 2100:
            yield ("event", key), f"event.{key} is in the year {at.year}", "give a time of this century"
    if len(times) == 2 and times["ends_at"] <= times["starts_at"]:
        yield ("event", "ends_at"), "event.ends_at is not after event.starts_at", "give the end of the event"


def _dsn(key: str, sound: dict[str, Any]) -> Iterator[Complaint]:
    """Never shows the value: somebody may have put a password into it in a way we do not see."""
    if key != "dsn" and key in sound and "dsn" not in sound:
        yield (key,), f"{key} without dsn", "give dsn too, or remove it: the embedded PostgreSQL has logins of its own"
    file_key = f"{key}_password_file"
    if file_key in sound and key not in sound:
        yield (file_key,), f"{file_key} without {key}", f"give {key} too, or remove it"
    if key not in sound:
        return
    parts = _split(sound[key])
    if parts is None or parts.scheme not in ("postgresql", "postgres"):
        yield (key,), f"{key} is no PostgreSQL address", 'write it as "postgresql://user@host:5432/database"'
    elif parts.password is not None or "password" in parse_qs(parts.query, keep_blank_values=True):
        yield (key,), f"{key} holds a password", f"take it out, put it into a file and name that in {file_key}"


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises if it is no number
    except ValueError:
        return None
    return parts


def _folders(sound: dict[str, Any], folder: Path) -> Iterator[Complaint]:
    if "roster" in sound and not absolute(folder, sound["roster"]).is_file():
        what = f"roster {quoted(sound['roster'])} does not exist"
        yield ("roster",), what, "put the file there, or remove the key if the database already holds the roster"
    if "data_dir" in sound and absolute(folder, sound["data_dir"]).is_file():
        yield ("data_dir",), f"data_dir {quoted(sound['data_dir'])} is a file", "name a folder; it is made if missing"


def _secrets(at: Place, table: dict[str, Any], folder: Path) -> Iterator[Complaint]:
    """A key may name several files."""
    for key, value in table.items():
        files = value if isinstance(value, list) else [value]
        for file in files if key.endswith("_file") else ():
            yield from _secret((*at, key), key, file, folder)
    for name, file in table.get("secrets", {}).items():
        yield from _secret((*at, "secrets", name), f"secrets.{name}", file, folder)


def _secret(at: Place, key: str, file: str, folder: Path) -> Iterator[Complaint]:
    try:
        (read_keys if key in KEY_FILES else read_secret)(absolute(folder, file))
    except SecretError as error:
        yield at, f"{key} {quoted(file)} {error.what}", error.todo


def _feeds(rows: list[Row], kinds: Mapping[str, type], folder: Path) -> Iterator[Complaint]:
    names: set[str] = set()
    for at, row in rows:
        name = row.get("name", "")
        if "name" in row and NAME.fullmatch(name) is None:
            todo = "give 1 to 64 letters, digits, - or _ (it becomes a label)"
            yield (*at, "name"), f"name {quoted(name)} cannot name a feed", todo
        elif "name" in row and name in names:
            yield (*at, "name"), f"a feed named {quoted(name)} is there already", "give each feed a name of its own"
        names.add(name)
        yield from _feed(row, kinds[row["kind"]], at)
        yield from _secrets(at, row, folder)


def _feed(row: dict[str, Any], kind: type, at: Place) -> Iterator[Complaint]:
    for key, value in row.items():
        schemes: tuple[str, ...] = PROBE_SCHEMES if key == "probe_url" else ("http", "https")
        if key == "url":
            schemes = cast(type[FeedRow], kind).URL_SCHEMES
        example = "rtmp://10.0.0.7/{room}" if key == "probe_url" else EXAMPLE
        if (
            (key == "url" or key.endswith("_url"))
            and isinstance(value, str)
            and (said := url_complaint(value, schemes, example))
        ):
            yield (*at, key), f"{key} {said[0]}", said[1]
    if row.get("platform") and PLATFORM.fullmatch(row["platform"]) is None:
        todo = "give small letters, digits and _ only"
        yield (*at, "platform"), f"platform {quoted(row['platform'])} cannot be a label", todo
    hall = row.get("hall", "")
    if len(hall) > HALL_CHARS_MAX or not hall.isprintable():
        yield (*at, "hall"), f"hall {quoted(hall)} cannot be a label", f"give at most {HALL_CHARS_MAX} plain characters"
    yield from _pace(row, at)
    yield from _rooms(row.get("rooms"), at)


def _pace(row: dict[str, Any], at: Place) -> Iterator[Complaint]:
    interval, silence = row.get("interval_s"), row.get("silence_s_max")
    if silence is None:
        return
    low, high = SILENCE_S
    if not low <= silence <= high:
        yield (*at, "silence_s_max"), f"silence_s_max is {silence}", f"give a number from {low:_} to {high:_}"
    elif interval is not None and silence < interval:
        what = "silence_s_max is shorter than interval_s: the feed would be blind between any two polls"
        yield (*at, "silence_s_max"), what, "give at least twice the interval, or leave it out"


def _rooms(rooms: list[str] | None, at: Place) -> Iterator[Complaint]:
    if rooms is None:
        return
    if not rooms:
        yield (*at, "rooms"), "rooms is empty: this feed would watch nothing", "leave it out to watch all of the roster"
    seen: set[str] = set()
    for number, room in enumerate(rooms):
        if not room.strip() or not room.isprintable():
            yield (*at, "rooms", number), f"room {quoted(room)} is no room id", "give the id as the roster has it"
        elif room in seen:
            yield (*at, "rooms", number), f"room {quoted(room)} is there twice", "keep one"
        seen.add(room)
