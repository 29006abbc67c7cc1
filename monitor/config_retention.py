"""What the database keeps for how long: the [retention] table of the config."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from monitor.config_shape import Complaint

Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
DAYS_MIN = 8  # the service keeps the last seven days of partitions ready, for ticks that come late
BATCHES_DAYS_MIN = 31  # for 30 days a spool asks whether its batches are there; one day for two clocks


class Retention(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """After how many days `livemon prune` takes away what was observed. 0: never."""

    ticks_days: Days = 0
    minutes_days: Days = 0
    batches_days: Days = 0


def complaints(retention: dict[str, Any]) -> Iterator[Complaint]:
    """What is wrong with a table of the right shape."""
    for key, least in {"ticks_days": DAYS_MIN, "minutes_days": DAYS_MIN, "batches_days": BATCHES_DAYS_MIN}.items():
        if 0 < (days := retention.get(key, 0)) < least:
            what = f"retention.{key} is {days}: late rows and lost batches are looked for further back"
            yield ("retention", key), what, f"give {least} or more, or 0 to keep all"
    ticks, minutes = retention.get("ticks_days", 0), retention.get("minutes_days", 0)
    if minutes and (not ticks or minutes < ticks):
        todo = "give minutes_days no less than ticks_days: minutes are computed anew from ticks while those are there"
        yield ("retention", "minutes_days"), "retention.minutes_days ends before retention.ticks_days", todo
