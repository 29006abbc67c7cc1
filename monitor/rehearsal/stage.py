"""Sets up a monitor for a play: config, secrets, roster and schedule, in a folder that belongs to the play alone."""

import csv
import fcntl
import io
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from .event.cast import Part
from .robots import NOBODY, Lines
from .scene import Settings

MARK = ".livemon-rehearsal"  # whoever finds this file may throw its folder's content away
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - the second only where somebody asks for it
CONFIG = """\
# Written by `livemon rehearse`: ordinary settings, but that spool and database are born for a rehearsal.
purpose = "rehearsal"
data_dir = "data"
listen = "{host}:{port}"
{hooks}roster = "roster.csv"
timezone = "{timezone}"
grace_s = {grace_s}
end_slack_s = {end_slack_s}
{told}
[event]
name = "辽宁网红周"
starts_at = {starts_at}
ends_at = {ends_at}
"""


class NotOurs(Exception):
    """The folder holds something that no play has put there."""


class Busy(Exception):
    """Another play uses the folder just now."""


@contextmanager
def taken(folder: Path) -> Iterator[Path]:
    """The folder, emptied and held against any other play until the block ends."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / MARK
    if not mark.exists() and any(folder.iterdir()):
        raise NotOurs(f"{folder} is not empty and was not made by a rehearsal: give another folder")
    with mark.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another rehearsal runs in {folder}") from None
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
        yield folder


def write(
    folder: Path,
    began_at: datetime,
    port: int,
    roster: bytes,
    settings: Iterable[Settings],
    hooks_port: int | None = None,
    grace_s: float = 120.0,
    end_slack_s: float = 900.0,
    timezone: str = "Asia/Shanghai",
    told: Lines = NOBODY,
    host: str = LOOPBACK,
) -> Path:
    """Write config, secrets, roster and accounts (`accounts.csv`, where there are any). The path of the config file.

    `host`: the address that livemon's pages listen on; hooks are the platforms' alone, which are on this machine.
    """
    config = CONFIG.format(
        host=host,
        port=port,
        hooks="" if hooks_port is None else f'hooks_listen = "127.0.0.1:{hooks_port}"\n',
        timezone=timezone,
        told=told.top,
        grace_s=grace_s,
        end_slack_s=end_slack_s,
        starts_at=(began_at - timedelta(hours=1)).replace(microsecond=0).isoformat(),
        ends_at=(began_at + timedelta(days=7)).replace(microsecond=0).isoformat(),
    )
    accounts: list[Mapping[str, str]] = []
    config += told.tables
    (folder / "secrets").mkdir(mode=0o700)
    for each in settings:
        config += "\n" + each.stanzas
        accounts += each.accounts
        for name, secret in each.secrets.items():
            private(folder / "secrets" / name, secret)
    private(folder / "accounts.csv", accounts_csv(accounts))
    (folder / "roster.csv").write_bytes(roster)
    path = folder / "livemon.toml"
    path.write_text(config, encoding="utf-8")
    return path


def private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def accounts_csv(accounts: Sequence[Mapping[str, str]]) -> bytes:
    columns = list(dict.fromkeys(name for account in accounts for name in account))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(accounts)
    return text.getvalue().encode()


def schedule_csv(slots: Sequence[tuple[Part, float, float]], began_at: datetime) -> bytes:
    """The plan as a schedule file; the clock of the world showed 0 at `began_at`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("platform", "room", "starts_at", "ends_at"))
    for part, from_s, to_s in slots:
        starts_at, ends_at = (began_at + timedelta(seconds=round(second)) for second in (from_s, to_s))
        if starts_at < ends_at:
            writer.writerow((part.platform, part.room, to_the_second(starts_at), to_the_second(ends_at)))
    return text.getvalue().encode("utf-8-sig")


def to_the_second(instant: datetime) -> str:
    return instant.replace(microsecond=0).isoformat()
