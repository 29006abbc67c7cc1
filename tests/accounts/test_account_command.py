"""`livemon account` as a person runs it: what is printed, what never is, the exit code, what the monitor does."""

import io
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.open_api import Tokens
from monitor import config
from monitor.accounts.account import Account
from monitor.accounts.link_text import link_key, read_link
from monitor.accounts.order_file import read_order
from monitor.accounts.vault import Sealing
from monitor.cli import main
from monitor.commands import CommandError
from monitor.commands.account_keys import account_keys
from monitor.keys import read_keys
from monitor.store.cipher import Cipher
from monitor.store.put import Tally, put_facts
from monitor.store.spool import Spool
from tests.postgres import FreshDatabase, elsewhere
from tests.test_roster_commands import settle

pytestmark = pytest.mark.real

CONFIG = """
hooks_listen = "127.0.0.1:8791"
hooks_url = "https://hooks.example.cn/"

[[app]]
name = "dd"
platform = "doudian"
key = "7"
secret_file = "password"

[[app]]
name = "dd own"
platform = "doudian"
self_use = true
"""
FILE = "platform,shop,app,contact,access_token,refresh_token,access_until\n"
FILE += "doudian,1,dd,王,acc-canary-1,ref-canary-1,2099-01-01 00:00\ndoudian,2,dd,李,,,\n"
BAD = FILE + "doudian,3,nobody,,acc-canary-3,,\n"


@pytest.fixture
def place(database: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FreshDatabase:
    settle(database, tmp_path)
    with (tmp_path / "livemon.toml").open("a") as file:
        file.write(CONFIG.replace("dd own", "dd-own"))
    for name, text in {"good.csv": FILE, "bad.csv": BAD}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USER", "zhang")
    return database


@pytest.fixture
def monitor(place: FreshDatabase):
    """A running monitor, as far as orders about accounts go."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.accounts.ordering", str(Path("livemon.toml").absolute())],
        stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdout.readline() == b"ready\n"
    yield process
    stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    process.stdout.close()


def kept() -> dict[str, Account]:
    """The accounts in the spool of a monitor that was stopped."""
    spool = Spool(Path("var/spool"))
    sealing = Sealing(read_keys(Path("var/accounts.key")))
    accounts = [sealing.open(row)[0] for row in spool.accounts.load()]
    spool.close()
    return {account.shop: account for account in accounts}


def told(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What was printed, which never holds a token."""
    out, err = capsys.readouterr()
    assert "canary" not in out + err
    return out, err


def test_an_import_reaches_the_running_monitor(monitor, capsys):
    assert main(["account", "import", "good.csv"]) == 0
    assert told(capsys) == ("2 accounts, 1 of them with tokens or a key\n2 accounts loaded\n", "")
    assert main(["account", "revoke", "doudian", "1", "--by", "li"]) == 0
    assert "1 accounts revoked: tokens are forgotten here\non the platform itself it stands" in told(capsys)[0]
    assert main(["account", "revoke", "doudian", "9", "--by", "li"]) == 1
    assert "left as it is: doudian 9: there is no such account" in told(capsys)[1]
    assert list(Path("var/accounts").iterdir()) == []
    stop(monitor)
    found = kept()
    assert (found["1"].tokens, found["1"].refused, found["1"].contact) == (None, "revoked by li", "王")
    assert found["2"].contact == "李"


def test_without_a_monitor_the_next_start_takes_it(place, capsys, request):
    assert main(["account", "import", "good.csv"]) == 0
    out, _ = told(capsys)
    assert out.splitlines()[1].startswith(
        "no monitor runs on this data_dir: the order waits, encrypted, and the next start carries it out ("
    )
    [path] = Path("var/accounts").iterdir()
    assert str(path.absolute()) in out
    assert b"canary" not in path.read_bytes()
    order = read_order(path, Cipher([key.reveal() for key in read_keys(Path("var/accounts.key"))]))
    assert (order.by, len(order.what.accounts)) == ("zhang", 2)
    process = request.getfixturevalue("monitor")
    assert main(["account", "revoke", "doudian", "2", "--by", "li"]) == 0  # after it, in order
    stop(process)
    assert kept()["1"].tokens == Tokens(
        "acc-canary-1", kept()["1"].tokens.granted_at, datetime(2098, 12, 31, 16, tzinfo=UTC), "ref-canary-1"
    )
    assert kept()["2"].refused == "revoked by li"


def test_any_error_and_nothing_is_loaded(place, capsys):
    assert main(["account", "import", "bad.csv"]) == 2
    assert told(capsys) == (
        "",
        "bad.csv:4: app names no [[app]] of this platform; the config has: dd, dd-own\n",
    )
    assert not Path("var/accounts").exists()
    assert not Path("bad.rejected.csv").exists()


def test_accept_good_loads_the_good_rows_and_names_the_lines_of_the_others(monitor, capsys):
    assert main(["account", "import", "bad.csv", "--accept-good"]) == 0
    out, err = told(capsys)
    assert out.splitlines()[-1] == "2 accounts loaded"
    assert "1 rows have errors; their lines and the reasons are in bad.rejected.csv" in err
    assert Path("bad.rejected.csv").read_text("utf-8-sig").splitlines() == [
        "rejected_line,rejected_reason",
        '4,"app names no [[app]] of this platform; the config has: dd, dd-own"',
    ]


def test_a_dry_run_loads_nothing_and_a_file_that_others_can_read_is_warned_of(place, capsys):
    Path("good.csv").chmod(0o640)
    assert main(["account", "import", "good.csv", "--dry-run"]) == 0
    out, err = told(capsys)
    assert out.splitlines()[-1] == "nothing was loaded (--dry-run)"
    assert err == "warning: good.csv holds tokens and can be read by others (mode 0640); chmod 600 it\n"
    assert not Path("var").exists()
    assert main(["account", "import", "none.csv"]) == 2
    assert "none.csv:1: cannot be read" in told(capsys)[1]


def test_another_user_than_the_monitors_makes_no_key_and_no_order(place):
    Path("var").mkdir()
    configured = config.load(Path("livemon.toml"))
    with pytest.raises(CommandError, match=r"var belongs to .*: run this as that user \(sudo -u "):
        account_keys(configured, os.geteuid() + 1)
    assert list(Path("var").iterdir()) == []
    assert len(account_keys(configured, os.geteuid())) == 1


# --- link ------------------------------------------------------------------------------------------------------------


def test_a_link_is_signed_for_this_shop_alone_and_drawn(place, capsys):
    before = datetime.now(UTC)
    assert (
        main(["account", "link", "doudian", "4463798", "--anchor", "主播", "--valid-days", "2", "--png", "qr.png"]) == 0
    )
    out, err = told(capsys)
    url, words, *drawn = out.splitlines()
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "hooks.example.cn", "/oauth/dd")
    [text] = parse_qs(parts.query)["link"]
    key = link_key(read_keys(Path("var/accounts.key"))[0].reveal())
    link = read_link(key, text, before)
    assert (link.app, link.shop, link.anchor) == ("dd", "4463798", "主播")
    until = datetime.fromtimestamp(link.until, UTC)
    assert timedelta(days=2) - timedelta(seconds=1) <= until - before < timedelta(days=2, minutes=5)
    assert words.startswith("for the owner of doudian 4463798, good until 20")
    assert len(drawn) > 20
    assert {character for line in drawn for character in line} == set(" █▀▄")
    assert Path("qr.png").read_bytes().startswith(b"\x89PNG")
    assert err == "written to qr.png\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["taobaoo", "1"], "the config has no [[app]] of platform 'taobaoo'"),
        (["doudian", "1", "--app", "x"], "the config has no [[app]] named 'x' of platform 'doudian'"),
        (["doudian", "1", "--app", "dd-own"], "each shop of app 'dd-own' has its own key: livemon account import"),
        (["doudian", ""], "give the id of the shop, or --anchor"),
        (["doudian", "1", "--valid-days", "31"], "--valid-days takes more than 0 and at most 30"),
        (["doudian", "1", "--valid-days", "nan"], "--valid-days takes more than 0 and at most 30"),
        (["doudian", "x" * 500], "these ids are too long for a link"),
    ],
)
def test_why_there_is_no_link(place, capsys, words, said):
    assert main(["account", "link", *words]) == 1
    assert told(capsys) == ("", f"livemon account: {said}\n")


def test_without_a_public_address_or_an_interface_there_is_no_link(place, capsys):
    text = Path("livemon.toml").read_text()
    Path("livemon.toml").write_text(text + '\n[[app]]\nname = "erp"\nplatform = "erp"\nsecret_file = "password"\n')
    assert main(["account", "link", "erp", "1"]) == 1
    assert "shops of 'erp' are not linked; known are " in told(capsys)[1]
    Path("livemon.toml").write_text(text.replace("hooks_url", "# hooks_url"))
    assert main(["account", "link", "doudian", "1"]) == 1
    assert "hooks_url is not set" in told(capsys)[1]


# --- list ------------------------------------------------------------------------------------------------------------


def fill(place: FreshDatabase) -> None:
    async def work() -> None:
        now = datetime.now(UTC)
        good = Tokens("acc-canary", now, now + timedelta(days=7), "ref-canary", now + timedelta(days=14))
        soon = Tokens("acc-canary", now, now + timedelta(days=1))
        accounts = [
            Account("dd", "doudian", "1", tokens=good, name="盘锦河蟹", contact="王"),
            Account("dd", "doudian", "2", tokens=soon, contact="李"),
            Account("dd", "doudian", "3", tokens=good, refused="revoked by li", contact="赵"),
            Account("k", "kwaixiaodian", "", "9", contact="钱"),
        ]
        conn = await place.connect("writer")
        await put_facts(conn, uuid.uuid4(), list(enumerate(a.fact(now) for a in accounts)), Tally())
        await conn.close()

    elsewhere(work())


def test_list_tells_whom_to_call_the_worst_first(place, capsys):
    assert main(["account", "list"]) == 0
    assert told(capsys)[0] == "no accounts here\n"
    fill(place)
    assert main(["account", "list"]) == 0
    lines = told(capsys)[0].splitlines()
    states = [word for line in lines for word in line.split() if word in ("refused", "missing", "expiring", "ok")]
    assert states[:4] == ["refused", "missing", "expiring", "ok"]
    assert "doudian expiring: 1, doudian ok: 1, doudian refused: 1, kwaixiaodian missing: 1" in lines[-1]
    assert main(["account", "list", "--refused", "--expiring", "--platform", "doudian"]) == 0
    shown = told(capsys)[0]
    assert "revoked by li" in shown
    assert ("赵" in shown, "李" in shown, "王" in shown, "钱" in shown) == (True, True, False, False)
    assert main(["account", "list", "--missing", "--platform", "wechat"]) == 0
    assert told(capsys)[0] == "no account is missing\n"


def test_a_table_in_a_pipe_is_whole(place, capsys, monkeypatch):
    fill(place)
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["account", "list"]) == 0
    [line] = [line for line in out.getvalue().splitlines() if "盘锦河蟹" in line]
    assert "王" in line
    assert os.linesep not in line
