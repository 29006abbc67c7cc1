"""Finds orders and refunds of a shop by when they were touched: at once in an index, one by one in a plain dict."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from .token_office import PlayedOrder, PlayedRefund

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
Touch = tuple[int, str]  # unix milliseconds, and the id


def ms_of(at: datetime) -> int:
    """Whole milliseconds since 1970, rounded down, without the doubts of a float."""
    return (at - EPOCH) // MS


class OrderIndex(MutableMapping[str, PlayedOrder]):
    """Orders by their id, as a fake keeps them, of which hundreds of thousands may be asked for all the time.

    An order that stands here is not changed in place: what changed is put again (`dataclasses.replace`). Whatever was
    touched longer than `kept` ago is forgotten when something else of its shop is put.
    """

    def __init__(self, kept: timedelta = timedelta(days=400)) -> None:
        self.kept = kept
        self._orders: dict[str, PlayedOrder] = {}
        self._of_refund: dict[str, str] = {}
        self._touched: dict[str, list[Touch]] = {}  # by shop, as are the next
        self._refunds: dict[str, list[Touch]] = {}

    def __getitem__(self, order_id: str) -> PlayedOrder:
        return self._orders[order_id]

    def __setitem__(self, order_id: str, order: PlayedOrder) -> None:
        if order_id in self._orders:
            self._take_out(order_id)
        self._orders[order_id] = order
        insort(self._touched.setdefault(order.shop, []), (ms_of(order.updated_at), order_id))
        for refund in order.refunds:
            self._of_refund[refund.refund_id] = order_id
            insort(self._refunds.setdefault(order.shop, []), (ms_of(refund.updated_at), refund.refund_id))
        self._forget(order.shop, ms_of(order.updated_at - self.kept))

    def __delitem__(self, order_id: str) -> None:
        self._take_out(order_id)
        del self._orders[order_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._orders)

    def __len__(self) -> int:
        return len(self._orders)

    def touched(self, shop: str, from_ms: int, to_ms: int) -> list[PlayedOrder]:
        """Orders of a shop that were touched in these milliseconds, both included, in the order of their touches."""
        return [self._orders[order_id] for _, order_id in _within(self._touched.get(shop, []), from_ms, to_ms)]

    def refunds(self, shop: str, from_ms: int, to_ms: int) -> list[tuple[PlayedOrder, PlayedRefund]]:
        return [self._refund(refund_id) for _, refund_id in _within(self._refunds.get(shop, []), from_ms, to_ms)]

    def refund(self, refund_id: str) -> tuple[PlayedOrder, PlayedRefund] | None:
        return self._refund(refund_id) if refund_id in self._of_refund else None

    def _refund(self, refund_id: str) -> tuple[PlayedOrder, PlayedRefund]:
        order = self._orders[self._of_refund[refund_id]]
        return order, next(refund for refund in order.refunds if refund.refund_id == refund_id)

    def _take_out(self, order_id: str) -> None:
        order = self._orders[order_id]
        _remove(self._touched[order.shop], (ms_of(order.updated_at), order_id))
        for refund in order.refunds:
            _remove(self._refunds[order.shop], (ms_of(refund.updated_at), refund.refund_id))
            del self._of_refund[refund.refund_id]

    def _forget(self, shop: str, before_ms: int) -> None:
        touched = self._touched[shop]
        while touched and touched[0][0] < before_ms:
            del self[touched[0][1]]


def _within(touched: list[Touch], from_ms: int, to_ms: int) -> list[Touch]:
    return touched[bisect_left(touched, (from_ms, "")) : bisect_right(touched, (to_ms, "\U0010ffff"))]


def _remove(touched: list[Touch], touch: Touch) -> None:
    at = bisect_left(touched, touch)
    assert touched[at : at + 1] == [touch], "an order was changed where it stood"  # noqa: S101 - what the index promises
    del touched[at]


def orders_between(
    orders: Mapping[str, PlayedOrder], shop: str, from_ms: int, to_ms: int,
    by: Literal["updated_at", "created_at"] = "updated_at",
) -> list[PlayedOrder]:  # fmt: skip
    """Orders of a shop by one of their instants, which are in these milliseconds, both included."""
    if isinstance(orders, OrderIndex) and by == "updated_at":
        return orders.touched(shop, from_ms, to_ms)
    return [
        order for order in orders.values() if order.shop == shop and from_ms <= ms_of(getattr(order, by)) <= to_ms
    ]  # fmt: skip


def refunds_between(
    orders: Mapping[str, PlayedOrder], shop: str, from_ms: int, to_ms: int
) -> list[tuple[PlayedOrder, PlayedRefund]]:
    """Refunds of a shop that were touched in these milliseconds, both included, with their orders."""
    if isinstance(orders, OrderIndex):
        return orders.refunds(shop, from_ms, to_ms)
    return [
        (order, refund) for order in orders.values() for refund in order.refunds
        if order.shop == shop and from_ms <= ms_of(refund.updated_at) <= to_ms
    ]  # fmt: skip


def refund_in(orders: Mapping[str, PlayedOrder], shop: str, refund_id: str) -> tuple[PlayedOrder, PlayedRefund] | None:
    """This refund with its order, if it is of this shop."""
    if isinstance(orders, OrderIndex):
        found = orders.refund(refund_id)
    else:
        found = next(
            ((order, it) for order in orders.values() for it in order.refunds if it.refund_id == refund_id), None
        )
    return found if found is not None and found[0].shop == shop else None
