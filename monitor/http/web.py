"""The web of `listen`: landing page, metrics, health and status for GET and HEAD; alerts alone take a POST."""

from collections.abc import Awaitable, Callable, Iterable

import msgspec
from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from . import landing
from .guard import Guard, tell_guard
from .labels import one_line
from .listener import SHUTDOWN_S_MAX, Served, serve
from .metrics import Metrics
from .rooms_page import CONTENT_TYPE, RoomsPage
from .sources import Sources
from .status import take_status

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": landing.POLICY,
}


def make_app(
    sources: Sources, metrics: Metrics, version: str, more: Iterable[web.AbstractRouteDef] = ()
) -> web.Application:
    """`more`: the addresses of alerts."""
    pages = Pages(sources, metrics, version)
    app = web.Application(middlewares=[tell_guard, say_no_more])
    app.on_response_prepare.append(add_headers)
    app.add_routes(
        [
            web.get("/", pages.landing),
            web.get("/metrics", pages.metrics_page),
            web.get("/metrics/rooms", pages.rooms),
            web.get("/healthz", pages.healthz),
            web.get("/readyz", pages.readyz),
            web.get("/api/status", pages.status),
            *more,
        ]
    )
    return app


async def start(app: web.Application, host: str, port: int, guard: Guard) -> Served:
    """Listen. Raises OSError if the address is taken."""
    return await serve(web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S_MAX), host, port, guard)


class Pages:
    """What each address answers."""

    def __init__(self, sources: Sources, metrics: Metrics, version: str) -> None:
        self._sources = sources
        self._metrics = metrics
        self._version = version
        self._rooms = RoomsPage(sources.watch, sources.now)

    async def landing(self, request: web.Request) -> web.Response:
        language = landing.language(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))
        page = landing.render(take_status(self._sources, self._version), language)
        return web.Response(text=page, content_type="text/html", charset="utf-8")

    async def metrics_page(self, request: web.Request) -> web.Response:
        escaping = wanted_escaping(request.headers.get("Accept", ""))
        if escaping is None:
            return text_page(generate_latest(self._metrics.registry), CONTENT_TYPE)
        body: bytes = generate_openmetrics(self._metrics.registry, escaping, "1.0.0")  # type: ignore[no-untyped-call]
        return text_page(body, OPENMETRICS + escaping)

    async def rooms(self, request: web.Request) -> web.Response:
        page = await self._rooms.fresh()
        if not accepts_gzip(request.headers.get("Accept-Encoding", "")):
            return text_page(page.plain, CONTENT_TYPE, {"Vary": "Accept-Encoding"})
        return text_page(page.packed, CONTENT_TYPE, {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"})

    async def healthz(self, request: web.Request) -> web.Response:
        return text_page(b"ok\n", "text/plain; charset=utf-8")

    async def readyz(self, request: web.Request) -> web.Response:
        ask = self._sources.hooks_reasons if "hooks" in request.query else self._sources.reasons
        reasons = [one_line(reason) for reason in ask()]
        body = msgspec.json.encode({"ready": not reasons, "reasons": reasons})
        return web.Response(status=503 if reasons else 200, body=body, content_type="application/json")

    async def status(self, request: web.Request) -> web.Response:
        body = msgspec.json.encode(take_status(self._sources, self._version))
        return web.Response(body=body, content_type="application/json")


@web.middleware
async def say_no_more(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals are a bare number: nothing of the request comes back in the answer."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        allow = {}
        if isinstance(refusal, web.HTTPMethodNotAllowed):
            allow["Allow"] = ", ".join(sorted(refusal.allowed_methods))
        return web.Response(status=refusal.status, text=f"{refusal.status}\n", headers=allow)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)  # a page with a form says itself what it may do
    response.headers["Server"] = "livemon"  # and not which versions of what


def text_page(body: bytes, content_type: str, more: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": content_type, **(more or {})})


def wanted_escaping(accept: str) -> str | None:
    """The escaping to name where OpenMetrics 1.0 is accepted before plain text; None for plain text.

    The answer is chosen from fixed words: prometheus-client's own choice repeats what the client sent.
    """
    for accepted in accept.split(","):
        kind, *parameters = [part.strip() for part in accepted.split(";")]
        if kind == "text/plain":
            return None
        if kind == "application/openmetrics-text" and "version=1.0.0" in parameters:
            return "allow-utf-8" if "escaping=allow-utf-8" in parameters else "underscores"
    return None


def accepts_gzip(accept: str) -> bool:
    wanted: dict[str, bool] = {}
    for accepted in accept.split(","):
        coding, *parameters = [part.strip().lower() for part in accepted.split(";")]
        # q=0, also as 0.0 or 0.000, means "not this one".
        wanted[coding] = not any(parameter.replace(" ", "").rstrip("0.") == "q=" for parameter in parameters)
    return wanted.get("gzip", wanted.get("*", False))
