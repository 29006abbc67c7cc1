"""What a message of a Bilibili live room means: the room goes on or off air, somebody gave a gift, or nothing of ours.

A frame is the room whose socket brought it, a line feed, and the message as it came: without the first nobody could
tell that a message was another room's.
"""

from datetime import datetime
from typing import Literal

import msgspec

from .collector import BadFrame
from .hook import Meaning
from .instants import instant
from .json_body import document, formed
from .money import count, number, thousandths, yuan
from .order_ids import exact_id
from .tick import Sale, SaleItem, Tick
from .whole_seconds import as_heard, before_all

PREFIX = "LIVE_OPEN_PLATFORM_"
START, END, LIKE = PREFIX + "LIVE_START", PREFIX + "LIVE_END", PREFIX + "LIKE"
GIFT, GUARD, SUPER_CHAT = PREFIX + "SEND_GIFT", PREFIX + "GUARD", PREFIX + "SUPER_CHAT"
OVER = PREFIX + "INTERACTION_END"
MEANT = frozenset((START, END, LIKE, GIFT, GUARD, SUPER_CHAT))  # of all others nothing is kept
HEEDED = MEANT | {OVER}
MONTH = "月"

PriceIs = Literal["paid", "each"]
"""Whether the price of a gift is what was paid for all of them, or for each one: sources contradict each other."""

Id = str | int


class Blind(msgspec.Struct, frozen=True):
    status: bool = False


class User(msgspec.Struct, frozen=True):
    open_id: str = ""


class Data(msgspec.Struct, frozen=True):
    """The fields of all messages that we understand."""

    room_id: Id = ""
    timestamp: object = None
    msg_id: Id = ""
    open_id: str = ""
    gift_id: Id = ""
    gift_name: str = ""
    gift_num: object = None
    price: object = None
    r_price: object = None
    paid: bool = False
    blind_gift: Blind | None = None
    user_info: User | None = None
    guard_level: object = None
    guard_num: object = None
    guard_unit: object = MONTH
    message_id: Id = ""
    rmb: object = None


class Message(msgspec.Struct, frozen=True):
    cmd: str
    data: Data


class Ended(msgspec.Struct, frozen=True):
    game_id: Id | None = None


class Over(msgspec.Struct, frozen=True):
    data: Ended = Ended()


class Command(msgspec.Struct, frozen=True):
    cmd: str = ""


def frame_of(room: str, message: bytes) -> bytes:
    return room.encode() + b"\n" + message


def command_of(message: bytes) -> str:
    """What a message is about. Raises BadFrame."""
    return _command(document(message))


def over_of(message: bytes) -> str:
    """Whose run a message says is over: its game, empty where that cannot be told. Raises BadFrame."""
    told = formed(document(message), Over).data.game_id
    return "" if told is None else str(told)


def _command(found: object) -> str:
    return formed(found, Command).cmd.partition(":")[0]


def glanced_at(message: bytes) -> str:
    """What a message is about, by a reading that is quick and lenient: good enough for what is dropped whatever else
    it says, as most of what is said in a room is. Empty: that cannot be told without reading it strictly."""
    if b"\\u" in message or message.count(b'"cmd"') != 1:
        return ""  # the key may stand there twice
    try:
        return msgspec.json.decode(message, type=Command).cmd.partition(":")[0]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def meaning_of(frame: bytes, at: datetime, feed: str, platform: str, price_is: PriceIs) -> Meaning:
    """`at` is when it was received. Raises BadFrame."""
    room, parted, body = frame.partition(b"\n")
    if not parted:
        raise BadFrame("bad_frame: no room stands before the message")
    found = document(body)
    if _command(found) not in MEANT:
        return Meaning()
    message = formed(found, Message)
    name, data = message.cmd.partition(":")[0], message.data
    if (told := exact_id(data.room_id)) != room.decode("utf-8", "replace"):
        raise BadFrame("bad_room: a message of another room than its socket's")
    if name in (START, END):
        live = name == START
        happened_at = as_heard(instant(data.timestamp), live, at)
        return Meaning(ticks=[Tick(feed, told, happened_at, "event", live, end=None if live else "ended")])
    if name == LIKE:  # it comes only while the room is on air
        return Meaning(ticks=[Tick(feed, told, _liked_at(data.timestamp, at), "status", True)])
    if name == GIFT and not data.paid:
        return Meaning()  # of silver, or out of somebody's bag: nobody paid
    user = data.user_info.open_id if data.user_info is not None else data.open_id
    sale = Sale(
        feed=feed, platform=platform, event_id=f"{told}:{_fact(name, data)}:gift", at=instant(data.timestamp),
        received_at=at, kind="gift", amount_minor=0, currency="CNY", room=told, buyer=user.encode() or None,
    )  # fmt: skip
    return Meaning([_priced(sale, name, data, price_is)])


def _liked_at(timestamp: object, received_at: datetime) -> datetime:
    return received_at if timestamp is None else min(received_at, before_all(instant(timestamp)))


def _fact(name: str, data: Data) -> str:
    return f"sc{exact_id(data.message_id)}" if name == SUPER_CHAT else exact_id(data.msg_id)


def _priced(sale: Sale, name: str, data: Data, price_is: PriceIs) -> Sale:
    if name == SUPER_CHAT:
        return msgspec.structs.replace(sale, amount_minor=yuan(data.rmb), units=1)
    if name == GUARD:
        units = count(data.guard_num) if data.guard_unit == MONTH else 1  # any other unit says itself how much: *3天
        item = SaleItem(f"guard{exact_id(data.guard_level)}", None, units)
        return msgspec.structs.replace(sale, amount_minor=thousandths(data.price), units=units, items=(item,))
    units = count(data.gift_num)
    item = SaleItem(exact_id(data.gift_id), data.gift_name or None, units)
    return msgspec.structs.replace(sale, amount_minor=_gift_minor(data, units, price_is), units=units, items=(item,))


def _gift_minor(data: Data, units: int, price_is: PriceIs) -> int:
    """In fen; 1,000 are one yuan. The lower of both prices, as each may be that of a list: money is never invented.

    Of a blind box both are the value of what came out of it, and what it cost is not told: it is a gift of 0.
    """
    if data.blind_gift is not None and data.blind_gift.status:
        return 0
    told = [number(price) for price in (data.price, data.r_price) if price is not None]
    if not told or min(told) < 0:
        raise BadFrame("amount: missing, or negative")
    paid = min((price for price in told if price), default=told[0])  # 0 of what was paid for: it is not told
    return thousandths(paid * (units if price_is == "each" else 1))
