"""`livemon account`: authorisations of shops and anchors: import, link, list, revoke."""

import argparse
import os
import stat
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.account_file import COLUMNS, AccountFile, read_account_file
from monitor.accounts.order_file import FOLDER, BadOrder, Done, Import, Order, Revoke, give, read_done
from monitor.commands import CommandError, add_config_option
from monitor.commands.account_keys import account_keys
from monitor.commands.account_link import DAYS_MAX, add_link, link
from monitor.commands.account_list import STATES, list_accounts
from monitor.commands.database import own_config, person
from monitor.config import Config
from monitor.import_text import rejected_csv
from monitor.problem import ConfigError
from monitor.store.cipher import Cipher
from monitor.store.repair import in_use
from monitor.table_file import read_bytes

if TYPE_CHECKING:
    from monitor.commands import Commands

PATIENCE_S = 15.0  # a running monitor takes an order within 2 s
LEFT_SHOWN_MAX = 20

EXAMPLES = f"""\
examples:
  livemon account link doudian 4463798                a link and its QR code for the owner of the shop
  livemon account list --missing --refused            whom to call, and why
  livemon account import accounts.csv --dry-run       what is wrong in the file; nothing is loaded
  livemon account import accounts.xlsx                authorisations that were had before, a row a shop
  livemon account revoke doudian 4463798 --by zhang   forget its tokens here

columns of the file (only platform and one of shop and anchor are required; Chinese headings such as 平台, 店铺, 应用,
访问令牌 will do):
  {",".join(COLUMNS)}

CSV may be UTF-8, GB18030 or UTF-16; of a spreadsheet the first sheet is read. Times without an offset are in the
event's timezone; unix seconds will do. An empty cell leaves what is known. Tokens go to the running monitor in an
encrypted file (data_dir/accounts/) and are shown nowhere; delete your own file after the import.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "account",
        help="authorisations of shops and anchors: import, link, list, revoke",
        description="What shops and anchors let our apps do on their platforms, each with its own tokens.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    load = _add_action(actions, "import", _import, "load authorisations that were had before")
    load.add_argument("file", metavar="F.csv|F.xlsx", type=Path, help="the accounts, one a row; chmod 600")
    load.add_argument("--dry-run", action="store_true", help="say what is wrong in the file; nothing is loaded")
    load.add_argument("--by", metavar="NAME", help="who does this (left out: $USER)")
    load.add_argument(
        "--accept-good",
        action="store_true",
        help="load the rows without errors, and write lines and reasons of the others, without their values, to "
        "F.rejected.csv (left out: any error, and nothing is loaded)",
    )
    what = f"a link, good for up to {DAYS_MAX:g} days, by which a shop lets us in"
    add_link(_add_action(actions, "link", link, what))
    told = _add_action(actions, "list", list_accounts, "how accounts stand, and whom to call")
    for state, does in STATES.items():
        told.add_argument(f"--{state}", action="store_true", help=does)
    told.add_argument("--platform", metavar="P", help="this platform alone")
    revoke = _add_action(actions, "revoke", _revoke, "forget the tokens of a shop here; it must be linked again")
    revoke.add_argument("platform", metavar="PLATFORM")
    revoke.add_argument("shop", metavar="SHOP", help="its id; that of the anchor where there is no shop")
    revoke.add_argument("--app", metavar="NAME", default="", help="with this app alone (left out: with all)")
    revoke.add_argument("--by", metavar="NAME", required=True, help="who does this: it is kept as the reason")


def _add_action(
    actions: "Commands", name: str, act: Callable[[argparse.Namespace], int], does: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
    add_config_option(parser)
    parser.set_defaults(act=act)
    return parser


def run(args: argparse.Namespace) -> int:
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _import(args: argparse.Namespace) -> int:
    configured, now = own_config(args), datetime.now(UTC)
    _warn_of_readers(args.file)
    apps = {app.name: app for app in configured.apps}
    file = read_account_file(read_bytes(args.file), str(args.file), apps, configured.zone, now)
    _refuse_errors(args, file)
    accounts = [row.account for row in file.listed]
    granted = sum(account.tokens is not None or bool(account.key) for account in accounts)
    print(f"{len(accounts):,} accounts, {granted:,} of them with tokens or a key")
    if args.dry_run:
        print("nothing was loaded (--dry-run)")
        return 0
    if file.rejected:
        rejected = args.file.with_suffix(".rejected.csv")
        rejected.write_bytes(rejected_csv((), file.rejected))
        print(
            f"{len(file.rejected):,} rows have errors; their lines and the reasons are in {rejected}", file=sys.stderr
        )
    return _order(configured, Order(Import(accounts), person(args.by), now), "loaded")


def _refuse_errors(args: argparse.Namespace, file: AccountFile) -> None:
    """Raise the file's errors, or, if the good rows are wanted all the same, print them."""
    if file.problems and (not args.accept_good or file.broken or not file.listed):
        raise ConfigError(file.problems)
    for problem in file.problems:
        print(problem, file=sys.stderr)


def _warn_of_readers(path: Path) -> None:
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return  # it is said where the file is read
    if mode & 0o077:
        print(
            f"warning: {path} holds tokens and can be read by others (mode {mode:04o}); chmod 600 it", file=sys.stderr
        )


def _revoke(args: argparse.Namespace) -> int:
    order = Order(Revoke(args.platform, args.shop, args.app), args.by, datetime.now(UTC))
    code = _order(own_config(args), order, "revoked: tokens are forgotten here")
    print("on the platform itself it stands until the shop ends it there, or you do in the console of your app")
    return code


def _order(configured: Config, order: Order, did: str) -> int:
    """Give the order to the monitor, wait a while, and say what became of it."""
    cipher = Cipher([key.reveal() for key in account_keys(configured)])
    folder = configured.data_dir / FOLDER
    name = give(folder, cipher, order)
    until = time.monotonic() + (PATIENCE_S if in_use(configured.data_dir / "spool") else 0.0)
    while (done := _answer(folder, name)) is None:
        if time.monotonic() >= until:
            waits = (
                "no monitor runs on this data_dir"
                if not in_use(configured.data_dir / "spool")
                else "it has not answered"
            )
            print(f"{waits}: the order waits, encrypted, and the next start carries it out ({folder / name}.order)")
            return 0
        time.sleep(0.1)
    print(f"{done.taken:,} accounts {did}")
    for why in done.left[:LEFT_SHOWN_MAX]:
        print(f"left as it is: {why}", file=sys.stderr)
    if len(done.left) > LEFT_SHOWN_MAX:
        print(f"... and {len(done.left) - LEFT_SHOWN_MAX:,} more", file=sys.stderr)
    return 1 if done.left and not done.taken else 0


def _answer(folder: Path, name: str) -> Done | None:
    try:
        return read_done(folder, name)
    except BadOrder as error:
        raise CommandError(f"livemon account: {error}; livemon account list tells how it stands") from error
