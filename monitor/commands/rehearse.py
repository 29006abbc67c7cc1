"""`livemon rehearse`: a simulated event week, served by fake platforms, watched by the real monitor."""

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import CommandError
from monitor.config import find
from monitor.open_files import raise_limit
from monitor.rehearsal.drill.plan import Head
from monitor.rehearsal.drill.plan_file import load, ready_plans
from monitor.rehearsal.rehearse import Asked, rehearse
from monitor.rehearsal.show import EXPECTED
from monitor.rehearsal.stage import EVERYWHERE, LOOPBACK

if TYPE_CHECKING:
    from monitor.commands import Commands

ROOMS, ROOMS_MAX = 12_000, 20_000
SPEED_MAX = 120.0
FOLDER = Path("var-rehearsal")
FOUND = Path()  # the config that other commands would take

DESCRIPTION = """\
Plays an event week on this machine: broadcasters of all tiers sell on played platforms, which speak the true wire
formats over loopback; the real monitor watches them with ordinary settings. Streams drop, encoders freeze, feeds fail,
a late batch comes after midnight. The rehearsal has a folder, a data_dir and a database of its own, which is born a
rehearsal's: neither can touch an event's. Boards, landing page and status begin with 【演练】."""

EXAMPLES = """\
examples:
  livemon rehearse                                      12,000 rooms at real speed until Ctrl-C
  livemon rehearse --rooms 2000 --speed 10              what `make demo` does
  livemon rehearse --for 1200 --verify                  20 minutes, then truth against PostgreSQL: exit 1 if they differ
  livemon rehearse --faults platform-outage             a drill for operators; docs/drills.md has it minute by minute
  livemon rehearse --faults quiet-day                   a day of 12,000 sign-offs in an hour, and not one drop
  livemon rehearse --faults my-plan.toml                a plan of your own
  livemon rehearse --robots livemon.toml                its chat groups hear of it, marked 【演练】; else nobody does
  livemon rehearse --platform-only                      the platforms alone, for a monitor of your own

The play is compressed by --speed; stamps, grace_s and poll intervals are real time at every speed.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "rehearse",
        help="a simulated event week, watched by the real monitor",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    plans = ", ".join(ready_plans())
    parser.add_argument("--rooms", type=int, metavar="N", help=f"how many rooms play ({ROOMS:,})")
    parser.add_argument("--speed", type=float, metavar="X", help="how much faster than life the play goes (1)")
    parser.add_argument("--seed", type=int, metavar="S", help="another seed is another event (1)")
    parser.add_argument("--for", type=float, metavar="SECONDS", dest="for_s", help="end after so long, exit code 0")
    parser.add_argument("--faults", metavar="PLAN", help=f"a drill: a TOML file, or one of {plans}")
    parser.add_argument("--platform-only", action="store_true", help="serve the platforms, start no monitor")
    parser.add_argument("--verify", action="store_true", help="at the end compare PostgreSQL with what was played")
    parser.add_argument(
        "--robots",
        type=Path,
        nargs="?",
        const=FOUND,
        metavar="CONFIG",
        help="let the robots of CONFIG (livemon.toml) speak; each message begins with 【演练】",
    )
    parser.add_argument(
        "--data-dir", type=Path, default=FOLDER, metavar="D", help=f"its folder, emptied at each start ({FOLDER})"
    )
    parser.add_argument(
        "--listen",
        choices=[LOOPBACK, EVERYWHERE],
        default=LOOPBACK,
        help=f"where its monitor's pages are ({LOOPBACK}); they have no password: {EVERYWHERE} is for a container",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    plan = load(args.faults) if args.faults else None
    head = Head(title="") if plan is None else plan.head
    rooms: int = chosen(args.rooms, head.rooms, ROOMS)
    speed: float = chosen(args.speed, head.speed, 1.0)
    seed: int = chosen(args.seed, head.seed, 1)
    for_s: float | None = chosen(args.for_s, head.for_s, None)
    if not 1 <= rooms <= ROOMS_MAX:
        raise CommandError(f"livemon: --rooms is from 1 to {ROOMS_MAX:,}")
    if not 0.1 <= speed <= SPEED_MAX:
        raise CommandError(f"livemon: --speed is from 0.1 to {SPEED_MAX:g}")
    if for_s is not None and for_s <= 0:
        raise CommandError("livemon: --for is more than 0 seconds")
    if args.platform_only and args.verify:
        raise CommandError("livemon: --verify compares what a monitor wrote, and --platform-only starts none")
    asked = Asked(
        rooms=rooms, speed=speed, seed=seed, for_s=for_s, plan=plan, folder=args.data_dir, verify=args.verify,
        platform_only=args.platform_only, robots=find() if args.robots == FOUND else args.robots, host=args.listen,
    )  # fmt: skip
    raise_limit()  # what is played takes as many sockets as the monitor that watches it
    try:
        return asyncio.run(rehearse(asked))
    except* EXPECTED as group:
        raise CommandError("\n".join(f"livemon: {error}" for error in leaves(group))) from group


def chosen[T](said: T | None, planned: T | None, usual: T) -> T:
    """What the command line says, else what the plan says, else the usual."""
    return next((value for value in (said, planned) if value is not None), usual)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors that a group of groups was made of."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error
