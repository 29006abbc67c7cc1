"""`livemon ended`: a person's word that a broadcast is over."""

import argparse
from typing import TYPE_CHECKING

from monitor.alerts.duty_order import EndRoom
from monitor.commands import add_config_option, load_config
from monitor.commands.duty_call import ask, told

if TYPE_CHECKING:
    from monitor.commands import Commands

EXAMPLES = """\
examples:
  livemon ended wechat 123456 --by 张三
  livemon ended wechat 123456 --by 张三 --reason "主播身体不适,提前下播"

For sources that cannot tell a sign-off from a failure: the session is closed as of the stop, with reason `ended`, and
its alert ends. Of a room that is on air nobody is believed: the next message of its feed would open a new session.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "ended",
        help="a person's word that a broadcast is over: its stop was no drop",
        description="Says that the broadcast of a room that stopped is over.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("platform", metavar="PLATFORM")
    parser.add_argument("room", metavar="ROOM", help="its id on the platform")
    parser.add_argument("--by", metavar="NAME", required=True, help="who knows")
    parser.add_argument("--reason", metavar="TEXT", default="", help="from whom, and why")


def run(args: argparse.Namespace) -> int:
    configured = load_config(args)
    return told(ask(configured, EndRoom(args.platform, args.room, args.by, args.reason)), configured.zone)
