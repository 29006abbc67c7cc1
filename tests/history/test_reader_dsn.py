"""Whoever only reads does so as the reader, on the server that `reader_dsn` names: a replica, perhaps."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor import cli
from tests.history.outside import configured
from tests.postgres import FreshDatabase


@pytest.mark.parametrize(
    ("command", "rest"),
    [
        ("sql", ["SELECT 1"]),
        ("report", ["-o", "report.html"]),
        ("export", ["session_summary", "-o", "sessions.csv"]),
    ],
    ids=["sql", "report", "export"],
)
def test_what_reads_connects_by_reader_dsn(
    command: str,
    rest: Sequence[str],
    database: FreshDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = configured(database, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert cli.main([command, "--config", str(config), *rest]) == 0
    config.write_text(config.read_text().replace("livemon_reader@", "nobody_at_all@"))
    capsys.readouterr()
    assert cli.main([command, "--config", str(config), *rest]) != 0
    assert "nobody_at_all" in capsys.readouterr().err
