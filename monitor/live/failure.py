"""Names what went wrong with a feed, in the few fixed words that metrics and blind spans use."""

import socket
import ssl
from typing import Literal

import aiohttp
import msgspec
import websockets

from collectors.collector import BadFrame, FeedRefused
from collectors.request import RETRY_AFTER_S_MAX, asked_wait_s, told_s

Reason = Literal[
    "connect", "timeout", "http_status", "rate_limited", "auth", "bad_frame", "closed", "dns", "tls", "silence",
    "refused", "reload", "unknown",
]  # fmt: skip


class FeedFailed(Exception):
    """It failed, and whoever found out knows how to call it, and for how long it is no use to try again."""

    def __init__(self, reason: Reason, detail: str, wait_s: float = 0.0) -> None:
        self.reason: Reason = reason
        self.wait_s = wait_s
        super().__init__(detail)


# The first that fits: those that are special cases of others come before them.
NAMES: tuple[tuple[type[Exception], Reason], ...] = (
    (FeedRefused, "refused"),
    (BadFrame, "bad_frame"),
    (msgspec.DecodeError, "bad_frame"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (socket.gaierror, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (ssl.SSLError, "tls"),
    (TimeoutError, "timeout"),
    (aiohttp.ServerDisconnectedError, "closed"),
    (aiohttp.ClientPayloadError, "closed"),
    (websockets.ConnectionClosed, "closed"),
    (ConnectionResetError, "closed"),
    (BrokenPipeError, "closed"),
    (EOFError, "closed"),
    (aiohttp.ClientError, "connect"),
    (websockets.WebSocketException, "connect"),
    (OSError, "connect"),
)


def reason_of(error: Exception) -> Reason:
    """`unknown` is what nobody thought of: tried again like all others, but loudly."""
    if isinstance(error, FeedFailed):
        return error.reason
    status = status_of(error)
    if status is not None:
        return "rate_limited" if status == 429 else "auth" if status in (401, 403) else "http_status"
    return next((reason for kind, reason in NAMES if isinstance(error, kind)), "unknown")


def status_of(error: Exception) -> int | None:
    """The status with which a server turned us away."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status
    if isinstance(error, websockets.InvalidStatus):
        return error.response.status_code
    return None


def retry_after_s(error: Exception) -> float:
    """How long the server asked us to stay away; 0 where it did not say."""
    if isinstance(error, FeedFailed):
        return min(error.wait_s, RETRY_AFTER_S_MAX)
    if isinstance(error, websockets.InvalidStatus):
        return told_s(error.response.headers.get("Retry-After", ""))
    return asked_wait_s(error)


def innermost(error: Exception) -> Exception:
    """A collector may hear with several tasks: of a group of failures the first one speaks, a refusal before all."""
    if not isinstance(error, ExceptionGroup):
        return error
    leaves = [innermost(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, FeedRefused)), leaves[0])
