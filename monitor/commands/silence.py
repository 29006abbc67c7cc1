"""`livemon silence`: nobody hears of these for a while. It asks Alertmanager itself, whether a monitor runs or not."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from monitor.alerts.duty import Unnamed, person, why
from monitor.alerts.planned import Unsuitable, duration, matchers, read_planned, to_make
from monitor.alerts.silence import Silence
from monitor.alerts.silences import Alertmanager, AlertmanagerError
from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.table import print_table
from monitor.problem import ConfigError
from monitor.table_file import read_bytes

if TYPE_CHECKING:
    from monitor.commands import Commands

EXAMPLES = """\
examples:
  livemon silence platform=wechat hall=3 --for 2h --by 张三 --reason "换电缆"
  livemon silence alertname=LivemonRoomDropped room=~"12|13" --for 90m --by 张三 --reason "彩排"
  livemon silence list
  livemon silence end 0b6ad1a4-2d8f-4f0c-9b5c-6a7e3f0a9d21
  livemon silence import silences.csv        planned ones, as CSV or spreadsheet; a second import makes nothing twice

  platform,hall,room,alertname,starts_at,ends_at,by,reason
  wechat,3,,,2026-11-20 02:00,2026-11-20 03:00,张三,换电缆

All conditions must hold; = != =~ !~ as in Alertmanager, whose own screens show the same. Times without an offset are in
the event's timezone. When a silence ends while what it hid still fires, the group is told once.
"""

Act = Callable[[Alertmanager], Awaitable[int]]


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "silence",
        help="nobody hears of these for a while: make, list, end, import",
        description="Makes, lists, ends and imports silences of Alertmanager.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("words", metavar="NAME=VALUE | list | end ID | import F", nargs="+", help="see the examples")
    parser.add_argument("--for", dest="length", metavar="2h", help="for how long, as 2h, 90m or 1d12h")
    parser.add_argument("--by", metavar="NAME", help="who wants it")
    parser.add_argument("--reason", metavar="TEXT", help="why")


def run(args: argparse.Namespace) -> int:
    configured = load_config(args)
    act = _act(args, configured.zone)
    if not configured.alertmanager_url:
        raise CommandError('livemon: add alertmanager_url = "http://127.0.0.1:9093" to the config')
    try:
        return asyncio.run(_with(configured.alertmanager_url, act))
    except AlertmanagerError as error:
        raise CommandError(f"livemon: {error}") from error


async def _with(url: str, act: Act) -> int:
    async with aiohttp.ClientSession() as http:
        return await act(Alertmanager(http, url))


def _act(args: argparse.Namespace, zone: tzinfo) -> Act:
    match args.words:
        case ["list"]:
            return lambda api: _list(api, zone)
        case ["end", silence_id]:
            return lambda api: _end(api, silence_id)
        case ["import", file]:
            return _import(Path(file), zone)
        case ["list" | "end" | "import", *_]:
            raise CommandError("livemon: livemon silence list | end ID | import F")
    return _make(args, zone)


def _make(args: argparse.Namespace, zone: tzinfo) -> Act:
    missing = [
        name for name, given in (("--for", args.length), ("--by", args.by), ("--reason", args.reason)) if not given
    ]
    if missing:
        raise CommandError(f"livemon: a silence also needs {' '.join(missing)}")
    now = datetime.now(UTC)
    try:
        wanted, length, by = matchers(args.words), duration(args.length), person(args.by)
    except (Unsuitable, Unnamed) as error:
        raise CommandError(f"livemon: {error}") from error

    async def make(api: Alertmanager) -> int:
        silence = Silence(matchers=wanted, starts_at=now, ends_at=now + length, created_by=by, comment=why(args.reason))
        made = await api.put(silence)
        print(f"{made}  silent until {_local(now + length, zone)}")
        print(f"{len(await api.alerts(wanted)):,} alerts fire that it hides")
        return 0

    return make


async def _list(api: Alertmanager, zone: tzinfo) -> int:
    silences = [each for each in await api.silences() if each.state != "expired"]
    rows = [_row(each, zone) for each in sorted(silences, key=lambda each: each.ends_at)]
    print_table(["id", "state", "what", "by", "reason", "from", "until"], rows)
    return 0


def _row(silence: Silence, zone: tzinfo) -> list[str]:
    what, span = " ".join(map(str, silence.matchers)), (silence.starts_at, silence.ends_at)
    return [silence.id, silence.state, what, silence.by, silence.reason, *(_local(at, zone) for at in span)]


async def _end(api: Alertmanager, silence_id: str) -> int:
    await api.expire(silence_id)
    print("it has ended")
    return 0


def _import(file: Path, zone: tzinfo) -> Act:
    now = datetime.now(UTC)
    planned = read_planned(read_bytes(file), str(file), zone, now)
    if planned.problems:
        raise ConfigError(planned.problems)

    async def load(api: Alertmanager) -> int:
        new = to_make(planned.silences, await api.silences(), now)
        for each in new:
            await api.put(each)
        print(f"{len(new):,} silences made, {len(planned.silences) - len(new):,} were there already")
        return 0

    return load


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{(at + timedelta(milliseconds=500)).astimezone(zone):%Y-%m-%d %H:%M:%S}"
