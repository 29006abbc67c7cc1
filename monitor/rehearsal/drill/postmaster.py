"""The processes of an embedded PostgreSQL, found by the pid that it noted, and signalled for a drill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from monitor.store.cluster import Cluster


def pid_of(data_dir: Path) -> int | None:
    """The postmaster of the server under livemon's data_dir; None while none runs."""
    cluster = Cluster(data_dir)
    pid, _ = cluster.postmaster()
    return pid if cluster.status() is not None else None


def signal_family(pid: int, number: signal.Signals) -> None:
    """Signal a postmaster, and for a stop or its end all its children, too: they answer while only it stands still."""
    send(pid, number)  # first: what is stopped makes no new children
    if number in (signal.SIGSTOP, signal.SIGCONT):
        for child in children(pid):
            send(child, number)


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has ended


def children(pid: int) -> list[int]:
    return [child for child, parent in parents() if parent == pid]


def parents() -> list[tuple[int, int]]:
    """Every process of the machine with its parent."""
    if sys.platform != "linux":
        shown = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        return [(int(child), int(parent)) for child, parent in map(str.split, shown.stdout.splitlines())]
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text(errors="replace")
            except OSError:
                continue  # it has ended meanwhile
            found.append((int(folder.name), int(stat.rpartition(")")[2].split()[1])))
    return found
