"""Planned silences as a file has them, and matchers as a person writes them, with every error at its place."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

import msgspec

from monitor.alerts.duty import SILENCE_MAX, Unnamed, person, why
from monitor.alerts.silence import Matcher, Silence
from monitor.problem import Problem, quoted
from monitor.roster_file import Meaningless
from monitor.schedule_file import instant
from monitor.table_file import Row, read_table, text_of

LABELS = ("platform", "hall", "room", "alertname", "feed", "severity")
HEADINGS = {column: column for column in (*LABELS, "starts_at", "ends_at", "by", "reason")} | {
    "平台": "platform", "场馆": "hall", "展馆": "hall", "直播间": "room", "房间号": "room", "告警": "alertname",
    "数据源": "feed", "级别": "severity", "开始": "starts_at", "开始时间": "starts_at", "结束": "ends_at",
    "结束时间": "ends_at", "设置人": "by", "负责人": "by", "原因": "reason", "说明": "reason",
}  # fmt: skip
ROWS_MAX = 2_000
SIGN = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]{0,127})(=~|!~|!=|=)(.*)", re.DOTALL)
DURATION = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s)?")
WATCHDOG = {"alertname": "LivemonWatchdog", "severity": "info"}


class Planned(msgspec.Struct, frozen=True):
    """What a file plans; with any problem nothing of it is made."""

    silences: tuple[Silence, ...] = ()
    problems: tuple[Problem, ...] = ()


class Unsuitable(ValueError):
    """What is wrong with what a person wrote, and what to do."""


def matchers(words: Iterable[str]) -> tuple[Matcher, ...]:
    """`platform=wechat`, `hall!=3`, `room=~"1|2"`; raises Unsuitable."""
    found = []
    for word in words:
        parts = SIGN.fullmatch(word)
        if parts is None:
            raise Unsuitable(f"{quoted(word)} is no condition; write it as platform=wechat or room=~'12|13'")
        name, sign, value = parts[1], parts[2], parts[3]
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        found.append(Matcher(name, value, "~" in sign, sign.startswith("=")))
    return checked(found)


def checked(found: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """Raises Unsuitable of what would silence everything, or the watchdog, whose silence is an alarm elsewhere."""
    if not found or all(matcher.takes({}) for matcher in found):
        raise Unsuitable("this would silence everything; name at least a platform, a hall, a room or an alertname")
    if all(matcher.takes(WATCHDOG) for matcher in found):
        raise Unsuitable("this would silence LivemonWatchdog, and the heartbeat outside would call; name other alerts")
    return tuple(found)


def duration(text: str) -> timedelta:
    """`2h`, `90m`, `1d12h`; raises Unsuitable."""
    parts = DURATION.fullmatch(text.strip())
    days, hours, minutes, seconds = (int(part or 0) for part in (parts.groups() if parts else (0, 0, 0, 0)))
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(0) < length <= SILENCE_MAX:
        raise Unsuitable(f"{quoted(text)} is no length up to {SILENCE_MAX.days} days; write it as 2h, 90m or 1d12h")
    return length


def read_planned(data: bytes, file: str, zone: tzinfo, now: datetime) -> Planned:
    """Read a file's bytes; times without an offset are those of `zone`. What is over already is left out."""
    table = read_table(data, file, HEADINGS, ("starts_at", "ends_at", "by"), ROWS_MAX)
    problems, silences = list(table.problems), []
    for row in table.rows:
        try:
            silence = _silence(row, zone)
        except (Meaningless, Unsuitable, Unnamed) as error:
            what, todo = (error.what, error.todo) if isinstance(error, Meaningless) else _halves(str(error))
            problems.append(Problem(file, row.line, what, todo))
            continue
        if silence.ends_at > now:
            silences.append(silence)
    return Planned(tuple(silences) if not problems else (), tuple(sorted(problems)))


def to_make(planned: Iterable[Silence], known: Iterable[Silence], now: datetime) -> list[Silence]:
    """Those that Alertmanager does not have yet: a file that is imported twice makes nothing twice.

    Of one that has begun Alertmanager keeps the instant at which it was made.
    """
    there = [each for each in known if each.state != "expired"]
    return [each for each in planned if not any(_same(each, other, now) for other in there)]


def _same(wanted: Silence, known: Silence, now: datetime) -> bool:
    if set(wanted.matchers) != set(known.matchers) or wanted.ends_at != known.ends_at:
        return False
    return known.starts_at == wanted.starts_at or (wanted.starts_at <= now and known.starts_at <= now)


def _silence(row: Row, zone: tzinfo) -> Silence:
    found = tuple(Matcher(name, text) for name in LABELS if (text := text_of(row.cells.get(name, ""))))
    starts_at, ends_at = (_at(row, name, zone) for name in ("starts_at", "ends_at"))
    if not timedelta(0) < ends_at - starts_at <= SILENCE_MAX:
        raise Meaningless(f"ends_at is not within {SILENCE_MAX.days} days after starts_at", "correct the times")
    by, reason = person(text_of(row.cells["by"])), why(text_of(row.cells.get("reason", "")))
    return Silence(
        matchers=checked(found), starts_at=starts_at, ends_at=ends_at, created_by=by, comment=reason or "planned"
    )


def _at(row: Row, name: str, zone: tzinfo) -> datetime:
    try:
        return instant(row.cells[name], zone)
    except Meaningless as error:
        raise Meaningless(f"{name} {error.what}", error.todo) from error


def _halves(text: str) -> tuple[str, str]:
    what, _, todo = text.partition("; ")
    return what, todo or "correct it"
