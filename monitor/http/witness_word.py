"""Whether a push has a witness: polls that would find what it misses."""

from collectors.collector import FeedRow
from collectors.hook import HookRow, OrderSocketRow

from .sources import Polls

POLL, NONE = "poll", "none"


def witness_of(row: FeedRow, polls: Polls | None) -> str:
    """`poll`, `none`, or nothing where there is no push of sales to be seen."""
    if not (isinstance(row, HookRow | OrderSocketRow) and "sales" in row.signals()):
        return ""
    return POLL if polls is not None and polls.shops else NONE
