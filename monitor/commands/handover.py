"""`livemon handover`: what the next shift must know, to the group and on this screen."""

import argparse
from typing import TYPE_CHECKING

from monitor.alerts.duty_order import HandOver
from monitor.commands import add_config_option, load_config
from monitor.commands.duty_call import ask

if TYPE_CHECKING:
    from monitor.commands import Commands

EXAMPLES = """\
examples:
  livemon handover             to the group, and here
  livemon handover --print     here alone

At each change of shift (`[[shift]]`) it goes to the group by itself.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "handover",
        help="the shift's digest: open drops and who holds them, silences, blind feeds, what waits",
        description="Tells how everything stands, in sentences that can be read aloud.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument("--print", action="store_true", help="print it, and send it to nobody")
    parser.add_argument("--language", choices=("zh", "en"), default="zh", help="of what is printed (zh)")


def run(args: argparse.Namespace) -> int:
    answer = ask(load_config(args), HandOver(not args.print, args.language))
    for line in answer.lines:
        print(line)
    return 0
