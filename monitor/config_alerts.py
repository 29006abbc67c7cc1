"""Whom alerts are told: chat robots, shifts and the addresses around them, as the config names them."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from monitor.config_shape import Complaint, Row
from monitor.config_urls import url_complaint
from monitor.problem import quoted
from monitor.secret import SecretError, read_secret

RobotKind = Literal["dingtalk", "feishu", "wecom", "apprise"]
MatchKey = Literal["hall", "city", "platform", "tier", "severity"]
SIGNING: frozenset[RobotKind] = frozenset(("dingtalk", "feishu"))
SEVERITIES = ("critical", "warning", "info")
URL_KEYS = ("public_url", "prometheus_url", "alertmanager_url", "grafana_url", "deadman_url")
NAME = re.compile(r"[\w-]{1,64}")
RESERVED = "deadman"  # the outside heartbeat is counted under this name
TEXT_CHARS_MAX = 64
DUTY_MAX = 20


class Texts(tuple[str, ...]):
    """One text, or a list of them: any of these."""

    WANTED: ClassVar[str] = 'a text in quotes, or a list of them, as "3" or ["3", "4"]'


class Match(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a robot wants to hear of: all keys that are given must hold; empty is whatever."""

    hall: Texts = Texts()
    city: Texts = Texts()
    platform: Texts = Texts()
    tier: Texts = Texts()
    severity: Texts = Texts()


class Robot(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A `[[robot]]` table."""

    name: str
    kind: RobotKind
    url_file: Path
    secret_file: Path | None = None  # of robots that want a signature
    keyword: str = ""  # of robots that take only what holds this word
    match: Match | None = None  # left out: it takes the rest
    fallback: str = ""  # which robot hears of it when this one does not answer
    language: Literal["zh", "en"] = "zh"


class Shift(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A `[[shift]]` table: from `starts` to before `ends`, in the event's zone; over midnight if `ends` is earlier."""

    name: str
    starts: str
    ends: str
    duty: Annotated[list[str], msgspec.Meta(min_length=1, max_length=DUTY_MAX)]  # ids of contacts


def texts_of(value: object) -> Texts:
    """What the file holds, as texts; ValueError if it is neither a text nor a list of texts."""
    written = value if isinstance(value, list) else [value]
    texts = [text for text in written if isinstance(text, str) and text.strip()]
    if not texts or len(texts) < len(written):
        raise ValueError("not texts")
    return Texts(texts)


def complaints(sound: dict[str, Any], robots: list[Row], shifts: list[Row], folder: Path) -> Iterator[Complaint]:
    """What is wrong with these beside what is wrong of each key alone; paths are relative to `folder`."""
    for key in URL_KEYS:
        if key in sound and (said := url_complaint(sound[key])):
            yield (key,), f"{key} {said[0]}", said[1]
    contacts = sound.get("contacts")
    if contacts is not None and not (folder / Path(contacts).expanduser()).is_file():
        todo = "put the file there, with the columns id,name,mobile,dingtalk_id,wecom_id,feishu_id"
        yield ("contacts",), f"contacts {quoted(contacts)} does not exist", todo
    names = [row["name"] for _, row in robots if "name" in row]
    for number, (at, row) in enumerate(robots):
        yield from _named(at, row, [other.get("name") for _, other in robots[:number]], "robot")
        yield from _robot(at, row, names, folder)
    yield from _shared(robots, folder)
    for number, (at, row) in enumerate(shifts):
        yield from _named(at, row, [other.get("name") for _, other in shifts[:number]], "shift")
        yield from _shift(at, row, contacts)


def _named(at: tuple[str | int, ...], row: dict[str, Any], before: list[str | None], what: str) -> Iterator[Complaint]:
    name = row.get("name")
    if name is None:
        return
    if what == "robot" and name == RESERVED:
        yield (*at, "name"), f"name {quoted(name)} is that of the outside heartbeat", "give the robot another name"
    elif NAME.fullmatch(name) is None:
        todo = "give 1 to 64 letters, digits, - or _ (it becomes a label)"
        yield (*at, "name"), f"name {quoted(name)} cannot name a {what}", todo
    elif name in before:
        yield (*at, "name"), f"a {what} named {quoted(name)} is there already", f"give each {what} a name of its own"


def _robot(at: tuple[str | int, ...], row: dict[str, Any], names: list[str], folder: Path) -> Iterator[Complaint]:
    kind, fallback = row.get("kind"), row.get("fallback")
    for key in ("url_file", "secret_file"):
        if key in row:
            yield from _secret((*at, key), key, row[key], kind, folder)
    if kind is not None and kind not in SIGNING and "secret_file" in row:
        yield (*at, "secret_file"), f"{kind} signs nothing", "remove secret_file: all that opens it is its URL"
    if kind == "apprise" and importlib.util.find_spec("apprise") is None:
        yield (*at, "kind"), "the library apprise is not installed", 'pip install "livemon[apprise]"'
    if fallback is not None and (fallback not in names or fallback == row.get("name")):
        what = f"fallback {quoted(fallback)} is " + ("this robot itself" if fallback in names else "no robot")
        yield (*at, "fallback"), what, "name another [[robot]]"
    keyword = row.get("keyword", "")
    if len(keyword) > TEXT_CHARS_MAX or not keyword.isprintable():
        yield (*at, "keyword"), "keyword is no word", f"give at most {TEXT_CHARS_MAX} plain characters"
    severities = row.get("match", {}).get("severity", [])
    for severity in severities if isinstance(severities, list) else [severities]:
        if severity not in SEVERITIES:
            todo = "give one of: " + ", ".join(SEVERITIES)
            yield (*at, "match", "severity"), f"no alert has the severity {quoted(severity)}", todo


def _shared(robots: list[Row], folder: Path) -> Iterator[Complaint]:
    """Each robot is kept below its limit by itself: two names for one would together go over it, and be blocked."""
    seen: dict[str, str] = {}
    for at, row in robots:
        try:
            url = read_secret(folder / Path(row.get("url_file", "")).expanduser()).reveal()
        except SecretError:
            continue  # it is told where the file is looked at
        if url in seen:
            what = f"its URL is that of the robot {quoted(seen[url])}, and both would use up one limit"
            yield (*at, "url_file"), what, "add another robot to the group, or give one [[robot]] both matches"
        seen.setdefault(url, row.get("name", ""))


def _secret(at: tuple[str | int, ...], key: str, file: str, kind: str | None, folder: Path) -> Iterator[Complaint]:
    try:
        text = read_secret(folder / Path(file).expanduser()).reveal()
    except SecretError as error:
        yield at, f"{key} {quoted(file)} {error.what}", error.todo
        return
    if key == "url_file" and kind != "apprise" and (said := url_complaint(text)):
        todo = "write the robot's webhook URL into it, one line, as its settings show it"
        yield at, f"the URL in {quoted(file)} {said[0]}", todo


def _shift(at: tuple[str | int, ...], row: dict[str, Any], contacts: str | None) -> Iterator[Complaint]:
    for key in ("starts", "ends"):
        if key in row and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", row[key]) is None:
            yield (*at, key), f"{key} {quoted(row[key])} is no time of day", 'give hours and minutes, as "08:00"'
    if "starts" in row and row["starts"] == row.get("ends"):
        yield (*at, "ends"), "the shift ends as it starts", "give two shifts, or other times"
    if contacts is None and row.get("duty"):
        todo = 'give contacts = "contacts.csv" above the first [table]'
        yield (*at, "duty"), "duty names contacts, and there is no file of them", todo
