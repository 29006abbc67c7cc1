"""Files of accounts as people have them: what each row means, every error at its line, never a value in a message."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from collectors.open_api import Tokens
from monitor.account_file import HEADINGS, AccountFile, read_account_file
from monitor.accounts.account import Account
from monitor.accounts.order_file import ACCOUNTS_MAX
from monitor.apps import AppTable
from monitor.table_file import Row

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
LATER = datetime(2026, 12, 1, tzinfo=UTC)
APPS = {
    app.name: app
    for app in (
        AppTable(name="dd", platform="doudian"),
        AppTable(name="k1", platform="kwaixiaodian"),
        AppTable(name="k2", platform="kwaixiaodian", self_use=True),
        AppTable(name="w", platform="wechat", self_use=True),
    )
}
HEAD = "platform,shop,anchor,app,name,contact,key,secret,access_token,refresh_token,access_until,refresh_until\n"
FULL = "doudian,4463798,,dd,盘锦河蟹,王,,,acc-canary-1,ref-canary-1,2026-12-01 08:00,2026-12-08T00:00Z\n"
MEANT = Account(
    "dd", "doudian", "4463798", "", "盘锦河蟹", "王",
    Tokens("acc-canary-1", NOW, LATER, "ref-canary-1", LATER + timedelta(days=7)),
)  # fmt: skip


def read(text: str | bytes) -> AccountFile:
    return read_account_file(text if isinstance(text, bytes) else text.encode(), "a.csv", APPS, ZONE, NOW)


def accounts(text: str | bytes) -> list[Account]:
    file = read(text)
    assert file.problems == ()
    return [row.account for row in file.listed]


def sheet(*rows: list[object]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


CHINESE = HEAD
for chinese, column in {
    "平台": "platform", "店铺": "shop", "主播": "anchor", "应用": "app", "名称": "name", "联系人": "contact",
    "应用标识": "key", "密钥": "secret", "访问令牌": "access_token", "刷新令牌": "refresh_token",
    "访问令牌到期": "access_until", "刷新令牌到期": "refresh_until",
}.items():  # fmt: skip
    assert HEADINGS[chinese] == column
    CHINESE = CHINESE.replace(column, chinese)


@pytest.mark.parametrize(
    "data",
    [
        HEAD + FULL,
        CHINESE + FULL,
        (CHINESE + FULL).encode("gb18030"),
        (HEAD + FULL).encode("utf-8-sig"),
        sheet(*csv.reader(io.StringIO(CHINESE + FULL))),
        HEAD + FULL.replace("2026-12-01 08:00", "1796083200").replace("2026-12-08T00:00Z", "1796688000000"),
        HEAD + FULL.replace(",dd,", ",,"),  # the one app of this platform
    ],
)
def test_the_same_account_in_any_dress(data):
    assert accounts(data) == [MEANT]


def test_of_a_shop_with_its_own_key_the_key_comes_along():
    [account] = accounts("platform,anchor,key,secret,contact\nwechat,主播9,wx1,s-canary,李\n")
    assert account == Account("w", "wechat", "", "主播9", "", "李", None, "wx1", b"s-canary")


def test_a_row_without_tokens_names_whom_to_call():
    assert accounts("platform,shop,contact\ndoudian,1,王\n") == [Account("dd", "doudian", "1", contact="王")]


def test_a_pair_without_its_end_is_refreshed_at_once_where_that_can_be():
    head = "platform,shop,app,access_token,refresh_token,access_until\n"
    [account] = accounts(head + "kwaixiaodian,1,k1,a,r,\n")
    assert account.tokens == Tokens("a", NOW, NOW, "r")
    [account] = accounts(head + "doudian,1,dd,,r,\n")
    assert account.tokens == Tokens("", NOW, NOW, "r")
    [account] = accounts(head + "doudian,1,dd,a,,\n")
    assert account.tokens == Tokens("a", NOW)
    assert "access_until is empty; give it: this platform refreshes only shortly before it" in said(
        head + "doudian,1,dd,a,r,\n"
    )


def said(text: str | bytes) -> str:
    file = read(text)
    lines = "\n".join(str(problem) for problem in file.problems)
    assert "canary" not in lines
    return lines


WRONG = {
    "doudian,,,dd,,,,,,,,": "shop and anchor are empty",
    "抖店,1,,dd,,,,,,,,": "platform is no platform",
    "doudian,4.46E+18,,dd,,,,,,,,": "shop is no id",
    "doudian,1\u200b2,,dd,,,,,,,,": "shop is no id",
    "doudian,1,,ddd,,,,,,,,": "app names no [[app]] of this platform; the config has: dd, k1, k2, w",
    "taobao,1,,,,,,,,,,": "no [[app]] of the config is of this platform",
    "kwaixiaodian,1,,,,,,,,,,": "app is empty, and the config has several of this platform; name one of: k1, k2",
    "doudian,1,,w,,,,,,,,": "app names no [[app]] of this platform",
    "kwaixiaodian,1,,k2,,,canary,,,,,": "key and secret come together",
    "kwaixiaodian,1,,k1,,,canary,canary,,,,": "app k1 has one key for all shops, and the row has its own",
    "doudian,1,,dd,,,,,can ary,,,": "access_token holds what no key or token holds",
    "doudian,1,,dd,,,,,令牌,,,": "access_token holds what no key or token holds",
    f"doudian,1,,dd,,,,,{'canary' * 400},,,": "access_token holds what no key or token holds, or more than 2,048",
    "doudian,1,,dd,,,,,1.23457E+18,,,": "access_token is what a spreadsheet left of it",
    "doudian,1,,dd,,,,,#REF!,,,": "access_token is what a spreadsheet left of it",
    "doudian,1,,dd,,,,,,,2026-12-01 08:00,": "an end is given, and no token",
    "doudian,1,,dd,,,,,a,r,canary-token-in-the-wrong-column,": "access_until is no date with a time",
    "doudian,1,,dd,,,,,a,r,2026-13-01 08:00,": "access_until is no date with a time",
    "doudian,1,,dd,,,,,a,r,2026-11-19 19:00,2026-11-19 20:00": "refresh_until is over",
    "doudian,1,,dd,,,,,a,,2026-11-19 20:00,": "access_until is over",
    "doudian,canary" + "x" * 200 + ",,dd,,,,,,,,": "shop is no id",
    "doudian,1,,dd,,,,,a,r,,,canary-stray": "a value of 12 characters stands in no column",
}


@pytest.mark.parametrize("row", WRONG)
def test_each_error_is_said_at_its_line_and_no_other_row_is_touched(row):
    text = HEAD + FULL + row + "\n" + FULL.replace("4463798", "2")
    file = read(text)
    assert [(row.line, row.account.shop) for row in file.listed] == [(2, "4463798"), (4, "2")]
    assert said(text).startswith(f"a.csv:3: {WRONG[row]}")
    [rejected] = file.rejected
    assert rejected.row == Row(3, {})
    assert rejected.reasons[0].startswith(WRONG[row])


def test_the_same_account_twice_is_said_at_the_second():
    assert said(HEAD + FULL + FULL) == "a.csv:3: this account stands at line 2 already; remove one of the two"
    assert len(accounts(HEAD + FULL + FULL.replace(",4463798,,", ",4463798,主播,"))) == 2


def test_what_a_spreadsheet_did_to_a_token_is_said():
    rows = [["platform", "shop", "access_token"], ["doudian", "1", date(2026, 1, 1)], ["doudian", "2", 1.5e18]]
    assert said(sheet(*rows)).splitlines() == [
        f"a.csv:2: access_token is what a spreadsheet made of it; {AS_TEXT}",
        f"a.csv:3: access_token is what a spreadsheet left of it; {AS_TEXT}",
    ]


AS_TEXT = "format the column as text in the spreadsheet and paste the values again"


def test_a_file_without_headings_shows_none_of_its_tokens():
    assert said("doudian,1,acc-canary-7\nkwaixiaodian,2,acc-canary-8\n").startswith(
        "a.csv:1: unknown column 'doudian'; remove it"
    )
    assert said("acc-canary-7,doudian,1\n").startswith("a.csv:1: unknown column a value of 12 characters;")
    assert said("platform,shop,token\ndoudian,1,acc-canary-8\n").startswith("a.csv:1: unknown column 'token';")
    assert said("shop\n1\n") == "a.csv:1: required column platform is missing; add it to the row of headings"


def test_so_many_rows_and_no_more():
    rows = "".join(f"doudian,{number}\n" for number in range(ACCOUNTS_MAX))
    assert len(accounts("platform,shop\n" + rows)) == ACCOUNTS_MAX
    file = read("platform,shop\n" + rows + "doudian,x\n")
    assert file.broken
    assert "more than 20,000 rows" in str(file.problems[0])


def test_all_that_the_help_names_is_read():
    assert set(HEADINGS.values()) == set(HEAD.strip().split(","))
