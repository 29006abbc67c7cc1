"""Reads and writes the JSON commands of Pinduoduo's message channel (PMC), as far as hearing and confirming go."""

from collections.abc import Set
from datetime import datetime

import msgspec

from .collector import Now
from .order_socket import Message, Said, turned_away

NOTHING = msgspec.Raw(b"null")


class RawMessage(msgspec.Struct):
    type: str = ""
    mallID: msgspec.Raw = NOTHING
    content: str = ""


class RawCommand(msgspec.Struct):
    """A command as far as its confirmation goes: ids stay the bytes that came."""

    commandType: str
    id: msgspec.Raw = NOTHING
    sendTime: msgspec.Raw = NOTHING
    message: RawMessage | None = None


class Ack(msgspec.Struct):
    commandType: str
    id: msgspec.Raw
    time: int
    sendTime: msgspec.Raw
    type: str
    mallID: msgspec.Raw


def heard(message: Message, now: Now, ours: Set[str]) -> Said:
    """What is of our types is kept and then confirmed; what is not is confirmed, or it would come for ever."""
    raw = message if isinstance(message, bytes) else message.encode()
    try:
        command = msgspec.json.decode(raw, type=RawCommand)
    except (msgspec.DecodeError, RecursionError):
        return Said(raw)
    told = command.message
    if command.commandType == "Fail":
        raise turned_away("PMC", told.content if told is not None else "")
    if command.commandType != "Common":
        return Said()
    if told is None or command.id == NOTHING:
        return Said(raw)
    ack = Ack("Ack", command.id, milliseconds(now()), command.sendTime, told.type, told.mallID)
    return Said(raw if told.type in ours else b"", msgspec.json.encode(ack).decode())


def beat(now: Now) -> str:
    return msgspec.json.encode({"commandType": "HeartBeat", "time": milliseconds(now())}).decode()


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
