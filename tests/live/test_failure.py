"""A feed's failures have few names, and some say how long to stay away."""

import socket
import ssl

import aiohttp
import pytest
import websockets
from multidict import CIMultiDict, CIMultiDictProxy
from websockets.datastructures import Headers
from websockets.http11 import Response
from yarl import URL

from collectors.collector import BadFrame, FeedRefused
from collectors.request import RETRY_AFTER_S_MAX
from monitor.live.failure import innermost, reason_of, retry_after_s


def refusal(status: int, headers: dict[str, str] | None = None) -> aiohttp.ClientResponseError:
    url = URL("http://example.invalid/")
    request = aiohttp.RequestInfo(url, "GET", CIMultiDictProxy(CIMultiDict()), url)
    return aiohttp.ClientResponseError(request, (), status=status, headers=CIMultiDict(headers or {}))


def handshake(status: int) -> websockets.InvalidStatus:
    return websockets.InvalidStatus(Response(status, "", Headers({"Retry-After": "7"})))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FeedRefused(), "refused"),
        (BadFrame(), "bad_frame"),
        (TimeoutError(), "timeout"),
        (aiohttp.ServerTimeoutError(), "timeout"),
        (ConnectionRefusedError(), "connect"),
        (ConnectionResetError(), "closed"),
        (aiohttp.ServerDisconnectedError(), "closed"),
        (aiohttp.ClientPayloadError(), "closed"),
        (websockets.ConnectionClosedError(None, None), "closed"),
        (aiohttp.ClientConnectionError(), "connect"),
        (socket.gaierror(), "dns"),
        (ssl.SSLError(), "tls"),
        (ssl.SSLCertVerificationError(), "tls"),
        (refusal(500), "http_status"),
        (refusal(401), "auth"),
        (refusal(429), "rate_limited"),
        (handshake(403), "auth"),
        (handshake(503), "http_status"),
        (ValueError(), "unknown"),
    ],
)
def test_a_failure_has_one_of_a_few_names(error, reason):
    assert reason_of(error) == reason


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("99999", RETRY_AFTER_S_MAX), ("Wed, 21 Oct 2026", 0), ("-5", 0), ("٣", 0), ("", 0)],
)
def test_how_long_to_stay_away_is_believed_within_reason(text, seconds):
    assert retry_after_s(refusal(503, {"Retry-After": text})) == seconds
    assert retry_after_s(handshake(503)) == 7


def test_of_several_failures_at_once_a_refusal_speaks_first():
    group = ExceptionGroup("", [OSError(), ExceptionGroup("", [FeedRefused("no")])])
    assert isinstance(innermost(group), FeedRefused)
    assert isinstance(innermost(ExceptionGroup("", [OSError(), KeyError()])), OSError)
