"""What each part of a rehearsal takes of the machine: processor time and memory, read from /proc (Linux alone)."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Part:
    """Processor seconds since the first sample, and the largest memory seen at once (PSS: shared pages count once)."""

    first_s: float | None = None
    last_s: float = 0.0
    bytes_max: int = 0

    @property
    def cpu_s(self) -> float:
        return self.last_s - (self.first_s or 0.0)


@dataclass
class Usage:
    """Samples of named parts, each a process with all its children."""

    began_s: float = field(default_factory=time.monotonic)
    parts: dict[str, Part] = field(default_factory=dict)
    bytes_max: int = 0  # of all parts at one instant

    def sample(self, pids: dict[str, int], apart: Iterable[int] = ()) -> None:
        """`pids` names the root process of each part; processes of `apart` and their children belong to their own part
        alone, though a root of another part may have started them."""
        if not PROC.is_dir():
            return
        children = children_of_all()
        roots = set(pids.values()) | set(apart)
        total = 0
        for name, root in pids.items():
            part = self.parts.setdefault(name, Part())
            cpu_s, size = 0.0, 0
            for pid in family(root, children, roots):
                cpu_s += cpu_of(pid)
                size += bytes_of(pid)
            part.first_s = cpu_s if part.first_s is None else part.first_s
            part.last_s = max(part.last_s, cpu_s)  # a process that was replaced begins at 0 again
            part.bytes_max = max(part.bytes_max, size)
            total += size
        self.bytes_max = max(self.bytes_max, total)

    def lines(self) -> Iterable[str]:
        """A table for a person: share of one core, and megabytes."""
        for name, part in self.parts.items():
            share = part.cpu_s / max(time.monotonic() - self.began_s, 1e-9)
            yield f"  {name:<22} {share:>6.1%} of one core   {part.bytes_max / 1e6:>6,.0f} MB"
        if self.parts:
            whole = sum(part.cpu_s for part in self.parts.values()) / max(time.monotonic() - self.began_s, 1e-9)
            yield f"  {'all of it':<22} {whole:>6.1%} of one core   {self.bytes_max / 1e6:>6,.0f} MB"


def children_of_all() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (stat := stat_of(int(folder.name))):
            children.setdefault(int(stat[1]), []).append(int(folder.name))
    return children


def family(root: int, children: dict[int, list[int]], other_roots: set[int]) -> Iterable[int]:
    yield root
    for child in children.get(root, ()):
        if child not in other_roots:
            yield from family(child, children, other_roots)


def stat_of(pid: int) -> list[str]:
    """Fields 3 and on of /proc/PID/stat; none of a process that is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(") ")[2].split()
    except OSError:
        return []


def cpu_of(pid: int) -> float:
    """Seconds of the process and of those children that ended and were waited for."""
    stat = stat_of(pid)
    return sum(map(int, stat[11:15])) / TICKS_S if stat else 0.0


def bytes_of(pid: int) -> int:
    try:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # it is gone, or another user's (PostgreSQL where livemon runs as root): its resident pages, then
    stat = stat_of(pid)
    return int(stat[21]) * os.sysconf("SC_PAGE_SIZE") if stat else 0
