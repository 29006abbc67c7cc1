"""Pages of JD's jingdong.pop.order.search: what they say, and where the next one begins.

The names of an order's fields are those of public clients and of one recorded order in a public repository; amounts
are texts in yuan there, times those of Shanghai, and the year 1 stands for "not yet".
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import OrderDetail
from ..inner_json import inner_json
from ..instants import instant
from ..json_body import json_body
from ..money import count, yuan
from ..open_api import Page
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..pages import page_of
from ..sale_items import summed
from ..tick import Sale, SaleItem, SaleKind

SHANGHAI = ZoneInfo("Asia/Shanghai")
PAGE_SIZE = 100
NOT_YET = ("0001-", "1970-01-01")
CANCELLED = "TRADE_CANCELED"
NOT_PAID = "NOT_PAY"


class Outcome(msgspec.Struct, frozen=True):
    success: bool | str = False
    numberCode: str | int | None = None


class Found(msgspec.Struct, frozen=True):
    apiResult: Outcome | None = None
    orderTotal: str | int = 0
    orderInfoList: list[object] | None = None


class Envelope(msgspec.Struct, frozen=True):
    """`responce` is the platform's own spelling."""

    code: str | int = ""
    searchorderinfo_result: Found | None = None


class SearchAnswer(msgspec.Struct, frozen=True):
    jingdong_pop_order_search_responce: Envelope


class ModifiedAt(msgspec.Struct, frozen=True):
    modified: str


class Line(msgspec.Struct, frozen=True):
    """What was paid for it is not told: its price is the one before discounts."""

    skuId: str | int
    skuName: str | None = None
    itemTotal: object = None


class Order(msgspec.Struct, frozen=True):
    orderId: str | int
    orderState: str
    orderPayment: object = None  # 用户应付金额: what the buyer is to pay, postage and discounts in it
    orderStartTime: str | None = None
    paymentConfirmTime: str | None = None
    orderEndTime: str | None = None
    open_id_buyer: str | None = None
    itemInfoList: list[Line] | None = None


def asked_from(mark: str) -> tuple[int, int]:
    """From which second on, and which page of it: marks are our own, as `1764000000.2`."""
    since, _, page = mark.partition(".")
    return int(since), int(page)


def orders_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, mark: str) -> Page:
    found = json_body(body, SearchAnswer).jingdong_pop_order_search_responce.searchorderinfo_result
    if found is None or found.orderInfoList is None:
        raise BadFrame("bad_page: it has no list of orders")
    if any(_of_another(entry, shop) for entry in found.orderInfoList):
        # Not one by one: then all of them would be set aside, and the poll would go on past them.
        raise BadFrame("bad_page: orders of another shop than the account's")
    after = _next(found.orderInfoList, count(found.orderTotal), mark)
    return page_of(
        found.orderInfoList, Order, "orderId", lambda order: _facts(row, shop, order, received_at), after
    )  # fmt: skip


def _of_another(entry: object, shop: str) -> bool:
    told = entry.get("venderId") if isinstance(entry, dict) else None
    return told is not None and str(told) != shop


def _facts(row: FeedRow, shop: str, order: Order, received_at: datetime) -> Iterable[Sale]:
    order_id, more = exact_id(order.orderId), _more(order)
    times: dict[SaleKind, str | None] = {
        "created": order.orderStartTime,
        "paid": None if order.orderState == NOT_PAID else order.paymentConfirmTime,
        "cancelled": order.orderEndTime if order.orderState == CANCELLED else None,
    }
    for kind, told in times.items():
        if told and not told.startswith(NOT_YET):
            amount_minor = yuan(order.orderPayment) if kind == "paid" else 0
            known = msgspec.structs.replace(more, amount_minor=amount_minor)
            yield order_sale(row, kind, shop, order_id, instant(told, SHANGHAI), received_at, known, via="poll")


def _more(order: Order) -> OrderDetail:
    lines = order.itemInfoList or []
    counts = [None if line.itemTotal is None else count(line.itemTotal) for line in lines]
    return OrderDetail(
        units=sum(known for known in counts if known is not None) or None,
        buyer=order.open_id_buyer.encode() if order.open_id_buyer else None,
        items=summed(
            SaleItem(exact_id(line.skuId), line.skuName, units) for line, units in zip(lines, counts, strict=True)
        ),
    )


def _next(entries: Sequence[object], total: int, mark: str) -> str:
    """From the last order on; the next page of the same second, if this page was of one second alone.

    Orders leave a window while it is read, when they are updated again; counting pages from its start would pass over
    what moves up then.
    """
    page = asked_from(mark)[1] if mark else 1
    if (page - 1) * PAGE_SIZE + len(entries) >= total:
        return ""
    modified = [int(instant(inner_json(entry, ModifiedAt).modified, SHANGHAI).timestamp()) for entry in entries]
    if not modified or modified != sorted(modified):
        raise BadFrame("bad_page: it is empty, or not in the order of updates, and more should follow")
    return f"{modified[-1]}.{page + 1}" if modified[0] == modified[-1] else f"{modified[-1]}.1"
