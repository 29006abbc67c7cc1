"""Reads the entries of a page of a listing, each by itself: one that is broken costs one."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import msgspec

from .collector import BadFrame
from .hook import Bad, Need
from .inner_json import inner_json
from .open_api import Page
from .order_ids import fit_name
from .tick import Sale


def page_of[T: msgspec.Struct](
    entries: Sequence[object], form: type[T], id_field: str, meant: Callable[[T], Iterable[Sale | Need]],
    mark: str = "",
) -> Page:  # fmt: skip
    """What each entry means, as `form`; `id_field` names the entry to people, `mark` the page after this one.

    Of an entry that needs an answer nothing is told before that answer is there.
    """
    sales: list[Sale] = []
    needs: list[Need] = []
    bad: list[Bad] = []
    for number, entry in enumerate(entries, 1):
        try:
            found = list(meant(inner_json(entry, form)))
        except BadFrame as error:
            named = entry.get(id_field) if isinstance(entry, dict) else None
            bad.append(Bad(str(error), fit_name(named) or f"entry {number}", _bare(entry, form)))
        else:
            wanted = [one for one in found if isinstance(one, Need)]
            needs += wanted
            sales += [] if wanted else [one for one in found if isinstance(one, Sale)]
    return Page(sales, needs, bad, mark)


def _bare(entry: object, form: type[msgspec.Struct]) -> bytes:
    """The plain fields that we read, for whoever looks why it was bad: listings carry people's names beside them."""
    fields = set(form.__struct_fields__)
    told = entry.items() if isinstance(entry, dict) else ()
    return msgspec.json.encode({
        name: value
        for name, value in told
        if name in fields and (value is None or isinstance(value, str | int | Decimal))
    })  # fmt: skip
