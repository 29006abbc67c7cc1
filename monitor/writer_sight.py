"""The writer as the pages show it: does it write, and if not, since when and why."""

import time
from datetime import UTC, datetime
from typing import Protocol

from monitor.http.sources import WriterSight

BLOCKED_S_MAX = 15.0


class Writer(Protocol):
    """The writer, as far as this is concerned."""

    @property
    def blocked_since(self) -> float | None: ...
    @property
    def blocked_reason(self) -> str: ...


def sight_of(writer: Writer, partitions_ready_until: datetime | None) -> WriterSight:
    since = writer.blocked_since
    return WriterSight(
        connected=since is None,
        blocked_since=None if since is None else datetime.fromtimestamp(since, UTC),
        blocked_by=writer.blocked_reason,
        partitions_ready_until=partitions_ready_until,
    )


def reasons_of(writer: Writer) -> list[str]:
    """Why a balancer should not send here: the spool is open by now, so only the writer can be at fault."""
    if writer.blocked_since is not None and time.time() - writer.blocked_since > BLOCKED_S_MAX:
        return [f"PostgreSQL takes no batches: {writer.blocked_reason}"]
    return []
