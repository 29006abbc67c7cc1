"""Each hook through its public URL, as a platform would come: DNS, TLS, proxy, listener, signature."""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import aiohttp

from collectors.collector import FeedRow
from collectors.hook import App, CalledRow
from collectors.orders.push_json import PROBE, PushJson, signature
from collectors.server_hook import ServerHookRow
from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.live.sight import platform_of

ANSWER_S_MAX = 10.0
DAYS_LEFT_MIN = 14
OURSELVES = ("127.0.0.1", "::1", "localhost")


async def check_hook(
    row: CalledRow, app: App, http: aiohttp.ClientSession, public: str, local: str, now: datetime
) -> Finding:
    """`public` is what platforms are told, `local` where the monitor listens itself; both without a path."""
    name = f"hook {row.name}"
    if not getattr(row, "enabled", True):
        return note(name, "off (enabled = false): all that comes is refused with 401")
    path = f"/hooks/{quote(row.name, safe='')}"
    began = time.monotonic()
    try:
        status, headers, body = await _ask(http, public + path, row, app, now)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return await _unanswered(name, http, local + path, public, error)
    took = f"{(time.monotonic() - began) * 1000:.0f} ms"
    if isinstance(row, PushJson) and app.secrets:
        return judge_probe(name, status, took)
    if isinstance(row, ServerHookRow):
        return judge_leave(name, status, body == row.ALLOW.body, took)
    return judge_look(name, status, headers, took, row.METHOD)


async def _ask(
    http: aiohttp.ClientSession, url: str, row: CalledRow, app: App, now: datetime
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers, body: of a signed probe where we can sign one, else of what is no delivery."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_S_MAX)
    method, body, headers = "POST" if row.METHOD == "GET" else "GET", b"", {}
    if isinstance(row, PushJson) and app.secrets:
        stamp, number = str(int(now.timestamp())), f"doctor-{time.time_ns()}"
        signed = signature(stamp, number, PROBE, app.secrets[0])
        method, body = "POST", PROBE
        headers = dict(zip(PushJson.HEADERS, (stamp, number, signed), strict=True)) | {
            "Content-Type": "application/json"
        }
    async with http.request(method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False) as reply:
        return reply.status, reply.headers, await reply.content.read(4096)


async def _unanswered(name: str, http: aiohttp.ClientSession, local: str, public: str, error: BaseException) -> Finding:
    """Nothing came back by the public way: is it the way, or is nobody at its end?"""
    why = " ".join(str(error).split())[:200] or type(error).__name__
    try:
        async with http.get(local, timeout=aiohttp.ClientTimeout(total=ANSWER_S_MAX)):
            pass
    except (aiohttp.ClientError, TimeoutError, OSError):
        todo = "start `livemon run` first: on this machine nobody listens, either"
        return wrong(name, f"{public} does not answer: {why}", todo)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return wrong(name, f"TLS of {public}: {why}", "get the proxy a certificate that platforms trust")
    todo = "livemon itself answers: check DNS, firewall, and the proxy before it"
    return wrong(name, f"{public} does not answer: {why}", todo)


def judge_probe(name: str, status: int, took: str) -> Finding:
    """What the answer to a probe with our own signature tells."""
    match status:
        case 200:
            return fine(name, f"a signed probe was answered in {took}")
        case 401:
            todo = (
                "reload the monitor (SIGHUP) if the secret is new; else the proxy changes the body, or a clock is off"
            )
            return wrong(name, "a signed probe was refused", todo)
        case _:
            return _other(name, status)


def judge_leave(name: str, status: int, same: bool, took: str) -> Finding:
    """An own server is given leave whatever it says; `same`: in the very words that it wants."""
    if status == 200 and same:
        return fine(name, f"its server would be given leave, in {took}; whether its token is right only its calls show")
    return _other(name, status)


def judge_look(name: str, status: int, headers: Mapping[str, str], took: str, method: str = "POST") -> Finding:
    """What the answer to another method tells: a hook takes one only, or refuses an unsigned look at its URL."""
    takes_it = status == 405 and method in headers.get("Allow", "").upper()
    if takes_it or (status == 401 and "WWW-Authenticate" not in headers):
        return fine(name, f"its URL leads to livemon, which answers in {took}; only its platform can sign a test")
    return _other(name, status)


def _other(name: str, status: int) -> Finding:
    todo = {
        200: "somebody else answers there: let the proxy pass /hooks/ on",
        301: "platforms do not follow redirects: give hooks_url as it is in the end",
        302: "platforms do not follow redirects: give hooks_url as it is in the end",
        401: "the proxy wants a password: platforms have none, so let /hooks/ through",
        403: "the proxy lets nobody in: allow /hooks/ there",
        404: "the proxy leads elsewhere, or the running monitor does not know this feed yet (SIGHUP)",
        405: "the proxy answers itself: let it pass /hooks/ on",
        413: "the proxy's body cap is too small: 2 MB",
        429: "it is under load, or this address was turned away: try again in a minute",
        502: "the proxy does not reach livemon: is the monitor running, and is its upstream hooks_listen?",
        503: "the disk takes no more, or the proxy has no upstream: `livemon status`",
        504: "the proxy does not reach livemon in time: `livemon status`",
    }.get(status, "look into the proxy's log")
    return wrong(name, f"answered with {status}", todo)


async def check_certificate(public: str, now: datetime) -> Finding:
    """Is the public URL https, and for how long is its certificate good?"""
    parts = urlsplit(public)
    if parts.scheme != "https":
        if parts.hostname in OURSELVES:
            return note("hooks_url", f"{public} is for this machine only", "platforms need a public https URL")
        return wrong("hooks_url", f"{public} is not https", "put a proxy with TLS before it: docs/first-hour.md")
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            certificate = await _certificate(parts.hostname or "", parts.port or 443)
    except (TimeoutError, OSError) as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        return wrong("hooks_url", f"{public} does not answer: {why}", "check DNS, certificate and proxy")
    return judge_certificate(certificate, now)


async def _certificate(host: str, port: int) -> dict[str, object] | None:
    _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    try:
        found: dict[str, object] | None = writer.get_extra_info("peercert")
        return found
    finally:
        writer.transport.abort()


def judge_certificate(certificate: dict[str, object] | None, now: datetime) -> Finding:
    until = str((certificate or {}).get("notAfter", ""))
    if not until:
        return fine("hooks_url", "answers over TLS")
    days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) - now).days
    if days < DAYS_LEFT_MIN:
        return wrong(
            "hooks_url", f"its certificate ends in {days} days", "renew it; platforms stop calling when it ends"
        )
    return fine("hooks_url", f"answers over TLS; its certificate is good for {days} days")


def check_polls(feeds: Sequence[FeedRow]) -> list[Finding]:
    """Own servers that call and are not asked: one that dies calls nothing, and its rooms would stay as they were."""
    asked = {(platform_of(feed), feed.hall) for feed in feeds if feed.TELLS_STATE}
    todo = "add a feed of kind {0} for the same server: the poll is the truth, its calls are for speed"
    return [
        note(f"hook {row.name}", "no feed asks its server how rooms stand", todo.format(row.PLATFORM))
        for row in feeds
        if isinstance(row, ServerHookRow) and not {(platform_of(row), row.hall), (platform_of(row), "")} & asked
    ]


def hooks_of(feeds: Sequence[object]) -> list[CalledRow]:
    return [feed for feed in feeds if isinstance(feed, CalledRow)]
