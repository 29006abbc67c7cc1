"""Our clock beside those of others: the database's, and the Date of each server that answers us."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from monitor.doctor.finding import Finding, fine, note, wrong

SKEW_S_MAX = 2.0
DATE_STEP_S = 1.0  # the Date header knows no fractions


class Dates:
    """Listens to every answer of a client, and remembers by how much its server's clock is ahead of ours."""

    def __init__(self) -> None:
        self.ahead_s: dict[str, float] = {}

    def listen(self, http: aiohttp.ClientSession) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._ended)
        trace.freeze()
        http.trace_configs.append(trace)

    async def _ended(self, _session: object, _context: object, end: aiohttp.TraceRequestEndParams) -> None:
        ahead_s = ahead(end.response.headers.get("Date", ""), datetime.now(UTC))
        if ahead_s is not None:
            self.ahead_s[end.url.host or ""] = ahead_s


def ahead(date: str, now: datetime) -> float | None:
    """By how many seconds a Date header is ahead of `now`, if it is one; it stands for the middle of its second."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    if theirs.tzinfo is None:
        return None
    return (theirs - now).total_seconds() + DATE_STEP_S / 2


def check_clock(ahead_s: Mapping[str, float]) -> Finding:
    """`ahead_s`: by whom, and by how much their clock is ahead of ours. One that differs is theirs, most are ours."""
    if not ahead_s:
        return note("clock", "nobody here tells the time to compare with", "set it by NTP")
    far = {who: by for who, by in ahead_s.items() if abs(by) > SKEW_S_MAX + (DATE_STEP_S / 2)}
    if not far:
        most = max(abs(by) for by in ahead_s.values())
        return fine("clock", f"within {most:.1f} s of {', '.join(sorted(ahead_s))}")
    what = ", ".join(
        f"{who} is {abs(by):.1f} s {'ahead of' if by > 0 else 'behind'} us" for who, by in sorted(far.items())
    )
    todo = "set this machine's clock by NTP" if len(far) * 2 > len(ahead_s) else "set its clock by NTP"
    return wrong("clock", what, f"{todo}; signatures are refused beyond five minutes, and sales get the wrong minute")
