"""What makes a parsed sale one that may be written: no name in it, money instead of coins, nothing out of bounds."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import get_args

import msgspec

from collectors.money import AMOUNT_MINOR_MAX, DECIMALS, UNITS_MAX
from collectors.tick import Sale, SaleItem, SaleKind
from monitor.rates import Rates

EVENT_ID = re.compile(r"[\w:.-]{1,128}")
KINDS = frozenset(get_args(SaleKind))
ID_CHARS_MAX = 128
TITLE_CHARS_MAX = 256
ITEMS_MAX = 1_000
PAST_MAX = timedelta(days=7)
FUTURE_MAX = timedelta(minutes=10)
BEFORE_EVENT_MAX = timedelta(days=30)  # what is asked for or comes as a file may be older than what is pushed
FILED_PAST_MAX = timedelta(days=365)  # where no event is configured
NOT_FOR_TEXT = re.compile("[\0\ud800-\udfff]")


class Unfit(Exception):
    """This sale is not written; the reason is one of few fixed words, and repeats nothing of the sale."""


class SaleRules:
    def __init__(self, buyer_key: bytes, rates: Rates, event_starts_at: datetime | None = None) -> None:
        self._buyer_key, self._rates, self.event_starts_at = buyer_key, rates, event_starts_at

    def __repr__(self) -> str:
        return "SaleRules(***)"

    def fit(self, sale: Sale, received_at: datetime) -> Sale:
        """The sale as it may be written. Raises Unfit."""
        self._check_ids(sale)
        self._check_time(sale, received_at)
        amount_minor, currency = self._money(sale)
        if sale.units is not None and not _in(sale.units, UNITS_MAX):
            raise Unfit("units out of range")
        return msgspec.structs.replace(
            sale,
            received_at=received_at,
            amount_minor=amount_minor,
            currency=currency,
            coin=None,
            buyer=self._nobody(sale),
            room=_clean(sale.room),
            shop=_clean(sale.shop),
            order_id=_clean(sale.order_id),
            items=tuple(_item(item) for item in sale.items),
        )

    def _nobody(self, sale: Sale) -> bytes | None:
        """The same buyer of a platform has the same hash, and nobody without the key can tell who it is."""
        if not sale.buyer:
            return None
        return hmac.digest(self._buyer_key, f"{sale.platform}\n".encode() + sale.buyer, hashlib.sha256)

    def _check_ids(self, sale: Sale) -> None:
        if EVENT_ID.fullmatch(sale.event_id) is None:
            raise Unfit("event id out of shape")
        if sale.kind not in KINDS:
            raise Unfit("unknown kind")
        if any(len(told or "") > ID_CHARS_MAX for told in (sale.room, sale.shop, sale.order_id)):
            raise Unfit("an id too long")
        if len(sale.items) > ITEMS_MAX:
            raise Unfit("too many items")

    def _check_time(self, sale: Sale, received_at: datetime) -> None:
        if sale.at.tzinfo is None:
            raise Unfit("time without a zone")
        floor = received_at - PAST_MAX if sale.via == "push" else filed_from(received_at, self.event_starts_at)
        if not floor <= sale.at <= received_at + FUTURE_MAX:
            raise Unfit("time out of range")

    def _money(self, sale: Sale) -> tuple[int, str]:
        amount_minor, currency = sale.amount_minor, sale.currency
        if not _is_whole(amount_minor) or abs(amount_minor) > AMOUNT_MINOR_MAX:
            raise Unfit("amount out of range")
        if amount_minor < 0:
            raise Unfit("negative amount")
        if sale.coin is not None:
            if sale.kind != "gift" or currency:
                raise Unfit("coins that are no gift")
            money = self._rates.money(sale.coin, amount_minor, sale.at)
            if money is None:
                raise Unfit("no rate for coin")
            amount_minor, currency = money
        if currency not in DECIMALS:
            raise Unfit("unknown currency")
        if amount_minor > AMOUNT_MINOR_MAX:
            raise Unfit("amount out of range")
        return amount_minor, currency


def filed_from(received_at: datetime, event_starts_at: datetime | None) -> datetime:
    """The earliest instant of which a file or an answer that was asked for may speak."""
    if event_starts_at is None:
        return received_at - FILED_PAST_MAX
    return min(received_at - PAST_MAX, event_starts_at - BEFORE_EVENT_MAX)


def _item(item: SaleItem) -> SaleItem:
    if not 0 < len(item.item_id) <= ID_CHARS_MAX:
        raise Unfit("an item without an id")
    if item.units is not None and not _in(item.units, UNITS_MAX):
        raise Unfit("units out of range")
    if item.amount_minor is not None and not _in(item.amount_minor, AMOUNT_MINOR_MAX):
        raise Unfit("amount out of range")
    title = _clean(item.title)
    return SaleItem(
        _clean(item.item_id) or "", title[:TITLE_CHARS_MAX] if title else None, item.units, item.amount_minor
    )


def _in(number: object, most: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= most


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _clean(text: str | None) -> str | None:
    """Text that every table can hold: what no text may have becomes U+FFFD; an empty one is none."""
    return NOT_FOR_TEXT.sub("\ufffd", text) if text else None
