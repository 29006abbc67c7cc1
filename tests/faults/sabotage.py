"""Runs one guarantee's test against a copy of livemon in which one line is wrong; the copy's tests are our own.

`python -m tests.faults.sabotage TESTS FOLDER [DATA_DIR DATABASE]`, in the copy, is the child: it runs tests as
functions, without pytest, against the server that is there already, or without one.
"""

import asyncio
import inspect
import logging
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

import monitor
from monitor.store.cluster import Cluster
from monitor.store.embedded import Server
from tests.postgres import FreshDatabase

ROOT = Path(__file__).resolve().parents[2]


class Bug(msgspec.Struct, frozen=True):
    """In `file` the text `right` becomes `wrong`; then `test` fails, and says something like `fails`."""

    file: str
    right: str
    wrong: str
    test: str
    fails: str
    given: dict[str, Any] = {}


class Said(logging.Handler):
    """What pytest's caplog is to a test."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += record.getMessage() + "\n"


def plant(bug: Bug | None, copy: Path) -> Path:
    """A copy with the bug in it. A line that is no longer there, or twice, is a failure, not a pass."""
    for name in ("collectors", "monitor", "sql"):  # whatever may have a bug planted: a link leads to our own file
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "pyproject.toml"):
        (copy / name).symlink_to(ROOT / name)
    if bug is not None:
        file = copy / bug.file
        text = file.read_text(encoding="utf-8")
        assert text.count(bug.right) == 1, f"{bug.file} no longer says just once: {bug.right}"
        file.write_text(text.replace(bug.right, bug.wrong), encoding="utf-8")
    return copy


def run(
    test: str, given: dict[str, Any], copy: Path, folder: Path, database: FreshDatabase | None = None
) -> tuple[int, str]:
    """The test in the copy: its exit code, and what it said."""
    return run_all([(test, given)], copy, folder, database)


def run_all(
    tests: list[tuple[str, dict[str, Any]]], copy: Path, folder: Path, database: FreshDatabase | None = None
) -> tuple[int, str]:
    """One after the other, until one fails."""
    told = msgspec.json.encode(tests).decode()
    place = [str(folder), *([] if database is None else [str(database.server.cluster.home.parent), database.name])]
    child = subprocess.run(
        [sys.executable, "-m", "tests.faults.sabotage", told, *place],
        cwd=copy, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return child.returncode, child.stdout + child.stderr


def main(told: str, folder: str, data_dir: str = "", name: str = "") -> None:
    assert Path(monitor.__file__).is_relative_to(Path.cwd()), "the copy is not what runs"
    said = Said()
    logging.getLogger().addHandler(said)
    offered: dict[str, Any] = {"tmp_path": Path(folder), "caplog": said}
    if data_dir:
        offered["database"] = FreshDatabase(Server(Cluster(Path(data_dir)), -1, None), name)
    for test, given in msgspec.json.decode(told):
        module, _, function = test.partition(":")
        work = getattr(import_module(module), function)
        wanted = {name: offered[name] for name in inspect.signature(work).parameters if name in offered}
        result = work(**wanted, **given)
        if inspect.iscoroutine(result):
            asyncio.run(result)
    print("the guarantee holds")


if __name__ == "__main__":
    main(*sys.argv[1:])
