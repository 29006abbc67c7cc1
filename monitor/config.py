"""The config file, read as a whole before anything starts: right in every line, or refused with all that is wrong."""

import ipaddress
import os
import re
import tomllib
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any

import msgspec

from collectors import Feed
from monitor import config_alerts, config_open_api, config_sense, problem
from monitor.apps import AppTable, SecretFiles
from monitor.config_alerts import Robot, Shift, Texts, texts_of
from monitor.config_retention import Retention
from monitor.config_shape import Complaint, Shape, kinds_of
from monitor.problem import ConfigError, Problem
from monitor.purpose import Purpose, marked
from monitor.rates import Rate
from monitor.secret import Secret, read_secret
from monitor.toml_lines import Lines
from monitor.zone import zone_of

__all__ = ["Config", "ConfigError", "Event", "Problem", "find", "load"]

VARIABLE = "LIVEMON_CONFIG"
DEFAULT_NAME = "livemon.toml"
BYTES_MAX = 16 * 1024 * 1024

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]


class Event(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What is watched: totals count what was paid from `starts_at` to before `ends_at`, aware UTC."""

    name: str
    starts_at: AwareTime
    ends_at: AwareTime


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The whole of a config file. Paths are absolute; times are aware UTC; secrets stay in their files."""

    purpose: Purpose = "event"
    data_dir: Path
    dsn: str | None = None  # left out: the embedded PostgreSQL under data_dir
    dsn_password_file: Path | None = None
    migrate_dsn: str | None = None
    migrate_dsn_password_file: Path | None = None
    reader_dsn: str | None = None
    reader_dsn_password_file: Path | None = None
    spool_bytes_max: Annotated[int, msgspec.Meta(ge=1_048_576, le=2**50)] = 8 * 1024**3
    listen: str = "127.0.0.1:8790"
    hooks_listen: str | None = None  # left out: nobody can call us
    hooks_url: str | None = None
    trusted_proxies: list[str] = []
    spool_key_file: Path | None = None  # left out: made under data_dir, as is the next
    buyer_key_file: Path | None = None
    account_key_file: Path | None = None
    timezone: str = "Asia/Shanghai"
    event_currency: str = "CNY"
    roster: Path | None = None
    grace_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 120.0
    end_slack_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 900.0
    public_url: str | None = None  # what links in messages begin with
    contacts: Path | None = None
    prometheus_url: str | None = None
    alertmanager_url: str | None = None
    grafana_url: str | None = None
    deadman_url: str | None = None
    event: Event | None = None
    retention: Retention = Retention()
    feeds: list[Feed] = msgspec.field(name="feed", default_factory=list)
    apps: list[AppTable] = msgspec.field(name="app", default_factory=list)
    rates: list[Rate] = msgspec.field(name="rate", default_factory=list)
    robots: list[Robot] = msgspec.field(name="robot", default_factory=list)
    shifts: list[Shift] = msgspec.field(name="shift", default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        return config_sense.host_and_port(self.listen)

    @property
    def hooks_address(self) -> tuple[str, int] | None:
        """Host and port of `hooks_listen`."""
        return None if self.hooks_listen is None else config_sense.host_and_port(self.hooks_listen)

    @property
    def proxies(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The networks of `trusted_proxies`."""
        return [ipaddress.ip_network(written) for written in self.trusted_proxies]

    @property
    def zone(self) -> tzinfo:
        """Where a day of the event begins."""
        return zone_of(self.timezone)

    @property
    def shown_name(self) -> str:
        """The event's name as people see it, marked in a rehearsal."""
        return marked(self.event.name if self.event else "", self.purpose)

    def password(self, of: str = "dsn") -> Secret | None:
        """The password for `dsn`, `migrate_dsn` or `reader_dsn`, read now: a rotated file is followed."""
        file: Path | None = getattr(self, f"{of}_password_file")
        return None if file is None else read_secret(file)


def find(given: str | Path | None = None) -> Path:
    """The config file to use: the one given, else the one in the environment, else the one in this folder."""
    return Path(given or os.environ.get(VARIABLE) or DEFAULT_NAME)


def load(path: Path) -> Config:
    """The config in this file, with every file it names looked at; ConfigError holds all that is wrong."""
    text = _text(path)
    raw = _parse(path, text)
    folder = Path(os.path.abspath(path)).parent
    raw.setdefault("data_dir", "var")

    def path_of(value: object) -> Path:
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise ValueError("not a path")
        return config_sense.absolute(folder, value)

    def resolve(kind: type, value: object) -> object:
        if kind is SecretFiles:
            return SecretFiles(map(path_of, value if isinstance(value, list) and len(value) == 2 else [value]))
        if kind is Texts:
            return texts_of(value)
        if kind is not Path:
            raise ValueError("not a path")
        return path_of(value)

    shape = Shape(resolve, Config)
    sound = shape.table(raw, Config)
    feeds = shape.rows(sound.pop("feed", []), Feed, ("feed",))
    written = sound.pop("app", [])
    apps = shape.tables(written, AppTable, ("app",))
    rates = shape.tables(sound.pop("rate", []), Rate, ("rate",))
    robots = shape.tables(sound.pop("robot", []), Robot, ("robot",))
    shifts = shape.tables(sound.pop("shift", []), Shift, ("shift",))
    told = config_sense.complaints(sound, feeds, apps, rates, kinds_of(Feed), folder)
    complaints = [*shape.complaints, *told, *config_open_api.complaints(apps, written, feeds, kinds_of(Feed))]
    complaints += config_alerts.complaints(sound, robots, shifts, folder)
    if complaints:
        raise ConfigError(_placed(path, text, complaints))
    return msgspec.convert(_in_utc(raw), Config, dec_hook=resolve)


def _in_utc(raw: dict[str, Any]) -> dict[str, Any]:
    def utc(value: object) -> datetime:
        return msgspec.convert(value, datetime).astimezone(UTC)

    currency = {"currency": raw.get("event_currency", "CNY")}  # of a rate that does not say its own
    raw = raw | {"rate": [currency | rate | {"from": utc(rate["from"])} for rate in raw.get("rate", [])]}
    if "event" in raw:
        raw["event"] = raw["event"] | {key: utc(raw["event"][key]) for key in ("starts_at", "ends_at")}
    return raw


def _placed(path: Path, text: str, complaints: list[Complaint]) -> list[Problem]:
    lines = Lines(text)
    return [Problem(str(path), lines.of(at), what, todo) for at, what, todo in complaints]


def _text(path: Path) -> str:
    if not path.is_file():
        todo = f"name the file by --config or {VARIABLE}, or begin with a copy of livemon.example.toml"
        raise problem.of_file(path, "there is no such file", todo)
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise problem.of_file(path, f"cannot be read: {error.strerror}", "let livemon read it") from error
    if len(raw) > BYTES_MAX:
        raise problem.of_file(path, f"is larger than {BYTES_MAX:_} bytes", "this is not a config file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, "is not UTF-8 text", "save the file as UTF-8")]) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise problem.of_file(path, "nests too deep", "write it flat") from error
    except ValueError as error:
        lines = text.splitlines() or [""]
        what, _, place = str(error).partition(" (at ")
        found = re.match(r"line (\d+)", place)
        line = min(int(found[1]) if found else len(lines), len(lines))
        what = what[:1].lower() + what[1:]
        raise ConfigError([Problem(str(path), line, f"not TOML: {what}", _hint(what, lines[line - 1]))]) from error


def _hint(what: str, line: str) -> str:
    """What most often stands behind a message of the TOML reader."""
    if any(char in line.partition("#")[0] for char in "＝“”‘’，［］"):
        return 'use the ASCII signs = " , [ ] instead of the Chinese ones'
    hints = {
        "cannot overwrite": "it is there twice: keep one",
        "cannot declare": "it is there twice: keep one, or write [[...]] for several",
        "invalid value": 'texts stand in "quotes", times look like 2026-11-19T00:00:00+08:00',
        "unescaped": "write / instead of \\ in paths",
        "expected '='": "each line is key = value",
        "unterminated": "close the quotes",
        "illegal character": "close the quotes, and remove what cannot be seen",
    }
    return next((todo for start, todo in hints.items() if what.startswith(start)), "correct this line")
