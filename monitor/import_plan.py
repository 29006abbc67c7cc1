"""Cuts the rows of a file into deliveries of our push format, in such a way that the same rows are the same deliveries.

The id of a delivery is its content, and the spool keeps what comes under such an id once in 30 days. Ticks have nothing
else that tells one that was imported before, so they are cut by the hour and sorted: a file that goes on where an
earlier one ended repeats all but the last hour of it to the letter. Sales have their event ids besides, for ever.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import batched, groupby

import msgspec

from collectors.orders.push_json import content_name
from monitor.import_file import Relation, Told

ROWS_MAX = 500  # of one delivery: half of what the format takes


class Chunk(msgspec.Struct, frozen=True):
    """One delivery to be."""

    name: str
    body: bytes
    rows: int


def chunks(relation: Relation, told: Sequence[Told]) -> Iterator[Chunk]:
    """The deliveries of a file, in the order of what they tell."""
    name = "ticks" if relation == "viewer_tick" else "sales"
    encoded = sorted((row.at, msgspec.json.encode(row.item, order="sorted")) for row in told)
    for _, hour in groupby(encoded, key=_hour):
        for part in batched(hour, ROWS_MAX, strict=False):
            items = b",".join(item for _, item in part)
            body = b'{"via":"file","%s":[%s]}' % (name.encode(), items)
            yield Chunk(content_name(body), body, len(part))


def _hour(row: tuple[datetime, bytes]) -> datetime:
    return row[0].replace(minute=0, second=0, microsecond=0)
