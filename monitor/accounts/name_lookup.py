"""Addresses of a platform's name: asked of the system, judged after they came, remembered for when it has no answer."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from aiohttp.abc import AbstractResolver, ResolveResult

from monitor.accounts.addresses import is_public

LOOKUP_S_MAX = 3.0
REMEMBERED_S_MAX = 300.0
NAMES_MAX = 1_000

LookUp = Callable[[str], Awaitable[list[str]]]
"""The addresses of a name. Raises OSError."""


class AddressRefused(OSError):
    """This is no address that a platform may have."""


async def system_look_up(host: str) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class GuardedResolver(AbstractResolver):
    """`guarded` False: the config names these hosts itself, they may be anywhere.

    A lookup that hangs holds one of the system's threads. So of one name there is only one at a time, however many
    want it, and it is waited for a short while only.
    """

    def __init__(self, guarded: bool = True, look_up: LookUp = system_look_up) -> None:
        self._guarded, self._look_up = guarded, look_up
        self._good: dict[str, tuple[float, list[str]]] = {}
        self._asking: dict[str, asyncio.Future[list[str]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError; AddressRefused if there are only addresses that may not be called."""
        addresses = await self._addresses(host)
        if self._guarded:
            addresses = [address for address in addresses if is_public(address)]
            if not addresses:
                raise AddressRefused("the name leads to an address that is no platform's")
        results = [_result(host, address, port) for address in addresses]
        return [it for it in results if family in (socket.AF_UNSPEC, it["family"])] or results

    async def close(self) -> None:
        for asking in self._asking.values():
            asking.cancel()

    async def _addresses(self, host: str) -> list[str]:
        """Fresh ones; where there is no answer, those of a while ago."""
        now_s = asyncio.get_running_loop().time()
        try:
            found = await self._fresh(host)
        except (OSError, TimeoutError):
            known_s, known = self._good.get(host, (float("-inf"), []))
            if now_s - known_s > REMEMBERED_S_MAX:
                raise
            return known
        if len(self._good) >= NAMES_MAX:
            self._good.clear()
        self._good[host] = now_s, found
        return found

    async def _fresh(self, host: str) -> list[str]:
        asking = self._asking.get(host)
        if asking is None:
            asking = self._asking[host] = asyncio.ensure_future(self._look_up(host))
            asking.add_done_callback(lambda it: self._answered(host, it))
        async with asyncio.timeout(LOOKUP_S_MAX):
            found = await asyncio.shield(asking)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        return found

    def _answered(self, host: str, asking: asyncio.Future[list[str]]) -> None:
        self._asking.pop(host, None)
        if not asking.cancelled():
            asking.exception()  # whoever still waits hears of it; that nobody does is no news


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
