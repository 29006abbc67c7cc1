"""`livemon account link`: the address by which the owner of a shop lets us in, and its QR code."""

import argparse
import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import segno

from collectors.apis import APIS
from monitor.accounts.link_text import CHARS_MAX, link_key, sign_link
from monitor.apps import AppTable
from monitor.commands import CommandError
from monitor.commands.account_keys import account_keys
from monitor.commands.database import own_config
from monitor.config import Config
from monitor.problem import quoted

DAYS, DAYS_MAX = 7.0, 30.0


def add_link(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("platform", metavar="PLATFORM")
    parser.add_argument("shop", metavar="SHOP", help='its id, as orders name it; "" where only the anchor lets us in')
    parser.add_argument("--app", metavar="NAME", help="the [[app]] (left out: the only one of this platform)")
    parser.add_argument("--anchor", metavar="A", default="", help="the id of the anchor, where each lets us in alone")
    parser.add_argument(
        "--valid-days",
        type=float,
        default=DAYS,
        metavar="N",
        help=f"so long it can be used ({DAYS:g}, at most {DAYS_MAX:g})",
    )
    parser.add_argument("--png", type=Path, metavar="F", help="also write the QR code to this file")


def link(args: argparse.Namespace) -> int:
    configured = own_config(args)
    if configured.hooks_url is None:
        raise CommandError("livemon account: hooks_url is not set: the platform must be able to call us back there")
    if not 0 < args.valid_days <= DAYS_MAX:
        raise CommandError(f"livemon account: --valid-days takes more than 0 and at most {DAYS_MAX:g}")
    if not args.shop and not args.anchor:
        raise CommandError("livemon account: give the id of the shop, or --anchor")
    app = _app(configured, args.platform, args.app)
    until = datetime.now(UTC) + timedelta(days=args.valid_days)
    url = _url(configured, app, args.shop, args.anchor, until)
    print(url)
    print(
        f"for the owner of {args.platform} {args.shop or args.anchor}, good until "
        f"{until.astimezone(configured.zone):%Y-%m-%d %H:%M}: open it, or scan:"
    )
    code = segno.make(url, error="m", micro=False)
    drawn = io.StringIO()
    code.terminal(drawn, border=2, compact=True)
    print(drawn.getvalue().rstrip("\n"))
    if args.png is not None:
        code.save(str(args.png), kind="png", scale=8)
        print(f"written to {args.png}", file=sys.stderr)
    return 0


def _app(configured: Config, platform: str, name: str | None) -> AppTable:
    fitting = [app for app in configured.apps if app.platform == platform and name in (None, app.name)]
    if not fitting:
        named = f"named {quoted(name)} " if name else ""
        raise CommandError(f"livemon account: the config has no [[app]] {named}of platform {quoted(platform)}")
    if platform not in APIS:
        known = ", ".join(sorted(APIS))
        raise CommandError(f"livemon account: shops of {quoted(platform)} are not linked; known are {known}")
    linked = [app for app in fitting if not app.self_use]
    if not linked:
        raise CommandError(
            f"livemon account: each shop of app {quoted(fitting[0].name)} has its own key: livemon account import"
        )
    if len(linked) > 1:
        raise CommandError(f"livemon account: name one by --app: {', '.join(app.name for app in linked)}")
    return linked[0]


def _url(configured: Config, app: AppTable, shop: str, anchor: str, until: datetime) -> str:
    text = sign_link(link_key(account_keys(configured)[0].reveal()), app.name, shop, anchor, until)
    if len(text) > CHARS_MAX:
        raise CommandError("livemon account: these ids are too long for a link")
    return f"{(configured.hooks_url or '').rstrip('/')}/oauth/{quote(app.name)}?link={text}"
