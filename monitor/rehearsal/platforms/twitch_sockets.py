"""The EventSub sockets of a played Twitch: what is subscribed to is told; who breaks a rule is sent away by its code.

True rules: 10 s from the welcome to the first subscription (4003); whoever says something is sent away (4001); a
keepalive after each silence; a session that is asked to move keeps its subscriptions, and is told over the old socket
until the new one is welcome; 30 s later the old one is closed (4004). The new one may be at another host, under the
name of the first (`cell`). Nothing is told again after a loss.
"""

import asyncio
import base64
import json
import secrets
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from ..scene import Trouble
from .socket_trouble import SocketTrouble

UNUSED_S, GRACE_S, KEEPALIVE_S = 10.0, 30.0, 10
REASONS = {
    4000: "internal server error",
    4001: "client sent inbound traffic",
    4002: "client failed ping-pong",
    4003: "connection unused",
    4004: "client reconnect grace time expired",
    4005: "network timeout",
    4006: "network error",
    4007: "invalid reconnect attempt",
}


@dataclass(frozen=True)
class Subscription:
    """`user_id` subscribed, `of` is the channel."""

    id: str
    type: str
    of: str
    user_id: str
    session_id: str
    cost: int
    at: datetime

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id, "status": "enabled", "type": self.type, "version": "1",
            "condition": {"broadcaster_user_id": self.of},
            "transport": {"method": "websocket", "session_id": self.session_id},
            "created_at": written_at(self.at), "cost": self.cost,
        }  # fmt: skip


@dataclass
class Session:
    id: str
    connection: ServerConnection
    connected_at: datetime
    keepalive_s: float
    subscriptions: list[Subscription] = field(default_factory=list)
    heard_at_s: float = 0.0  # the last message went out
    used: asyncio.Event = field(default_factory=asyncio.Event)


class EventSubSockets:
    """While `silent`, nobody is told anything, not even that they live. `closed` are the codes by which sockets were
    ended, `said` what clients said, which they may not.

    A test may shorten the times of the rules, and send what it likes.
    """

    def __init__(self, now: Callable[[], datetime], trouble: Trouble) -> None:
        self.now = now
        self.unused_s, self.grace_s, self.keepalive_s = UNUSED_S, GRACE_S, 0.0  # 0: as the client asks
        self.url = ""
        self.cell = ""  # stands before the host's name in an address to move to, as Twitch's own `cell-b.` does
        self.sessions: dict[str, Session] = {}
        self.silent = False
        self.welcoming = asyncio.Event()  # while it is not set, who comes waits for the welcome
        self.welcoming.set()
        self.closed: list[int] = []
        self.said: list[str] = []
        self.welcomed = 0
        self._moving: dict[str, Session] = {}  # by what the address to move to holds
        self.connections: list[ServerConnection] = []
        self._server: Server | None = None
        self.mishaps = SocketTrouble(trouble, self.connections, self.cut)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = await serve(
            self._talk, host, port, process_request=self.mishaps.at_the_door, compression=None, ping_interval=None
        )
        self.url = f"ws://{host}:{next(iter(self._server.sockets)).getsockname()[1]}/ws"

    async def close(self) -> None:
        self.welcoming.set()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    # --- what is told ---

    def admit(self, subscription: Subscription) -> None:
        session = self.sessions[subscription.session_id]
        session.subscriptions.append(subscription)
        session.used.set()

    def enabled(self, user_id: str) -> list[Subscription]:
        return [it for session in self.sessions.values() for it in session.subscriptions if it.user_id == user_id]

    def notify(self, kind: str, of: str, login: str, about: dict[str, Any], message_id: str = "") -> int:
        """Tell all who subscribed. Returns how many were."""
        event = {
            "broadcaster_user_id": of, "broadcaster_user_login": login, "broadcaster_user_name": login, **about,
        }  # fmt: skip
        told = 0
        for session in list(self.sessions.values()):
            for it in session.subscriptions:
                if (it.type, it.of) == (kind, of):
                    payload = {"subscription": it.shown(), "event": dict(sorted(event.items()))}
                    told += self.send(session, "notification", payload, it.type, message_id)
        return told

    def send(
        self, session: Session, kind: str, payload: dict[str, Any], subscription_type: str = "", message_id: str = ""
    ) -> bool:
        """Without waiting for anybody. False: nothing goes out."""
        if self.silent or not self.mishaps.delivering or session.connection.transport.is_closing():
            return False
        about = {"subscription_type": subscription_type, "subscription_version": "1"} if subscription_type else {}
        metadata = {
            "message_id": message_id or str(uuid.uuid4()), "message_type": kind,
            "message_timestamp": written_at(self.now()), **about,
        }  # fmt: skip
        self.send_raw(session, json.dumps({"metadata": metadata, "payload": payload}, separators=(",", ":")))
        return True

    def send_raw(self, session: Session, text: str) -> None:
        session.heard_at_s = asyncio.get_running_loop().time()
        session.connection.protocol.send_text(text.encode())
        session.connection.send_data()

    def move(self, url: str = "") -> None:
        """Ask every session to come to another socket."""
        for session in list(self.sessions.values()):
            token = base64.urlsafe_b64encode(session.id.encode()).decode().rstrip("=")
            self._moving[token] = session
            told = {
                "id": session.id, "status": "reconnecting", "keepalive_timeout_seconds": None,
                "reconnect_url": url or f"{self.url.replace('://', f'://{self.cell}', 1)}?reconnect_id={token}",
                "connected_at": written_at(session.connected_at),
            }  # fmt: skip
            self.send(session, "session_reconnect", {"session": told})
            asyncio.get_running_loop().call_later(self.grace_s, self._grace_over, session)

    def revoke(self, of: str, status: str) -> None:
        """Subscriptions to a channel end, and that is told."""
        for session in self.sessions.values():
            ended = [it for it in session.subscriptions if it.of == of]
            session.subscriptions = [it for it in session.subscriptions if it.of != of]
            for it in ended:
                self.send(session, "revocation", {"subscription": it.shown() | {"status": status}}, it.type)

    def end(self, code: int) -> None:
        """Close every socket in the platform's own words."""
        for connection in list(self.connections):
            self._end(connection, code)

    def cut(self) -> None:
        """End all connections, without a word."""
        for connection in list(self.connections):
            connection.transport.abort()

    def _end(self, connection: ServerConnection, code: int) -> None:
        self.closed.append(code)
        connection.protocol.send_close(code, REASONS[code])
        connection.send_data()

    def _grace_over(self, session: Session) -> None:
        if session.connection in self.connections:
            self._end(session.connection, 4004)

    # --- one connection ---

    async def _talk(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        try:
            with suppress(ConnectionClosed):
                await self._serve(connection)
        finally:
            self.connections.remove(connection)
            for session in [it for it in self.sessions.values() if it.connection is connection]:
                del self.sessions[session.id]

    async def _serve(self, connection: ServerConnection) -> None:
        query = parse_qs(urlsplit(connection.request.path if connection.request else "").query)
        keepalive_s = self.keepalive_s or float(query.get("keepalive_timeout_seconds", [KEEPALIVE_S])[0])
        before = None
        if "reconnect_id" in query:
            before = self._moving.pop(query["reconnect_id"][0], None)
            if before is None or before.id not in self.sessions:
                self._end(connection, 4007)
                return
        await self.welcoming.wait()
        session = Session(f"{secrets.token_hex(4)}_{secrets.token_hex(4)}", connection, self.now(), keepalive_s)
        self._welcome(session, before)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._keep_alive(session)), group.create_task(self._unused(session))]
            try:
                self.said.append(str(await connection.recv()))
                self._end(connection, 4001)
            finally:
                for task in tasks:
                    task.cancel()

    def _welcome(self, session: Session, before: Session | None) -> None:
        """From here on it is told over this socket, and over the one before no more."""
        self.welcomed += 1
        if before is not None:
            session.keepalive_s = before.keepalive_s
            session.subscriptions = [replace(it, session_id=session.id) for it in before.subscriptions]
            before.subscriptions = []
            session.used.set()
        self.sessions[session.id] = session
        told = {
            "id": session.id, "status": "connected", "keepalive_timeout_seconds": int(session.keepalive_s),
            "reconnect_url": None, "connected_at": written_at(session.connected_at),
        }  # fmt: skip
        self.send(session, "session_welcome", {"session": told})

    async def _keep_alive(self, session: Session) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(max(session.heard_at_s + session.keepalive_s - clock(), 0.01))
            if clock() - session.heard_at_s >= session.keepalive_s:
                self.send(session, "session_keepalive", {})
                session.heard_at_s = clock()

    async def _unused(self, session: Session) -> None:
        try:
            async with asyncio.timeout(self.unused_s):
                await session.used.wait()
        except TimeoutError:
            self._end(session.connection, 4003)


def written_at(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "000Z")
