"""What the interface of a played platform shows of an order after each thing that was told of it."""

from collections.abc import MutableMapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ..event.order import Happened, Order
from ..scene import Scene
from .order_index import OrderIndex
from .token_office import PlayedOrder, PlayedRefund

KEPT_PLAY = timedelta(days=3)
KEPT_MIN = timedelta(days=1)  # of the world: livemon may have been away that long, and asks for what it missed


class Moved(msgspec.Struct, frozen=True):
    """Money that was paid or went back: how much, when, and the refund's id."""

    kind: Literal["paid", "refunded"]
    minor: int
    at: datetime
    ref: str = ""


def order_index(scene: Scene) -> OrderIndex:
    """For one play: what was not touched for three days of it, and a day of the world, is forgotten."""
    return OrderIndex(max(KEPT_PLAY / scene.tempo.speed, KEPT_MIN))


def refund_id_of(order_id: str) -> str:
    """An order of the play is refunded once. It fits 63 bits as the order's id does, and is none of an order."""
    return "7" + order_id[1:]


def told_order(
    orders: MutableMapping[str, PlayedOrder], event: Happened, scene: Scene, shop: str, room: str = "", author: str = ""
) -> PlayedOrder:
    """Put into `orders` as it stands from now on: who polls for what was touched finds it, however old its stamp."""
    order, at = event.order, scene.tempo.at(event.at_s)
    now = max(scene.now(), at)
    order_id = scene.order_id(order)
    before = orders.get(order_id) or _new(scene, order, order_id, shop, room, author, now)
    after = replace(before, updated_at=now)
    match event.what:
        case "paid":
            after.paid_at = at
        case "cancelled":
            after.cancelled_at = at
        case "refunded":
            after.paid_at = after.paid_at or _at(scene, order.paid_s)
            after.refunds = [PlayedRefund(refund_id_of(order_id), order.refund_minor, now, done_at=at)]
    orders[order_id] = after
    return after


def _new(scene: Scene, order: Order, order_id: str, shop: str, room: str, author: str, now: datetime) -> PlayedOrder:
    return PlayedOrder(
        order_id, shop, scene.tempo.at(order.created_s), now, order.amount_minor, room=room, author=author,
        product=order.product, title=order.title, units=order.units, buyer=order.buyer,
    )  # fmt: skip


def _at(scene: Scene, play_s: float | None) -> datetime | None:
    return None if play_s is None else scene.tempo.at(play_s)


def money_moved(event: Happened, order: PlayedOrder) -> Moved | None:
    """None, where this moved none."""
    if event.what == "paid" and order.paid_at is not None:
        return Moved("paid", order.amount_minor, order.paid_at)
    if event.what == "refunded":
        [refund] = order.refunds
        return Moved("refunded", refund.amount_minor, refund.done_at or refund.updated_at, refund.refund_id)
    return None


def shops_of(scene: Scene, sells_on: str) -> list[str]:
    """The shops of a kind in which rooms of the play sell."""
    return sorted({part.shop for part in scene.play.parts if part.sells_on == sells_on})
