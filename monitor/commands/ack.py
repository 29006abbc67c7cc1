"""`livemon ack`: a person takes an alert."""

import argparse
from typing import TYPE_CHECKING

from monitor.alerts.duty_order import Acknowledge
from monitor.commands import add_config_option, load_config
from monitor.commands.duty_call import ask, told

if TYPE_CHECKING:
    from monitor.commands import Commands

EXAMPLES = """\
examples:
  livemon ack 4821 --by 张三                          the #4821 of the message
  livemon ack 4821 --by 张三 --reason "电工在路上"

It is a silence of Alertmanager for this alert alone, renewed while it fires and ended with it, so that every screen
shows who holds it. The first who takes it holds it; who comes later is told who that is.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "ack",
        help="take an alert: nobody else is called for it",
        description="Acknowledges the alert of a message by its number.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("number", metavar="N", type=_number, help="the #N of the message")
    parser.add_argument("--by", metavar="NAME", required=True, help="who takes it")
    parser.add_argument("--reason", metavar="TEXT", default="", help="what is being done")


def run(args: argparse.Namespace) -> int:
    configured = load_config(args)
    return told(ask(configured, Acknowledge(args.number, args.by, args.reason)), configured.zone)


def _number(text: str) -> int:
    digits = text.removeprefix("#")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise argparse.ArgumentTypeError("give the number of the message, as 4821")
    return int(digits)
