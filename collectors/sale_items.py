"""The lines of an order as items: one for each product, since (event, item) is what names an item."""

from collections.abc import Iterable

from .tick import SaleItem

TITLE_CHARACTERS_MAX = 256


def summed(lines: Iterable[SaleItem]) -> tuple[SaleItem, ...]:
    """Lines of the same item as one: units and amounts add up, the first title stays, cut where it is no title."""
    items: dict[str, SaleItem] = {}
    for line in lines:
        known = items.get(line.item_id)
        if known is None:
            title = line.title[:TITLE_CHARACTERS_MAX] if line.title else None
            items[line.item_id] = SaleItem(line.item_id, title, line.units, line.amount_minor)
        else:
            units, amount_minor = _sum(known.units, line.units), _sum(known.amount_minor, line.amount_minor)
            items[line.item_id] = SaleItem(line.item_id, known.title, units, amount_minor)
    return tuple(items.values())


def _sum(first: int | None, second: int | None) -> int | None:
    """A sum with an unknown part is unknown."""
    return None if first is None or second is None else first + second
