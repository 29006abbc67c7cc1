"""Whether rooms in doubt can be looked at, where feeds ask for it."""

import shutil
from collections.abc import Callable, Sequence

from collectors.collector import FeedRow
from monitor.doctor.finding import Finding, fine, wrong
from monitor.probe.command import PROGRAM
from monitor.probe.prober import probed

NAMES_MAX = 5


def check_probes(feeds: Sequence[FeedRow], which: Callable[[str], str | None] = shutil.which) -> list[Finding]:
    """Nothing where no feed asks for it. `which` finds a program."""
    names = [feed.name for feed in feeds if probed(feed)]
    if not names:
        return []
    if (path := which(PROGRAM)) is not None:
        return [fine(PROGRAM, f"{path}: rooms in doubt of {len(names)} feeds can be looked at")]
    shown = ", ".join(names[:NAMES_MAX]) + (" ..." if len(names) > NAMES_MAX else "")
    todo = "`apt-get install ffmpeg`, or take probe_url out: all else works without it"
    return [wrong(PROGRAM, f"is not installed, though feeds have a probe_url: {shown}", todo)]
