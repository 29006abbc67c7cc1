"""`livemon roster`, `schedule` and `coverage` as a person runs them: what is printed, where, and the exit code."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from monitor.cli import main
from monitor.commands.coverage import shorter
from tests.postgres import FreshDatabase, elsewhere

pytestmark = pytest.mark.real

GOOD = "平台,直播间,主播,场馆,粉丝\nwechat,1234567890123456789,小王,A,1.2万\nsrs,live/房间,小李[bold],B,900\n"
BAD = "platform,room,anchor\nwechat,7,甲\nwechat,1.23457E+18,乙\n"


def settle(database: FreshDatabase, folder: Path) -> None:
    """Put a config for this database into a folder."""
    parts = urlsplit(database.dsn("writer"))
    (folder / "password").write_text(str(parts.password))
    (folder / "password").chmod(0o600)
    dsn = urlunsplit(parts._replace(netloc=f"{parts.username}@"))
    (folder / "livemon.toml").write_text(f'dsn = "{dsn}"\ndsn_password_file = "password"\n')


@pytest.fixture
def place(database: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FreshDatabase:
    """A folder with a config for this test's database, where the commands run."""
    settle(database, tmp_path)
    (tmp_path / "good.csv").write_bytes(GOOD.encode("gb18030"))
    (tmp_path / "bad.csv").write_text(BAD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USER", "zhang")
    return database


def ask(place: FreshDatabase, question: str) -> list[tuple[object, ...]]:
    async def fetch() -> list[tuple[object, ...]]:
        conn = await place.connect()
        try:
            return [tuple(row) for row in await conn.fetch(question)]
        finally:
            await conn.close()

    return elsewhere(fetch())


def test_import_tells_what_it_did(place, capsys):
    assert main(["roster", "import", "good.csv", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing was written (--dry-run)"
    assert ask(place, "SELECT * FROM room") == []
    assert main(["roster", "import", "good.csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "+ wechat 1234567890123456789  小王",
        "+ srs live/房间  小李[bold]",
        "2 added, 0 changed, 0 retired, 0 unchanged",
        "roster: 2 active rooms (srs 1, wechat 1), 2 broadcasters, 12,900 fans",
    ]
    assert ask(place, "SELECT by_whom, action, source, added FROM roster_change") == [
        ("zhang", "import", "good.csv", 2)
    ]


def test_any_error_and_nothing_is_loaded(place, capsys):
    assert main(["roster", "import", "bad.csv"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("bad.csv:3: room '1.23457E+18' is what Excel leaves of a long number")
    assert ask(place, "SELECT * FROM room") == []
    assert not Path("bad.rejected.csv").exists()


def test_accept_good_loads_the_good_rows_and_keeps_the_others_with_reasons(place, capsys):
    assert main(["roster", "import", "bad.csv", "--accept-good", "--by", "li"]) == 0
    assert "1 rows have errors and are in bad.rejected.csv, with the reasons" in capsys.readouterr().err
    assert ask(place, "SELECT external_id FROM room") == [("7",)]
    assert "wechat,1.23457E+18,乙" in Path("bad.rejected.csv").read_text("utf-8-sig")
    assert main(["roster", "import", "bad.csv", "--accept-good", "--replace"]) == 2
    assert "bad.csv:1: --replace needs a file without errors" in capsys.readouterr().err


def test_replace_asks_first_and_undo_takes_it_back(place, capsys):
    main(["roster", "import", "good.csv"])
    Path("one.csv").write_text("platform,room\nsrs,live/房间\n")
    assert main(["roster", "import", "one.csv", "--replace"]) == 1
    assert "1 of 2 active rooms are not in the file and would be retired" in capsys.readouterr().err
    assert main(["roster", "import", "one.csv", "--replace", "--yes"]) == 0
    assert ask(place, "SELECT external_id FROM room WHERE active") == [("live/房间",)]
    assert main(["roster", "undo"]) == 0
    assert len(ask(place, "SELECT external_id FROM room WHERE active")) == 2
    capsys.readouterr()
    assert main(["roster", "log"]) == 0
    assert "replace 2 of one.csv by zhang" in capsys.readouterr().out


def test_the_cap_is_an_error_of_the_file(place, capsys):
    assert main(["roster", "import", "good.csv", "--rooms-max", "1"]) == 2
    assert capsys.readouterr().err.startswith(
        "good.csv:1: the roster would hold 2 active rooms, and at most 1 are allowed"
    )


def test_export_then_import_is_no_change(place, capsysbinary):
    main(["roster", "import", "good.csv"])
    capsysbinary.readouterr()
    assert main(["roster", "export"]) == 0
    shown = capsysbinary.readouterr().out
    assert main(["roster", "export", "-o", "out.csv"]) == 0
    assert Path("out.csv").read_bytes() == shown
    assert shown.startswith(b"\xef\xbb\xbfplatform,room,")
    assert main(["roster", "import", "out.csv", "--replace"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"0 added, 0 changed, 0 retired, 2 unchanged")


def test_a_database_without_the_schema_is_said_as_such(empty_database, tmp_path, monkeypatch, capsys):
    settle(empty_database, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["roster", "export"]) == 1
    assert "run `livemon migrate`, which brings the schema up to date" in capsys.readouterr().err


def test_adopting_what_nobody_saw_is_refused(place, capsys):
    assert main(["roster", "adopt", "hall-a", "live/x"]) == 1
    assert capsys.readouterr().err.startswith(
        "livemon roster: feed 'hall-a' saw no unlisted room 'live/x'; livemon sql"
    )


def test_schedule_import(place, capsys):
    main(["roster", "import", "good.csv"])
    Path("s.csv").write_bytes(
        "平台,直播间,开始,结束\nsrs,live/房间,2026-11-19 20:00,2026-11-19 24:00\n".encode("gb18030")
    )
    capsys.readouterr()
    assert main(["schedule", "import", "s.csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "+ srs live/房间  2026-11-19 20:00 to 2026-11-20 00:00  小李[bold]",
        "1 added, 0 removed, 0 unchanged, in 1 rooms",
    ]
    Path("s.csv").write_text("平台,直播间,开始,结束\nsrs,1,2026-11-19 20:00,2026-11-19 24:00\n")
    assert main(["schedule", "import", "s.csv"]) == 2
    assert capsys.readouterr().err.startswith("s.csv:2: room '1' of srs is not in the roster")


def test_coverage_counts_by_platform_and_lists_who_is_seen_by_nobody(place, capsys):
    assert main(["coverage"]) == 0
    assert capsys.readouterr().out == "no rooms here; load some with `livemon roster import F.csv`\n"
    main(["roster", "import", "good.csv"])

    async def configure() -> None:
        conn = await place.connect()
        await conn.execute(
            "INSERT INTO feed (feed, kind, platform, signals) VALUES ('hall-b', 'srs', 'srs', '{live,viewers}')"
        )
        await conn.execute(
            "INSERT INTO feed_room (feed, room_id, from_at)"
            " SELECT 'hall-b', room_id, now() FROM room WHERE platform = 'srs'"
        )
        await conn.close()

    elsewhere(configure())
    capsys.readouterr()
    assert main(["coverage"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["srs", "1", "1", "1", "0"] in lines
    assert ["wechat", "1", "0", "0", "0"] in lines
    assert not any("live/房间" in line for line in lines)
    assert next(line for line in lines if "小王" in line)[-7:] == "no feed is configured for platform wechat".split()
    assert main(["coverage", "--all", "--platform", "srs"]) == 0
    assert "小李[bold]" in capsys.readouterr().out
    assert main(["coverage", "--platform", "doudian"]) == 1
    assert capsys.readouterr().err == (
        "livemon coverage: the roster has no room on platform 'doudian'; it has srs, wechat\n"
    )


def test_one_reason_for_all_signals_is_said_once():
    assert shorter("live: no feed; viewers: no feed; sales: no feed") == "no feed"
    assert shorter("viewers: no feed; sales: no feed") == "viewers: no feed; sales: no feed"
    assert shorter("live: a; viewers: a; sales: b") == "live: a; viewers: a; sales: b"
    assert shorter("") == ""
