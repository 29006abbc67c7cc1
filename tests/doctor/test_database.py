"""The database as the doctor finds it: real servers, with what can be wrong with logins, schema and birth."""

from pathlib import Path

import pytest

from monitor.config import Config
from monitor.config import load as load_config
from monitor.doctor.database import Found, check_database, judge_roles, judge_schema, judge_server
from tests.postgres import FreshDatabase

pytestmark = pytest.mark.real


def configured(
    tmp_path: Path, database: FreshDatabase, role: str = "writer", more: str = "", password: str = ""
) -> Config:
    user = "postgres" if role == "postgres" else f"livemon_{role}"
    for name in {user, "livemon_owner", "livemon_reader"}:
        (tmp_path / name).write_text(database.server.password(name))
        (tmp_path / name).chmod(0o600)
    if password:
        (tmp_path / user).write_text(password)
    where = f"@/{database.name}?host={database.server.socket}"
    (tmp_path / "livemon.toml").write_text(
        f'dsn = "postgresql://{user}{where}"\ndsn_password_file = "{user}"\n' + more.replace("@WHERE", where)
    )
    return load_config(tmp_path / "livemon.toml")


def states(found: Found) -> dict[str, str]:
    return {finding.name: finding.state for finding in found.findings}


def said(found: Found, name: str) -> str:
    return next(f"{finding.what}; {finding.todo}" for finding in found.findings if finding.name == name)


async def test_all_is_fine(tmp_path: Path, database: FreshDatabase):
    writer = await database.connect("writer")
    await writer.execute("INSERT INTO room (platform, external_id) VALUES ('wechat', '晚风')")
    await writer.close()
    admin = await database.connect("postgres")
    await admin.execute(f"REVOKE TEMPORARY ON DATABASE {database.name} FROM PUBLIC")
    await admin.close()
    others = (
        'migrate_dsn = "postgresql://livemon_owner@WHERE"\nmigrate_dsn_password_file = "livemon_owner"\n'
        'reader_dsn = "postgresql://livemon_reader@WHERE"\nreader_dsn_password_file = "livemon_reader"\n'
    )
    found = await check_database(configured(tmp_path, database, more=others))
    names = {"database", "roles", "schema", "event", "readers", "migrate_dsn", "reader_dsn"}
    assert states(found) == dict.fromkeys(names, "fine")
    assert [room.external_id for room in found.rooms] == ["晚风"]
    assert found.clock_s is not None
    assert abs(found.clock_s) < 1


async def test_nobody_there(tmp_path: Path, database: FreshDatabase):
    config = configured(tmp_path, database)
    (tmp_path / "livemon.toml").write_text('dsn = "postgresql://livemon_writer@127.0.0.1:1/livemon"\n')
    found = await check_database(load_config(tmp_path / "livemon.toml"))
    assert states(found) == {"database": "wrong"}
    assert "check dsn" in said(found, "database")
    assert config.dsn is not None


async def test_another_password_and_another_database(tmp_path: Path, database: FreshDatabase):
    found = await check_database(configured(tmp_path, database, password="another"))
    trusted = "fine" in states(found).values()  # a server that trusts its socket asks for none
    assert states(found).get("database") == ("fine" if trusted else "wrong")
    config = configured(tmp_path, database)
    path = tmp_path / "livemon.toml"
    path.write_text(path.read_text().replace(f"/{database.name}?", "/nowhere?"))
    found = await check_database(load_config(path))
    assert states(found) == {"database": "wrong"}
    assert "nowhere" in said(found, "database")
    assert config is not None


async def test_a_superuser_is_too_much(tmp_path: Path, database: FreshDatabase):
    found = await check_database(configured(tmp_path, database, "postgres"))
    assert states(found)["roles"] == "wrong"


async def test_a_reader_cannot_write(tmp_path: Path, database: FreshDatabase):
    found = await check_database(configured(tmp_path, database, "reader"))
    assert states(found)["rights"] == "wrong"


async def test_a_writer_that_lost_a_right(tmp_path: Path, database: FreshDatabase):
    owner = await database.connect("owner")
    await owner.execute("REVOKE UPDATE ON sale FROM livemon_writer")
    await owner.close()
    found = await check_database(configured(tmp_path, database))
    assert states(found)["rights"] == "wrong"
    assert "lacks UPDATE on sale" in said(found, "rights")


async def test_a_schema_that_is_not_there(tmp_path: Path, empty_database: FreshDatabase):
    found = await check_database(configured(tmp_path, empty_database))
    assert states(found)["schema"] == "wrong"
    assert "run `livemon migrate`" in said(found, "schema")


async def test_another_birth(tmp_path: Path, database: FreshDatabase):
    found = await check_database(configured(tmp_path, database, more='event_currency = "USD"\n'))
    assert states(found)["event"] == "wrong"
    assert "born with currency 'CNY'" in said(found, "event")


async def test_a_login_beside_the_writers_that_does_not_come_in(tmp_path: Path, database: FreshDatabase):
    more = 'reader_dsn = "postgresql://nobody_at_all@WHERE"\n'
    found = await check_database(configured(tmp_path, database, more=more))
    assert states(found)["reader_dsn"] == "wrong"
    assert states(found)["database"] == "fine"


async def test_an_embedded_one_before_its_first_start_and_while_it_stands(tmp_path: Path):
    (tmp_path / "livemon.toml").write_text('data_dir = "var"\n')
    config = load_config(tmp_path / "livemon.toml")
    found = await check_database(config)
    assert states(found) == {"database": "note"}
    (tmp_path / "var" / "postgres").mkdir(parents=True)
    found = await check_database(config)
    assert states(found) == {"database": "note"}
    assert "livemon run" in said(found, "database")
    assert list((tmp_path / "var" / "postgres").iterdir()) == []  # it starts nothing


def test_verdicts_that_need_another_server():
    assert judge_server("14.9", 140_009, safe=True, standby=False).state == "wrong"
    assert "primary" in judge_server("17.1", 170_001, safe=True, standby=True).todo
    assert "power cut" in judge_server("17.1", 170_001, safe=False, standby=False).what
    assert judge_server("17.1", 170_001, safe=True, standby=False).state == "fine"
    assert "sql/roles.sql" in judge_roles(["livemon_hall"], superuser=False).todo
    assert judge_schema(1, 2, embedded=True).state == "note"
    assert "newer" in judge_schema(3, 2, embedded=False).todo
