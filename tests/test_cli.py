"""The command line: help worth reading, one line for each expected failure, and the exit codes others rely on."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from monitor import cli
from monitor.commands import CommandError
from monitor.config import ConfigError, Problem
from monitor.secret import SecretError
from monitor.store.disk import SpoolDiskFailed, SpoolLocked, SpoolUnreadable

GOOD = Path(__file__).parent / "config" / "good"
BAD = Path(__file__).parent / "config" / "bad"
LIVEMON = [sys.executable, "-c", "import sys; from monitor.cli import main; sys.exit(main())"]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "LIVEMON_CONFIG"}


def livemon(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it, in a folder of its own."""
    root = str(Path(__file__).parent.parent)
    variables = ENVIRONMENT | {"PYTHONPATH": root} | environment
    command = [*LIVEMON, *arguments]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=60)


def test_help_lists_every_command_with_what_it_does(tmp_path: Path) -> None:
    done = livemon("--help", folder=tmp_path)
    assert done.returncode == 0
    for group, commands in cli.COMMANDS.items():
        assert f"{group}:\n" in done.stdout
        for name, does in commands.items():
            assert f"  {name:12}{does}\n" in done.stdout
    assert all(f"\n  {code}  " in done.stdout for code in range(6))


@pytest.mark.parametrize("name", cli.command_names())
def test_every_command_has_its_module_and_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"monitor.commands.{name}")
    assert callable(module.run)
    assert cli.main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: livemon {name} ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"livemon {cli.version()}\n"


def test_no_command_shows_the_help_and_is_not_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 1
    assert "exit codes:" in capsys.readouterr().err


def test_a_slip_of_the_pen_is_answered_with_the_command_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["chek"]) == 1
    assert capsys.readouterr().err == "livemon: there is no command 'chek'; did you mean check?\n"
    assert cli.main(["frobnicate"]) == 1
    assert capsys.readouterr().err == "livemon: there is no command 'frobnicate'; livemon --help lists them\n"


def test_a_wrong_option_is_no_wrong_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--confg=F"]) == 1
    assert "--confg=F" in capsys.readouterr().err


def test_the_config_is_named_after_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--config", "livemon.toml", "check"]) == 1
    assert "after the command" in capsys.readouterr().err


def test_check_tells_what_it_found(tmp_path: Path) -> None:
    done = livemon("check", "--config", str(GOOD / "everything.toml"), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{GOOD / 'everything.toml'} is fine.",
        "  feeds: 2 nginx_rtmp",
        "  roster: 3 rooms (1 nginx_rtmp, 1 relay, 1 wechat)",
        "  note: no feed sees platform 'wechat': 1 of the rooms would be unwatched",
        "  event: 辽宁网红周, 2026-11-18 22:00+06:00 to 2026-11-25 22:00+06:00",
        "  hooks: [::1]:8791, told to platforms as https://hooks.example.cn",
        "  coins: 1 微信豆, 1 抖币",
        "  database: the one of dsn",
    ]


def test_check_of_a_bad_file_is_one_line_per_error_and_exit_code_2(tmp_path: Path) -> None:
    done = livemon("check", "--config", "types.toml", folder=BAD)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (BAD / "types.txt").read_text(encoding="utf-8")


def test_check_reads_the_roster_file_too(tmp_path: Path) -> None:
    (tmp_path / "livemon.toml").write_text('roster = "roster.csv"')
    (tmp_path / "roster.csv").write_text("platform,room\nwechat,a\nwechat,1.23457E+18\nwechat,a\n")
    done = livemon("check", folder=tmp_path)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        f"{tmp_path / 'roster.csv'}:3:",
        f"{tmp_path / 'roster.csv'}:4:",
    ]
    assert "1.23457E+18" in lines[0]


def test_the_environment_names_the_config(tmp_path: Path) -> None:
    done = livemon("check", folder=tmp_path, LIVEMON_CONFIG=str(BAD / "listen.toml"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"{BAD / 'listen.toml'}:1: listen ")
    done = livemon("check", folder=tmp_path)
    assert done.stderr.startswith("livemon.toml:1: there is no such file; ")


def test_chinese_is_written_where_the_locale_knows_none(tmp_path: Path) -> None:
    done = livemon("check", "--config", str(GOOD / "everything.toml"), folder=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u8fbd" in done.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_is_no_traceback(unbuffered: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    root = str(Path(__file__).parent.parent)
    environment = ENVIRONMENT | {"PYTHONPATH": root, "PYTHONUNBUFFERED": unbuffered}
    command = [*LIVEMON, "check", "--config", str(GOOD / "smallest.toml")]
    done = subprocess.run(command, env=environment, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


PROBLEM = Problem("livemon.toml", 3, "grace_s is 0", "give more")


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (ConfigError([PROBLEM]), "livemon.toml:3: grace_s is 0; give more", 2),
        (SecretError(Path("pg"), "is empty", "fill it"), "livemon: pg is empty; fill it", 2),
        (SpoolLocked("another livemon runs here"), "livemon: another livemon runs here", 3),
        (SpoolDiskFailed("fsync failed"), "livemon: fsync failed", 4),
        (SpoolUnreadable("damaged; run ..."), "livemon: damaged; run ...", 5),
        (CommandError("livemon: no such feed"), "livemon: no such feed", 1),
        (ConnectionRefusedError(111, "Connection refused"), "livemon: [Errno 111] Connection refused", 1),
        (TimeoutError(), "livemon: TimeoutError", 1),
        (asyncpg.UndefinedTableError('relation "x"\n  does not exist'), 'livemon: relation "x" does not exist', 1),
        (ExceptionGroup("", [OSError("a"), ExceptionGroup("", [SpoolDiskFailed("b")])]), "livemon: b", 4),
    ],
)
def test_an_expected_failure_is_one_line_and_its_exit_code(error: Exception, said: str, code: int) -> None:
    assert cli.outcome(error) == (said, code)


@pytest.mark.parametrize("error", [KeyError("x"), ExceptionGroup("", [OSError("a"), TypeError("bug")])])
def test_a_bug_is_never_smoothed_over(error: Exception) -> None:
    assert cli.outcome(error) is None
