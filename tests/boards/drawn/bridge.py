"""Serves the page that draws boards, on loopback, and answers what its panels ask from the real data sources."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.boards.macros import NotUnderstood
from tests.boards.sources import QueryFailed, Sources, span

DASHBOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
PAGE = """<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>livemon</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/built/page.css"></head>
<body><div id="root"></div><script src="/built/page.js"></script></body></html>"""

type Json = dict[str, Any]


class Bridge:
    """`built`: the folder with the bundle of the page. `timezone`: the event's, as boards of an event elsewhere are
    written with theirs (`python -m grafana.boards --timezone`)."""

    def __init__(self, sources: Sources, built: Path, timezone: str) -> None:
        self.sources, self.built, self.timezone = sources, built, timezone
        self.failed: list[str] = []  # what any query was refused for

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self.page)
        app.router.add_post("/query", self.query)
        app.router.add_get("/boards/{board:[a-zA-Z/_-]+}.json", self.board)
        app.router.add_static("/built", self.built)
        return app

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def board(self, request: web.Request) -> web.Response:
        text = (DASHBOARDS / f"{request.match_info['board']}.json").read_text(encoding="utf-8")
        return web.json_response(json.loads(text) | {"timezone": self.timezone})

    async def query(self, request: web.Request) -> web.Response:
        """{"target", "from", "to", "interval"} with milliseconds -> {"frames"}, or {"error"} as a panel shows it."""
        asked: Json = await request.json()
        opened = span(asked["from"], asked["to"], asked["interval"])
        try:
            return web.json_response({"frames": await self.sources.answer(asked["target"], opened)})
        except (QueryFailed, NotUnderstood) as error:
            self.failed.append(f"{error} in {asked['target'].get('rawSql', asked['target'].get('expr'))}")
            return web.json_response({"error": str(error)})


@asynccontextmanager
async def served(bridge: Bridge) -> AsyncIterator[str]:
    """The address, while the block runs."""
    runner = web.AppRunner(bridge.app(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
