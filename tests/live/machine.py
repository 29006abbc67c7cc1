"""The session machine as a bundle that can be exchanged: the real one, or a copy with a planted bug."""

import importlib
import sys
from pathlib import Path
from typing import Any, NamedTuple

LIVE_ROOM = Path(__file__).parents[2] / "monitor" / "live"


class Machine(NamedTuple):
    see: Any
    wait: Any
    blinded: Any
    sighted: Any
    reanchored: Any
    Session: Any
    Rules: Any
    Watch: Any


def machine(package: str = "monitor.live") -> Machine:
    seeing, blindness, session, watch = (
        importlib.import_module(f"{package}.{name}") for name in ("seeing", "blindness", "session", "watch")
    )
    return Machine(
        seeing.see,
        seeing.wait,
        blindness.blinded,
        blindness.sighted,
        blindness.reanchored,
        session.Session,
        session.Rules,
        watch.Watch,
    )


def sabotaged(folder: Path, name: str, module: str, right: str, wrong: str) -> Machine:
    """A copy of monitor/live in which one line is wrong. A line that is no longer there is a failure, not a pass."""
    package = folder / name
    package.mkdir()
    for source in LIVE_ROOM.glob("*.py"):
        text = source.read_text(encoding="utf-8")
        if source.stem == module:
            assert text.count(right) == 1, f"{module}.py no longer says just once: {right}"
            text = text.replace(right, wrong)
        (package / source.name).write_text(text.replace("monitor.live", name), encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        return machine(name)
    finally:
        sys.path.remove(str(folder))
