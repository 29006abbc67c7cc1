"""What Twitch says on an EventSub socket, and what its events mean for a channel. Pure; source: global.md 2.2."""

from datetime import datetime
from typing import Literal

import msgspec

from .asked_frame import Asked, framed
from .collector import BadFrame
from .instants import instant
from .json_body import json_body
from .tick import Tick

ONLINE, OFFLINE = "stream.online", "stream.offline"
KINDS = (ONLINE, OFFLINE)
EVENT = "event"
CLOSED = {
    4000: "internal server error",
    4001: "we sent a message, which nobody may",
    4002: "its ping was not answered",
    4003: "nothing was subscribed to in time",
    4004: "the time to move to another socket ran out",
    4005: "network timeout",
    4006: "network error",
    4007: "the address to move to was not good",
}


class Metadata(msgspec.Struct, frozen=True):
    message_id: str
    message_type: str
    message_timestamp: str
    subscription_type: str = ""


class Session(msgspec.Struct, frozen=True):
    id: str
    keepalive_timeout_seconds: int | None = None
    reconnect_url: str | None = None


class Condition(msgspec.Struct, frozen=True):
    broadcaster_user_id: str = ""


class Subscription(msgspec.Struct, frozen=True):
    status: str = ""
    type: str = ""
    condition: Condition = Condition()


class Event(msgspec.Struct, frozen=True):
    """`id` is the stream's, the one that the list of streams gives it, too; that it went off air comes without one."""

    broadcaster_user_id: str
    id: str | None = None


class Payload(msgspec.Struct, frozen=True):
    session: Session | None = None
    subscription: Subscription | None = None
    event: Event | None = None


class Message(msgspec.Struct, frozen=True):
    metadata: Metadata
    payload: Payload = Payload()

    @property
    def type(self) -> str:
        return self.metadata.message_type


def read_message(body: bytes) -> Message:
    """Raises BadFrame."""
    return json_body(body, Message)


def event_frame(body: bytes) -> bytes:
    """What is emitted of a notification, and of what cannot be read."""
    return framed(Asked([], EVENT), body)


def event_ticks(feed: str, body: bytes) -> list[Tick]:
    """At the platform's stamp. That a channel went off air says neither why nor which broadcast it was.

    Raises BadFrame.
    """
    message = read_message(body)
    event, subscription = message.payload.event, message.payload.subscription
    if event is None or subscription is None:
        raise BadFrame("bad_event: a notification of nothing")
    room = event.broadcaster_user_id
    if subscription.condition.broadcaster_user_id != room:
        raise BadFrame("bad_room: not the channel that was subscribed to")
    at: datetime = instant(message.metadata.message_timestamp)
    kind: Literal["event"] = "event"
    if subscription.type == ONLINE:
        if not event.id:
            raise BadFrame("bad_event: a stream without an id")
        return [Tick(feed, room, at, kind, True, session_key=event.id)]
    if subscription.type == OFFLINE:
        return [Tick(feed, room, at, kind, False)]
    raise BadFrame("bad_event: nothing that was subscribed to")


class Heard:
    """Messages come at least once, also over two sockets: the ids of the last ones."""

    KEPT_MAX = 2_000

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def is_new(self, message: Message) -> bool:
        if message.metadata.message_id in self._ids:
            return False
        self._ids[message.metadata.message_id] = None
        if len(self._ids) > self.KEPT_MAX:
            del self._ids[next(iter(self._ids))]
        return True
