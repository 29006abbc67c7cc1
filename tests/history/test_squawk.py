"""What squawk, a linter of migrations, says of ours: nothing, but for what is excepted here with its reason."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from monitor.store.migrate import SQL

EXCEPTIONS = {
    "prefer-bigint-over-int": "what one minute, day or room counts fits; ticks are kept by the billion: 4 bytes tell",
    "prefer-bigint-over-smallint": "a tier and the stops of one minute are small; the same",
    "ban-char-field": "char(3) is the contract's type of a currency",
    "require-lock-timeout": "the runner sets it for every migration: sql/migrate/begin.sql",
    "require-statement-timeout": "an index over a week of sales takes its minutes; batches wait in the spool meanwhile",
    "require-concurrent-index-creation": "whole or not at all is worth more; batches wait in the spool",
}  # fmt: skip


def squawk() -> str | None:
    found = Path(sysconfig.get_path("scripts")) / "squawk"
    return str(found) if found.exists() else shutil.which("squawk")


def told(*arguments: str, text: str | None = None) -> list[tuple[str, str]]:
    """The rule and the place of each thing it has to say."""
    program = squawk()
    if program is None:  # a wheel for Linux, macOS and Windows, in the lock file of the tests
        print("NOT RUN: squawk is not installed; migrations are not linted", file=sys.stderr)
        if os.environ.get("CI") == "true":
            pytest.fail("squawk is missing")
        pytest.skip("NOT RUN: squawk is not installed (package squawk-cli)")
    settled = ["--assume-in-transaction", "--pg-version", "15", "--reporter", "json", "--config", os.devnull]
    run = subprocess.run([program, *settled, *arguments], input=text, capture_output=True, text=True, check=False)
    assert run.stdout.strip(), run.stderr
    said = json.loads(run.stdout)
    return [(each["rule_name"], f"{each['file']}:{each['line'] + 1}: {each['message']}") for each in said]


def test_the_migrations_are_clean_but_for_what_has_its_reason() -> None:
    files = sorted(str(path) for path in (SQL / "migrations").glob("*.sql"))
    said = told(*files)
    assert [place for rule, place in said if rule not in EXCEPTIONS] == []
    assert set(EXCEPTIONS) <= {rule for rule, _ in said}, "an exception that nothing needs any more: take it out"


def test_the_runner_sets_the_timeout_that_is_excepted() -> None:
    assert "SET LOCAL lock_timeout" in (SQL / "migrate" / "begin.sql").read_text()


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ("ALTER TABLE sale ADD COLUMN x int NOT NULL;", "adding-required-field"),
        ("ALTER TABLE sale RENAME COLUMN at TO happened_at;", "renaming-column"),
        ("ALTER TABLE sale ALTER COLUMN units TYPE bigint;", "changing-column-type"),
        ("ALTER TABLE sale ADD COLUMN y timestamp;", "prefer-timestamp-tz"),
    ],
)
def test_it_would_find_what_hurts(bad: str, rule: str) -> None:
    assert rule in {found for found, _ in told("--stdin-filepath", "0099_bad.sql", text=bad)}
    assert rule not in EXCEPTIONS
