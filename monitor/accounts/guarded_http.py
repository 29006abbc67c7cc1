"""The way out to platforms: https to public addresses alone, nothing followed or remembered, all bounded."""

import socket
import ssl
from collections.abc import Callable, Collection
from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from collectors.open_api import Answer, Call
from monitor.accounts.addresses import is_public
from monitor.accounts.failed import NotAnswered
from monitor.accounts.name_lookup import AddressRefused, GuardedResolver, LookUp, system_look_up
from monitor.accounts.terms import origin_of
from monitor.config_urls import url_complaint
from monitor.live.failure import reason_of

BODY_BYTES_MAX = 4 * 1024 * 1024
URL_CHARS_MAX = 16_384
CONNECTIONS_MAX = 256
TOTAL_S_MAX, CONNECT_S_MAX, KEEPALIVE_S = 15.0, 5.0, 15.0
HEADER_BYTES_MAX, HEADERS_MAX = 8_190, 128
DNS_S = 10
ADDRESSES_KEPT = 1_000

NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL, AddressRefused)


class GuardedHttp:
    """A Transport, while it is entered. `origins`: those that the config names itself, now; they may be anywhere."""

    def __init__(
        self, origins: Callable[[], Collection[str]], look_up: LookUp = system_look_up,
        total_s_max: float = TOTAL_S_MAX, trusted: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """`trusted`: authorities beside the system's, for tests with their own."""
        self._origins, self._look_up = origins, look_up
        self._total_s_max, self._trusted = total_s_max, trusted

    async def __aenter__(self) -> Self:
        self._guarded, self._open = self._http(guarded=True), self._http(guarded=False)
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._guarded.close()
        await self._open.close()

    async def __call__(self, call: Call) -> Answer:
        """Raises NotAnswered."""
        origin = _origin(call.url.partition("?")[0]) if len(call.url) <= URL_CHARS_MAX else None
        if origin is None:
            raise NotAnswered("bad_url", sent=False)
        is_open = origin in self._origins()
        if not is_open and not call.url.startswith("https://"):
            raise NotAnswered("not_https", sent=False)
        try:
            return await self._exchanged(self._open if is_open else self._guarded, call)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # No text of it goes on: it may hold the address, and with it a token.
            refused = isinstance(error, AddressRefused) or isinstance(error.__cause__, AddressRefused)
            raise NotAnswered(
                "address_refused" if refused else reason_of(error), not isinstance(error, NOT_SENT)
            ) from None

    async def _exchanged(self, http: aiohttp.ClientSession, call: Call) -> Answer:
        method, url = "GET" if call.body is None else "POST", URL(call.url, encoded=True)  # signed as it is written
        async with http.request(method, url, data=call.body, headers=call.headers, allow_redirects=False) as response:
            if 300 <= response.status < 400:
                raise NotAnswered("redirect")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, await _body(response))

    def _http(self, guarded: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(guarded, self._look_up), ttl_dns_cache=DNS_S, limit=CONNECTIONS_MAX,
            keepalive_timeout=KEEPALIVE_S, socket_factory=_public_socket if guarded else None,
            ssl=True if self._trusted is None else self._trusted,
        )  # fmt: skip
        http = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False,
            timeout=aiohttp.ClientTimeout(total=self._total_s_max, connect=CONNECT_S_MAX, sock_connect=CONNECT_S_MAX),
            headers={"accept-encoding": "gzip, deflate", "user-agent": "livemon"},
            max_line_size=HEADER_BYTES_MAX, max_field_size=HEADER_BYTES_MAX, max_headers=HEADERS_MAX,
        )  # fmt: skip
        # The one switch there is: else aiohttp sends a GET again by itself when a kept connection breaks, and a pair
        # may be refreshed by a GET. What is sent again is decided by who asked.
        http._retry_connection = False
        return http


@lru_cache(ADDRESSES_KEPT)
def _origin(address: str) -> str | None:
    """Of a URL without its query, where tokens are; None: it is none that may be asked."""
    return None if url_complaint(address) is not None else origin_of(address)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The body as it is once inflated, as long as that is bounded."""
    parts, left = list[bytes](), BODY_BYTES_MAX
    async for part in response.content.iter_any():
        left -= len(part)
        if left < 0:
            response.close()
            raise NotAnswered("too_large")
        parts.append(part)
    return b"".join(parts)


def _public_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    """The last gate: whatever way an address came here, it is judged once more before anything is sent to it."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise AddressRefused("no platform has this address")
    return socket.socket(family, kind, protocol)
