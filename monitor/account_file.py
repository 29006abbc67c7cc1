"""What a file of accounts says: who lets which app in, with which tokens; and every error in it as `file:line`.

No value of the file is ever shown, whatever its column: whoever shifted the columns has tokens among the shops.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from re import compile as pattern

import msgspec

from collectors.apis import APIS
from collectors.open_api import Tokens
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.order_file import ACCOUNTS_MAX
from monitor.apps import AppTable
from monitor.problem import Problem
from monitor.roster_file import OF_A_SPREADSHEET, SCIENTIFIC, Meaningless, Rejected, meaning
from monitor.schedule_file import instant
from monitor.table_file import Cell, Row, read_table, text_of

COLUMNS = (
    "platform", "shop", "anchor", "app", "name", "contact", "key", "secret", "access_token", "refresh_token",
    "access_until", "refresh_until",
)  # fmt: skip
SECRETS = ("key", "secret", "access_token", "refresh_token")
ENDS = ("access_until", "refresh_until")
HEADINGS = {column: column for column in COLUMNS} | {
    "平台": "platform", "平台名称": "platform", "店铺": "shop", "店铺id": "shop", "店铺号": "shop",
    "主播": "anchor", "主播id": "anchor", "达人": "anchor", "达人id": "anchor", "应用": "app", "应用名称": "app",
    "名称": "name", "店铺名称": "name", "联系人": "contact", "负责人": "contact",
    "appkey": "key", "app_key": "key", "应用标识": "key", "密钥": "secret", "应用密钥": "secret", "appsecret": "secret",
    "app_secret": "secret", "访问令牌": "access_token", "刷新令牌": "refresh_token",
    "访问令牌到期": "access_until", "令牌到期": "access_until", "刷新令牌到期": "refresh_until",
    "授权到期": "refresh_until",
}  # fmt: skip
SECRET = pattern(r"[!-~]{1,2048}")
HEADING = pattern(r"[a-z_ ]{1,20}|[\u4e00-\u9fff]{1,10}")
SECONDS = pattern(r"\d{10}|\d{13}")  # unix time, as platforms tell it
AS_TEXT = "format the column as text in the spreadsheet and paste the values again"


class Listed(msgspec.Struct, frozen=True):
    """One row that is right."""

    line: int
    account: Account


class AccountFile(msgspec.Struct, frozen=True):
    """What a file says. `broken`: it cannot be relied upon as a whole. Of `rejected` rows the cells are left out."""

    listed: tuple[Listed, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: bool = False


def read_account_file(data: bytes, file: str, apps: Mapping[str, AppTable], zone: tzinfo, now: datetime) -> AccountFile:
    """Read the bytes of a file; times without an offset are those of `zone`, what has no end is told by `now`."""
    table = read_table(data, file, HEADINGS, ("platform",), ACCOUNTS_MAX, hidden)
    if table.broken:
        return AccountFile(problems=table.problems, broken=True)
    problems, listed = [*table.problems], list[Listed]()
    for row in table.rows:
        wrong = list[Meaningless]()
        account = _account(row, apps, zone, now, wrong)
        problems += [Problem(file, row.line, error.what, error.todo) for error in wrong]
        if account is not None and not wrong:
            listed.append(Listed(row.line, account))
    problems += _duplicates(file, listed)
    reasons: defaultdict[int, list[str]] = defaultdict(list)
    for problem in problems:
        reasons[problem.line].append(f"{problem.what}; {problem.todo}")
    return AccountFile(
        tuple(row for row in listed if row.line not in reasons),
        tuple(Rejected(Row(line, {}), tuple(whys)) for line, whys in sorted(reasons.items())),
        tuple(sorted(problems)),
    )


def hidden(text: str) -> str:
    """A heading as it stands; anything that could be a secret by its length alone."""
    return f"'{text}'" if HEADING.fullmatch(text.casefold()) else f"a value of {len(text)} characters"


def _account(
    row: Row, apps: Mapping[str, AppTable], zone: tzinfo, now: datetime, wrong: list[Meaningless]
) -> Account | None:
    texts = {column: _text(column, row.cells.get(column, ""), wrong) for column in COLUMNS if column not in ENDS}
    ends = {column: _end(column, row.cells.get(column, ""), zone, wrong) for column in ENDS}
    if wrong:
        return None
    if not texts["shop"] and not texts["anchor"]:
        wrong.append(Meaningless("shop and anchor are empty", "give the id of one of them, as the platform has it"))
    app = _app(texts["app"], texts["platform"], apps, wrong)
    if app is None or wrong:
        return None
    _check_key(app, texts, wrong)
    return Account(
        app.name, app.platform, texts["shop"], texts["anchor"], texts["name"], texts["contact"],
        _tokens(texts, ends, app.platform, now, wrong), texts["key"], texts["secret"].encode(),
    )  # fmt: skip


def _text(column: str, cell: Cell, wrong: list[Meaningless]) -> str:
    text = text_of(cell)
    if column in SECRETS:
        if text and not (isinstance(cell, str | int | float) and not isinstance(cell, bool)):
            wrong.append(Meaningless(f"{column} is what a spreadsheet made of it", AS_TEXT))
        elif SCIENTIFIC.fullmatch(text) or OF_A_SPREADSHEET.fullmatch(text):
            wrong.append(Meaningless(f"{column} is what a spreadsheet left of it", AS_TEXT))
        elif text and not SECRET.fullmatch(text):
            todo = "copy it anew: letters, digits and signs without a space"
            wrong.append(Meaningless(f"{column} holds what no key or token holds, or more than 2,048 of it", todo))
        return text
    try:
        return str(meaning(MEANT.get(column, column), cell) or "")
    except Meaningless:
        what, todo = WRONG.get(column, WRONG["name"])
        wrong.append(Meaningless(f"{column} {what}", todo))
        return ""


MEANT = {"anchor": "shop", "app": "shop", "name": "anchor", "contact": "notes"}  # what the roster calls such a value
WRONG = {
    "platform": ("is no platform", "write it as feeds do: doudian, wechat, kwaixiaodian ..."),
    "name": ("is what a spreadsheet made of it", AS_TEXT),
} | dict.fromkeys(
    ("shop", "anchor", "app"),
    ("is no id: too long, with invisible or full-width characters, or what a spreadsheet left of it", AS_TEXT),
)


def _end(column: str, cell: Cell, zone: tzinfo, wrong: list[Meaningless]) -> datetime | None:
    text = text_of(cell)
    if not text:
        return None
    if SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    try:
        return instant(cell, zone)
    except Meaningless:
        todo = "write it as 2026-11-19 20:00, or in unix seconds as the platform told it"
        wrong.append(Meaningless(f"{column} is no date with a time", todo))
        return None


def _app(name: str, platform: str, apps: Mapping[str, AppTable], wrong: list[Meaningless]) -> AppTable | None:
    fitting = [app for app in apps.values() if app.platform == platform and name in ("", app.name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        named = ", ".join(app.name for app in fitting)
        wrong.append(Meaningless("app is empty, and the config has several of this platform", f"name one of: {named}"))
    elif name:
        wrong.append(
            Meaningless("app names no [[app]] of this platform", f"the config has: {', '.join(apps) or 'none'}")
        )
    else:
        wrong.append(Meaningless("no [[app]] of the config is of this platform", "add it, or correct the platform"))
    return None


def _check_key(app: AppTable, texts: Mapping[str, str], wrong: list[Meaningless]) -> None:
    if bool(texts["key"]) != bool(texts["secret"]):
        wrong.append(Meaningless("key and secret come together", "give both, or none"))
    elif texts["key"] and not app.self_use:
        todo = "leave both empty, or say self_use = true in its [[app]]"
        wrong.append(Meaningless(f"app {app.name} has one key for all shops, and the row has its own", todo))


def _tokens(
    texts: Mapping[str, str],
    ends: Mapping[str, datetime | None],
    platform: str,
    now: datetime,
    wrong: list[Meaningless],
) -> Tokens | None:
    """A pair without its end is refreshed at once, where the platform lets us at any time."""
    access, refresh = texts["access_token"], texts["refresh_token"]
    access_until, refresh_until = ends["access_until"], ends["refresh_until"]
    if not access and not refresh:
        if access_until or refresh_until:
            wrong.append(Meaningless("an end is given, and no token", "give the token, too, or leave both empty"))
        return None
    if refresh and refresh_until is not None and refresh_until <= now:
        wrong.append(
            Meaningless("refresh_until is over: this pair can do nothing", "link the shop: livemon account link")
        )
    if not refresh and access_until is not None and access_until <= now:
        wrong.append(Meaningless("access_until is over", "link the shop: livemon account link"))
    api = APIS.get(platform)
    if refresh and access and access_until is None and api is not None and api.REFRESH_WINDOW_S is not None:
        todo = "give it: this platform refreshes only shortly before it"
        wrong.append(Meaningless("access_until is empty", todo))
    if refresh and (access_until is None or not access):
        access_until = now
    return Tokens(access, now, access_until, refresh, refresh_until)


def _duplicates(file: str, listed: Iterable[Listed]) -> Iterator[Problem]:
    first: dict[AccountKey, int] = {}
    for row in listed:
        if first.setdefault(row.account.id, row.line) != row.line:
            what = f"this account stands at line {first[row.account.id]} already"
            yield Problem(file, row.line, what, "remove one of the two")
