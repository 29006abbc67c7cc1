"""What a file of sales or ticks says: the items of our push format, and every error in it as `file:line: what`."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from re import compile as pattern
from typing import Literal

import msgspec

from collectors.collector import BadFrame
from collectors.instants import instant
from collectors.orders.push_json import NAME, PushJson
from collectors.tick import EPOCH, Sale, Tick
from monitor.problem import Problem, quoted
from monitor.roster_file import Meaningless, Rejected, meaning
from monitor.table_file import Cell, Row, read_table, text_of

Relation = Literal["viewer_tick", "sale"]
Item = dict[str, object]

ROWS_MAX = 500_000
ROOM_HEADINGS = {
    "room": "room", "external_id": "room", "直播间": "room", "房间": "room", "房间号": "room", "直播间id": "room",
    "直播间号": "room",
}  # fmt: skip
TICK_HEADINGS = ROOM_HEADINGS | {
    "at": "at", "时间": "at", "采样时间": "at",
    "live": "live", "在播": "live", "直播中": "live", "开播": "live",
    "viewers": "viewers", "在线人数": "viewers", "在线": "viewers", "观看人数": "viewers",
    "views_total": "views_total", "累计观看": "views_total", "场观": "views_total",
    "likes_total": "likes_total", "点赞": "likes_total", "点赞数": "likes_total", "累计点赞": "likes_total",
    "kbps": "kbps", "码率": "kbps", "session_key": "session_key", "场次": "session_key",
}  # fmt: skip
SALE_HEADINGS = ROOM_HEADINGS | {
    "platform": "platform", "平台": "platform", "event_id": "event_id", "事件号": "event_id",
    "shop": "shop", "店铺": "shop", "店铺id": "shop", "order_id": "order_id", "订单号": "order_id",
    "订单编号": "order_id", "订单id": "order_id", "sub_order": "sub_order", "子订单号": "sub_order",
    "子订单编号": "sub_order", "refund_id": "refund_id", "退款单号": "refund_id", "退款编号": "refund_id",
    "售后单号": "refund_id", "kind": "kind", "类型": "kind", "事件": "kind",
    "at": "at", "时间": "at", "发生时间": "at", "支付时间": "at",
    "amount": "amount", "金额": "amount", "实付金额": "amount", "支付金额": "amount",
    "amount_minor": "amount_minor", "金额(分)": "amount_minor", "金额（分）": "amount_minor",
    "currency": "currency", "币种": "currency", "coin": "coin", "coins": "coins", "units": "units", "件数": "units",
    "数量": "units", "buyer": "buyer", "买家": "buyer", "买家id": "buyer",
}  # fmt: skip
HEADINGS: dict[Relation, Mapping[str, str]] = {"viewer_tick": TICK_HEADINGS, "sale": SALE_HEADINGS}
REQUIRED: dict[Relation, tuple[str, ...]] = {"viewer_tick": ("room", "at"), "sale": ("kind", "at")}

KINDS = {
    "下单": "created", "创建": "created", "已下单": "created", "待付款": "created", "支付": "paid", "付款": "paid",
    "已支付": "paid", "已付款": "paid", "退款": "refunded", "已退款": "refunded", "退款成功": "refunded",
    "取消": "cancelled", "已取消": "cancelled", "canceled": "cancelled", "礼物": "gift", "打赏": "gift",
}  # fmt: skip
YES, NO = ("true", "1", "yes", "y", "是", "直播中", "在播"), ("false", "0", "no", "n", "否", "未开播", "已下播")
IDS = frozenset({"room", "shop", "order_id", "sub_order", "refund_id", "event_id", "session_key", "buyer"})
NUMBERS = frozenset({"viewers", "views_total", "likes_total", "kbps", "units", "coins", "amount_minor"})
GROUPED = pattern(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
DATE = pattern(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?[Tt\s]\s*(\d{1,2}):")


class Told(msgspec.Struct, frozen=True):
    """One good row: its item as the push format has it, and what a summary of the file needs of it."""

    line: int
    item: Item
    fact: Tick | Sale

    @property
    def at(self) -> datetime:
        return self.fact.at


class ImportFile(msgspec.Struct, frozen=True):
    """What the file says. `broken`: it cannot be relied upon as a whole."""

    columns: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: bool = False


class Span(msgspec.Struct, frozen=True):
    """The times a file may speak of."""

    from_at: datetime
    to_at: datetime


def read_import_file(
    data: bytes, file: str, relation: Relation, feed: PushJson, zone: tzinfo, span: Span
) -> ImportFile:
    """Read the bytes of a file; times without an offset are those of `zone`. `file` is for messages."""
    table = read_table(data, file, HEADINGS[relation], REQUIRED[relation], ROWS_MAX)
    if table.broken:
        return ImportFile(problems=table.problems, broken=True)
    problems: dict[int, list[Problem]] = {}
    for problem in table.problems:
        problems.setdefault(problem.line, []).append(problem)
    read = _tick if relation == "viewer_tick" else _sale
    seen: dict[str, int] = {}
    told: list[Told] = []
    for row in table.rows:
        try:
            found = _told(row, read, REQUIRED[relation], feed, zone, span)
            _refuse_twice(found, seen)
        except Meaningless as error:
            problems.setdefault(row.line, []).append(Problem(file, row.line, error.what, error.todo))
            continue
        if row.line not in problems:
            told.append(found)
    return ImportFile(table.columns, tuple(told), _rejected(table.rows, problems), _sorted(problems))


def _rejected(rows: Iterable[Row], problems: Mapping[int, list[Problem]]) -> tuple[Rejected, ...]:
    return tuple(
        Rejected(row, tuple(f"{problem.what}; {problem.todo}" for problem in problems[row.line]))
        for row in rows
        if row.line in problems
    )


def _sorted(problems: Mapping[int, list[Problem]]) -> tuple[Problem, ...]:
    return tuple(sorted(problem for of_line in problems.values() for problem in of_line))


def _told(row: Row, read: "Reader", required: Iterable[str], feed: PushJson, zone: tzinfo, span: Span) -> Told:
    item: Item = {}
    for column in required:
        if not text_of(row.cells[column]):
            raise Meaningless(f"{column} is empty", "every row needs it")
    for column, cell in row.cells.items():
        try:
            value = _value(column, cell, zone)
        except Meaningless as error:
            raise Meaningless(f"{column} {error.what}", error.todo) from error
        if value is not None:
            item[column] = value
    try:
        fact = read(feed, item)
    except msgspec.ValidationError as error:
        raise Meaningless(str(error).replace(" - at `$.", " in column `"), "correct it") from error
    except BadFrame as error:
        raise Meaningless(str(error), "correct it") from error
    if not span.from_at <= fact.at <= span.to_at:
        raise Meaningless(
            f"at {quoted(f'{fact.at.astimezone(zone):%Y-%m-%d %H:%M:%S}')} is out of range",
            f"give times from {span.from_at.astimezone(zone):%Y-%m-%d %H:%M} until now",
        )
    return Told(row.line, item, fact)


Reader = Callable[[PushJson, Item], Tick | Sale]
"""Completes an item, and asks the push format itself what it means."""


def _tick(feed: PushJson, item: Item) -> Tick:
    return feed.tick(item)


def _sale(feed: PushJson, item: Item) -> Sale:
    sub_order, refund = item.pop("sub_order", None), item.pop("refund_id", None)
    if "event_id" not in item:
        if "shop" not in item or "order_id" not in item:
            raise Meaningless("neither event_id nor shop and order_id", "give one of them: they name the fact")
        parts = (item["shop"], item["order_id"], sub_order, item.get("kind"), refund)
        item["event_id"] = ":".join(str(part) for part in parts if part is not None)
    if not NAME.fullmatch(str(item["event_id"])):
        what = f"event {quoted(str(item['event_id']))} holds other signs than A-z 0-9 _ : . - or over 128 of them"
        raise Meaningless(what, "use the platform's ids, not names")
    return feed.sale(item, EPOCH, "file")


def _refuse_twice(told: Told, seen: dict[str, int]) -> None:
    event_id = told.item.get("event_id")
    if event_id is None:
        return
    name = f"{told.item.get('platform', '')}\n{event_id}"
    if seen.setdefault(name, told.line) != told.line:
        raise Meaningless(
            f"event {quoted(str(event_id))} stands at line {seen[name]} already", "remove one, or tell them apart"
        )


def _value(column: str, cell: Cell, zone: tzinfo) -> object:
    """What a cell means as the push format would have it; None where it is empty."""
    text = unicodedata.normalize("NFKC", text_of(cell))
    if not text:
        return None
    if column in IDS:
        return meaning(column, cell)
    if column == "at":
        return _instant(cell, text, zone)
    if column == "live":
        return _truth(text)
    if column in NUMBERS:
        return _whole(text)
    if column == "amount":
        amount = text.lstrip("¥$€£").strip()
        return amount.replace(",", "") if GROUPED.fullmatch(amount) else amount
    if column == "kind":
        return _kind(text)
    return text.upper() if column == "currency" else text


def _instant(cell: Cell, text: str, zone: tzinfo) -> str:
    if isinstance(cell, datetime):  # a spreadsheet's time, exact to the millisecond
        wall = cell + timedelta(microseconds=500)
        text = wall.replace(microsecond=wall.microsecond // 1000 * 1000).isoformat()
    elif found := DATE.match(text):
        year, month, day, hour = (int(part) for part in found.groups())
        text = f"{year}-{month:02}-{day:02}T{hour:02}:{text[found.end() :].replace(' ', '')}"
    try:
        return instant(text, zone).isoformat()
    except BadFrame as error:
        raise Meaningless(f"{quoted(text)} is no date with a time", "write it as 2026-11-19 20:00:05") from error


def _kind(text: str) -> str:
    kind = KINDS.get(text.casefold(), text.casefold())
    if kind not in KINDS.values():
        raise Meaningless(f"{quoted(text)} is no kind", "write created, paid, refunded, cancelled or gift")
    return kind


def _truth(text: str) -> bool:
    if text.casefold() in YES + NO:
        return text.casefold() in YES
    raise Meaningless(f"{quoted(text)} is neither yes nor no", "write true or false")


def _whole(text: str) -> int:
    digits = text.replace(",", "") if GROUPED.fullmatch(text) else text
    if digits.isdigit() and len(digits) <= 19:
        return int(digits)
    raise Meaningless(f"{quoted(text)} is no whole number", "write it as digits: 12000")
