"""Sets up a monitor for a play: its config, roster and schedule, in a folder that belongs to the play alone."""

import csv
import fcntl
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from .cast import Part

MARK = ".livemon-rehearsal"  # whoever finds this file may throw its folder's content away
CONFIG = """\
data_dir = "data"
listen = "127.0.0.1:{port}"
roster = "roster.csv"
grace_s = {grace_s}
end_slack_s = {end_slack_s}

[event]
name = "辽宁网红周（演练）"
starts_at = {starts_at}
ends_at = {ends_at}
"""
FEED = """
[[feed]]
kind = "nginx_rtmp"
name = "hall-{letter}"
hall = "{hall}"
url = "{url}"
interval_s = {interval_s}
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
    halls: Mapping[str, str],
    roster: bytes,
    interval_s: float = 2.0,
    grace_s: float = 30.0,
    end_slack_s: float = 20.0,
) -> Path:
    """Write config and roster; `halls` names the stat URL of each. The path of the config file."""
    config = CONFIG.format(
        port=port,
        grace_s=grace_s,
        end_slack_s=end_slack_s,
        starts_at=began_at.replace(microsecond=0).isoformat(),
        ends_at=(began_at.replace(microsecond=0) + timedelta(days=7)).isoformat(),
    )
    for hall, url in halls.items():
        config += FEED.format(letter=hall.lower(), hall=hall, url=url, interval_s=interval_s)
    (folder / "roster.csv").write_bytes(roster)
    path = folder / "livemon.toml"
    path.write_text(config, encoding="utf-8")
    return path


def schedule_csv(slots: Sequence[tuple[Part, float, float]], platform: str, began_at: datetime) -> bytes:
    """The plan as a schedule file; the play's clock showed 0 at `began_at`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("platform", "room", "starts_at", "ends_at"))
    for part, from_s, to_s in slots:
        starts_at, ends_at = (began_at + timedelta(seconds=round(second)) for second in (from_s, to_s))
        if starts_at < ends_at:
            writer.writerow((platform, part.room, to_the_second(starts_at), to_the_second(ends_at)))
    return text.getvalue().encode("utf-8-sig")


def to_the_second(instant: datetime) -> str:
    return instant.replace(microsecond=0).isoformat()
