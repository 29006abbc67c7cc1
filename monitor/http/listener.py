"""Listens for one web: aiohttp behind our guard, with the parser that was hardened."""

import asyncio
import re
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.http import HttpRequestParser

from .guard import Guard

SHUTDOWN_S_MAX = 1.0  # twice: for the handlers, then for what they still write
AIOHTTP_MIN = (3, 14, 3)  # before it: request smuggling by an upgrade, a read beyond a buffer


@dataclass(frozen=True)
class Served:
    """A web that listens."""

    runner: web.BaseRunner
    server: asyncio.Server
    guard: Guard
    port: int


async def serve(runner: web.BaseRunner, host: str, port: int, guard: Guard) -> Served:
    """Listen. Raises OSError if the address is taken."""
    await runner.setup()
    assert runner.server is not None  # noqa: S101 - `setup` has just made it
    try:
        server = await asyncio.get_running_loop().create_server(guard.server(runner.server), host, port, backlog=256)
    except OSError:
        await runner.cleanup()
        raise
    return Served(runner, server, guard, server.sockets[0].getsockname()[1])


async def stop(served: Served) -> None:
    served.server.close()
    await served.runner.cleanup()
    served.guard.abort_all()
    await served.server.wait_closed()


class WeakParser(Exception):
    """This installation reads HTTP in a way that we do not offer to the internet."""


def require_hardened(version: str = aiohttp.__version__, parser: type = HttpRequestParser) -> None:
    """Only the parser in C (llhttp) is strict enough to stand behind a proxy; aiohttp has one in Python, too."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if numbers < AIOHTTP_MIN:
        raise WeakParser(f"aiohttp is {version}; install {'.'.join(map(str, AIOHTTP_MIN))} or later")
    if parser.__module__ != "aiohttp._http_parser":
        raise WeakParser("aiohttp runs without its parser in C; unset AIOHTTP_NO_EXTENSIONS, or install its wheel")
