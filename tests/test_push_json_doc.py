"""What docs/push_json.md tells senders is so: its examples are run against a listener, its figures against the code."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from collectors.hook import Accepted, App, Delivery, Meaning
from collectors.orders import push_json
from collectors.orders.push_json import PushJson, signature
from monitor.http.outcome import STATUS_OF

PAGE = (Path(__file__).parent.parent / "docs" / "push_json.md").read_text(encoding="utf-8")
SECRET = "a secret of the docs"
APP = App("mcn-a", "push_json", secrets=(SECRET.encode(),))
FEED = PushJson(name="mcn-a", app="mcn-a", platform="wechat")


def block(language: str) -> str:
    return next(iter(blocks(language)))


def blocks(language: str) -> Iterator[str]:
    yield from re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@asynccontextmanager
async def listener(found: list[Meaning]) -> AsyncIterator[str]:
    """Takes what the examples send, and says what it means."""

    async def hook(request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in FEED.HEADERS}
        delivery = Delivery("POST", request.path, "", headers, await request.read())
        verdict = FEED.verify(delivery, APP, datetime.now(UTC))
        if not isinstance(verdict, Accepted) or request.content_type not in FEED.CONTENT_TYPES:
            return web.Response(status=401)
        found.append(FEED.parse(msgspec.msgpack.encode(delivery), datetime.now(UTC), APP))
        return web.Response(body=verdict.reply.body, content_type=verdict.reply.content_type)

    app = web.Application()
    app.add_routes([web.post("/hooks/mcn-a", hook)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/mcn-a"
    finally:
        await runner.cleanup()


async def run(*command: str, url: str) -> str:
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"URL": url, "SECRET": SECRET, "no_proxy": "127.0.0.1"},
    )  # fmt: skip
    output, _ = await child.communicate()
    assert child.returncode == 0, output.decode()
    return output.decode()


async def test_the_example_in_shell_brings_a_sale() -> None:
    found: list[Meaning] = []
    async with listener(found) as url:
        assert await run("sh", "-c", block("sh"), url=url) == '{"accepted": true}'
    (meaning,) = found
    (sale,) = meaning.sales
    assert (sale.event_id, sale.amount_minor, meaning.bad) == ("9001:5764:paid", 12990, [])


async def test_the_example_in_python_brings_a_tick() -> None:
    found: list[Meaning] = []
    async with listener(found) as url:
        assert await run(sys.executable, "-c", block("python"), url=url) == '{"accepted": true}\n'
    (meaning,) = found
    (tick,) = meaning.ticks
    assert (tick.room, tick.live, tick.viewers, meaning.bad) == ("直播间1", True, 1203, [])


def test_the_vector_is_right() -> None:
    told = signature("1795521600", "d-1", b'{"ticks": []}', SECRET.encode())
    assert f"`{told}`" in PAGE
    assert 'secret `a secret of the docs`, timestamp `1795521600`, id `d-1`, body `{"ticks": []}`' in PAGE


def test_the_figures_are_those_of_the_code() -> None:
    assert f"({FEED.BODY_BYTES_MAX:,} bytes)" in PAGE
    assert f"more than {push_json.ITEMS_MAX:,} items" in PAGE
    assert f"at most {push_json.WINDOW_S // 60} minutes off" in PAGE
    assert f"exactly `{push_json.ACCEPTED.body.decode()}`" in PAGE


@pytest.mark.parametrize("struct", [push_json.PushedTick, push_json.PushedSale, push_json.PushedItem])
def test_every_field_is_described(struct: type[msgspec.Struct]) -> None:
    body = PAGE.partition("## The body")[2]
    for field in struct.__struct_fields__:
        assert re.search(rf'[`"]{field}[`"]', body), field


def test_every_status_of_a_delivery_is_described() -> None:
    told = {int(number) for number in re.findall(r"\b[245]\d\d\b", PAGE.partition("## The answer")[2])}
    assert set(STATUS_OF.values()) - {400} <= told
