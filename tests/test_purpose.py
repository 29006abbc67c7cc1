"""A rehearsal and an event keep out of each other's database and spool, and a rehearsal says what it is."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from monitor import cli
from monitor.facts import RosterRoom
from monitor.purpose import MARK, Purpose, marked
from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.rtmp_hall import free_ports
from monitor.store import embedded
from monitor.store.disk import SpoolBornDifferent
from monitor.store.repair import repair
from monitor.store.spool import Spool
from monitor.store.spool_file import purpose_of
from tests.postgres import FreshDatabase, elsewhere
from tests.store.fixtures import format_1, format_2

OTHER: dict[Purpose, Purpose] = {"event": "rehearsal", "rehearsal": "event"}
BOTH = pytest.mark.parametrize("born", list(OTHER))
LIVEMON = [sys.executable, "-c", "import sys; from monitor.cli import main; sys.exit(main())"]
NOBODY = "postgresql://livemon_writer@/livemon?host=/nonexistent"
ROSTER = "platform,room\nwechat,晚风\n"
PUSH = '[[app]]\nname = "erp"\nplatform = "push_json"\nkey = "k"\nsecret_file = "secret"\n' + (
    '[[feed]]\nkind = "push_json"\nname = "erp"\napp = "erp"\n'
)


def written(folder: Path, purpose: Purpose, more: str = "", data_dir: str = "var") -> str:
    """The path of a config. For an event the key is left out, as it is in the configs there are."""
    folder.mkdir(exist_ok=True)
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    path = folder / f"{purpose}.toml"
    said = "" if purpose == "event" else f'purpose = "{purpose}"\n'
    path.write_text(f'data_dir = "{data_dir}"\nlisten = "127.0.0.1:{free_ports(1)[0]}"\n{said}{more}', encoding="utf-8")
    return str(path)


def outside(folder: Path, database: FreshDatabase) -> str:
    lines = []
    for key, role in (("dsn", "writer"), ("migrate_dsn", "owner")):
        secret = folder / role
        secret.write_text(database.server.password(f"livemon_{role}"))
        secret.chmod(0o600)
        lines.append(f'{key} = "postgresql://livemon_{role}@/{database.name}?host={database.server.socket}"')
        lines.append(f'{key}_password_file = "{role}"')
    return "\n".join(lines) + "\n"


def refused(path: str, born: Purpose, *arguments: str) -> None:
    """The real program, as a person runs it: exit code 2, and why, and what to do."""
    arguments = tuple(argument.replace("@", f"{Path(path).parent}/") for argument in arguments)
    done = subprocess.run(
        [*LIVEMON, *arguments, "--config", path], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2, (arguments, done)
    told_apart(done.stderr, path, born)


def told_apart(said: str, path: str, born: Purpose) -> None:
    words = {"event": "an event", "rehearsal": "a rehearsal"}
    why = f"was born for {words[born]}, which never changes, and the config is for {words[OTHER[born]]}; give this one"
    assert re.search(rf"^{re.escape(path)}:1: .*{why}", said, re.MULTILINE), said


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- databases -------------------------------------------------------------------------------------------------------


@pytest.fixture
def a_database(database: FreshDatabase) -> Callable[[Purpose], FreshDatabase]:
    def born(purpose: Purpose) -> FreshDatabase:
        async def change() -> None:
            conn = await database.connect("owner")
            await conn.execute("UPDATE livemon.setting SET purpose = $1", purpose)
            await conn.close()

        elsewhere(change())
        return database

    return born


async def count(database: FreshDatabase, table: str) -> int:
    conn = await database.connect("owner")
    rows: int = await conn.fetchval(f"SELECT count(*) FROM livemon.{table}")
    await conn.close()
    return rows


@pytest.mark.real
@BOTH
def test_an_outside_database_refuses_the_other(
    tmp_path: Path, a_database: Callable[[Purpose], FreshDatabase], born: Purpose
) -> None:
    database = a_database(born)
    path = written(tmp_path, OTHER[born], outside(tmp_path, database))
    refused(path, born, "run")
    refused(path, born, "migrate")
    refused(path, born, "doctor")
    refused(path, born, "roster", "import", "@roster.csv")
    assert elsewhere(count(database, "room")) == 0


@pytest.fixture
def own_embedded() -> Iterator[Callable[[Purpose], Path]]:
    """A folder with an embedded database that was born by the real program, and whose server stays up."""
    folder = Path(tempfile.mkdtemp(prefix="livemon-purpose-"))
    servers = [elsewhere(embedded.start(folder / "var"))]

    def born(purpose: Purpose) -> Path:
        assert cli.main(["migrate", "--config", written(folder, purpose)]) == 0
        return folder

    yield born
    for server in servers:
        elsewhere(server.release())
    shutil.rmtree(folder)


@pytest.mark.real
@BOTH
def test_an_embedded_database_refuses_the_other(
    own_embedded: Callable[[Purpose], Path], born: Purpose, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own_embedded(born)
    path, own = written(folder, OTHER[born]), written(folder, born)
    refused(path, born, "run")
    assert not (folder / "var" / "spool").exists()  # or it would stand in the way of the database's own monitor
    refused(path, born, "migrate")
    refused(path, born, "doctor")
    for arguments in (
        ("roster", "import", str(folder / "roster.csv")), ("roster", "export"), ("quarantine", "list"), ("coverage",),
        ("schedule", "import", str(schedule(folder))),
    ):  # fmt: skip
        capsys.readouterr()
        assert cli.main([*arguments, "--config", path]) == 2, arguments
        told_apart(capsys.readouterr().err, path, born)
    assert cli.main(["roster", "import", str(folder / "roster.csv"), "--config", own]) == 0
    assert "+ wechat 晚风" in capsys.readouterr().out
    Spool(folder / "var" / "spool", OTHER[born]).close()  # somebody has put folders of two events together
    refused(path, born, "run")


def schedule(folder: Path) -> Path:
    path = folder / "schedule.csv"
    path.write_text(
        "platform,room,starts_at,ends_at\nwechat,晚风,2026-11-19 20:00,2026-11-19 22:00\n", encoding="utf-8"
    )
    return path


@pytest.mark.real
async def test_rooms_that_a_spool_gives_back_do_not_go_into_anothers_database(
    tmp_path: Path, a_database: Callable[[Purpose], FreshDatabase]
) -> None:
    """They are given back first of all at each connect, where a database lacks them."""
    database = a_database("rehearsal")
    path = written(tmp_path, "event", outside(tmp_path, database))
    spool = Spool(tmp_path / "var" / "spool", "event")
    spool.mirror(1, [RosterRoom(7, "wechat", "晚风")], [])
    spool.close()
    await asyncio.to_thread(refused, path, "rehearsal", "run")
    assert await count(database, "room") == 0


@pytest.mark.real
async def test_the_database_of_an_older_release_is_not_migrated_by_the_other(
    tmp_path: Path, a_database: Callable[[Purpose], FreshDatabase]
) -> None:
    database = a_database("event")
    conn: asyncpg.Connection = await database.connect("owner")
    newest = await conn.fetchval(
        "DELETE FROM livemon.migration WHERE number = (SELECT max(number) FROM livemon.migration) RETURNING number"
    )
    path = written(tmp_path, "rehearsal", outside(tmp_path, database))
    await asyncio.to_thread(refused, path, "event", "migrate")
    assert await conn.fetchval("SELECT max(number) FROM livemon.migration") == newest - 1
    await conn.close()


# --- spools ----------------------------------------------------------------------------------------------------------


@BOTH
def test_a_spool_refuses_the_other_and_is_left_as_it_is(
    tmp_path: Path, born: Purpose, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret").write_text("s" * 32)
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "sales.csv").write_text(
        "platform,event_id,kind,amount,currency,at\nwechat,1,paid,1.00,CNY,2026-11-19 20:00:00\n"
    )
    path = written(tmp_path, OTHER[born], f'dsn = "{NOBODY}"\nhooks_listen = "127.0.0.1:{free_ports(1)[0]}"\n{PUSH}')
    Spool(tmp_path / "var" / "spool", born).close()
    before = contents(tmp_path / "var")
    refused(path, born, "run")
    for arguments in (
        ("migrate",), ("doctor",), ("roster", "import", str(tmp_path / "roster.csv")),
        ("import", "sale", str(tmp_path / "sales.csv"), "--feed", "erp"),
        ("account", "import", str(tmp_path / "roster.csv")), ("account", "revoke", "wechat", "1", "--by", "me"),
    ):  # fmt: skip
        assert cli.main([*arguments, "--config", path]) == 2, arguments
        told_apart(capsys.readouterr().err, path, born)
    assert contents(tmp_path / "var") == before


@BOTH
def test_whoever_opens_a_spool_to_write_is_refused_whatever_was_looked_at_before(tmp_path: Path, born: Purpose) -> None:
    Spool(tmp_path, born).close()
    before = (tmp_path / "spool.db").read_bytes()
    with pytest.raises(SpoolBornDifferent, match=r"give this one its own data_dir"):
        Spool(tmp_path, OTHER[born])
    assert (tmp_path / "spool.db").read_bytes() == before
    Spool(tmp_path, born).close()
    Spool(tmp_path).close()  # to look at it, or to mend it, nobody has to say what it is for


@pytest.mark.parametrize("old", [format_1.FOLDER, format_2.FOLDER], ids=["1", "2"])
def test_a_spool_that_does_not_say_is_an_events(tmp_path: Path, old: Path) -> None:
    shutil.copytree(old, tmp_path / "var" / "spool")
    path = written(tmp_path, "rehearsal", f'dsn = "{NOBODY}"\n')
    refused(path, "event", "run")
    with pytest.raises(SpoolBornDifferent):
        Spool(tmp_path / "var" / "spool", "rehearsal")
    Spool(tmp_path / "var" / "spool", "event").close()
    assert purpose_of(tmp_path / "var" / "spool") == "event"


def test_what_a_spool_is_for_is_seen_while_it_is_open_and_kept_by_a_repair(tmp_path: Path) -> None:
    assert purpose_of(tmp_path) is None
    spool = Spool(tmp_path, "rehearsal")
    assert purpose_of(tmp_path) == "rehearsal"
    spool.close()
    repair(tmp_path, datetime.now(UTC))
    assert purpose_of(tmp_path) == "rehearsal"
    with pytest.raises(SpoolBornDifferent):
        Spool(tmp_path, "event")
    (tmp_path / "spool.db").write_bytes(b"no database at all")
    assert purpose_of(tmp_path) is None  # it is `run` that says what is wrong with it


# --- what people see -------------------------------------------------------------------------------------------------


def test_the_mark_is_put_once_and_only_in_a_rehearsal() -> None:
    assert marked("辽宁网红周", "event") == "辽宁网红周"
    assert marked("辽宁网红周", "rehearsal") == "【演练】辽宁网红周"
    assert marked("【演练】辽宁网红周", "rehearsal") == "【演练】辽宁网红周"
    assert marked("", "rehearsal") == MARK


@pytest.mark.real
async def test_a_running_rehearsal_says_so_everywhere_and_stays_one_until_the_next_start(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    event = '[event]\nname = "网红周"\nstarts_at = 2026-11-19T00:00:00+08:00\nends_at = 2026-11-26T00:00:00+08:00\n'
    path = Path(written(tmp_path, "rehearsal", event))
    settings = f'data_dir = "var"\nlisten = "127.0.0.1:{port}"\ndsn = "{NOBODY}"\n'
    path.write_text(f'purpose = "rehearsal"\n{settings}{event}', encoding="utf-8")
    async with Livemon(path, f"http://127.0.0.1:{port}") as livemon:
        await said(livemon, "【演练】livemon ")
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{livemon.url}/api/status") as reply:
                assert (await reply.json())["event"] == "【演练】网红周"
            for language in ("en", "zh"):
                async with http.get(f"{livemon.url}/?lang={language}") as reply:
                    page = await reply.text()
                assert "<title>【演练】网红周 · livemon</title>" in page
                assert '<span class="event">【演练】网红周</span>' in page
        code, shown = await livemon.command("status", "--once")
        assert code == 0, shown
        assert shown.startswith("【演练】网红周 ")
        path.write_text(settings + event, encoding="utf-8")
        os.kill(livemon.child.pid, signal.SIGHUP)
        await said(livemon, "these settings wait for the next start: purpose")
    assert purpose_of(tmp_path / "var" / "spool") == "rehearsal"


async def said(livemon: Livemon, words: str) -> None:
    async with asyncio.timeout(30):
        while words not in livemon.log.read_text(encoding="utf-8"):
            livemon.must_run()
            await asyncio.sleep(0.05)
