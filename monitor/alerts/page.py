"""`/a/{token}`: one alert on a phone. A GET changes nothing, whoever sends it (chats look at links by themselves); a
POST acts, and must come from the page itself.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

from aiohttp import web

from monitor.alerts.alert import Alert, Episode
from monitor.alerts.contacts import Contact, called
from monitor.alerts.duty import Duty, Outcome, Unnamed, person
from monitor.alerts.notice import Language
from monitor.alerts.page_html import HEADERS, Card, plain, render
from monitor.alerts.page_words import spoken
from monitor.alerts.sight import Sight
from monitor.alerts.tokens import BadToken, Tokens
from monitor.http.body import Bodies
from monitor.http.outcome import Turned
from monitor.purpose import Purpose

FORM_BYTES_MAX = 4_096
FIELDS_MAX = 10
SILENCED_FOR = timedelta(hours=2)
COOKIE = "livemon_name"
REMEMBERED_S = 30 * 86_400


class Asked(NamedTuple):
    """What the page needs of the rest of the house."""

    duty: Duty
    tokens: Tokens
    sight: Sight
    contacts: Callable[[], Mapping[str, Contact]]
    now: Callable[[], datetime]
    zone: tzinfo
    public_url: str = ""
    purpose: Purpose = "event"
    runbook: Callable[[Alert], str | None] = lambda alert: None


class AlertPage:
    """The handlers; `routes` go into the web of `listen`."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._bodies = Bodies()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/a/{token}", self.show), web.post("/a/{token}", self.act)]

    async def show(self, request: web.Request) -> web.Response:
        speak = _language(request)
        try:
            number = self._asked.tokens.read(request.match_info["token"], self._asked.now())
        except BadToken as error:
            return _html(plain(error.why, speak), 410 if error.why == "expired" else 404)
        episode = await self._asked.duty.episode(number)
        if episode is None:
            return _html(plain("unknown", speak), 404)
        return _html(render(self._card(episode, _remembered(request)), speak), 200)

    async def act(self, request: web.Request) -> web.Response:
        speak = _language(request)
        try:
            number = self._asked.tokens.read(request.match_info["token"], self._asked.now())
        except BadToken as error:
            return _html(plain(error.why, speak), 410 if error.why == "expired" else 404)
        if not same_origin(request.headers, self._asked.public_url):
            return _html(plain("foreign", speak), 403)
        try:
            form = _form(await self._bodies.read(request, FORM_BYTES_MAX, request.remote))
        except Turned as turned:
            return _html(plain("foreign", speak), turned.status)
        episode = await self._asked.duty.episode(number)
        if episode is None:
            return _html(plain("unknown", speak), 404)
        try:
            name = person(form.get("name", ""))
        except Unnamed:
            return _html(render(self._card(episode, "", unnamed=True), speak), 400)
        outcome = await self._done(number, form.get("do", ""), name)
        if outcome is None:
            return _html(plain("foreign", speak), 400)
        fresh = await self._asked.duty.episode(number) or episode
        answer = _html(render(self._card(fresh, name, outcome), speak), 200 if outcome.done else 409)
        secure = self._asked.public_url.startswith("https:")
        answer.set_cookie(
            COOKIE, quote(name), max_age=REMEMBERED_S, path="/a/", httponly=True, samesite="Strict", secure=secure
        )
        return answer

    async def _done(self, number: int, what: str, name: str) -> Outcome | None:
        match what:
            case "take":
                return await self._asked.duty.acknowledge(number, name)
            case "silence":
                return await self._asked.duty.silence(number, name, SILENCED_FOR, f"#{number}")
            case "end":
                return await self._asked.duty.end(number, name)
        return None

    def _card(self, episode: Episode, name: str, outcome: Outcome | None = None, unnamed: bool = False) -> Card:
        asked, alert = self._asked, episode.alert
        room = None if alert.room is None else asked.sight.room(*alert.room)
        contact = called(asked.contacts(), room.contact) if room is not None and room.contact else None
        hold = asked.duty.hold(episode.number)
        return Card(
            episode, asked.now(), asked.zone, room, hold, contact, name, outcome, unnamed, asked.purpose,
            self._runbook(alert),
        )  # fmt: skip

    def _runbook(self, alert: Alert) -> str:
        """Relative: a proxy may have put its own path before ours."""
        name = self._asked.runbook(alert)
        return alert.runbook_url or ("" if name is None else f"../runbooks/{name}")


def same_origin(headers: Mapping[str, str], public_url: str) -> bool:
    """Whether a browser says that the form was on a page of ours. One that says nothing is not believed."""
    origin = headers.get("Origin")
    if origin is None:
        return headers.get("Sec-Fetch-Site") == "same-origin"
    said = urlsplit(origin)
    public = urlsplit(public_url)
    if public.netloc and (said.scheme, said.netloc.lower()) == (public.scheme, public.netloc.lower()):
        return True
    return bool(said.netloc) and said.netloc.lower() == headers.get("Host", "").lower()


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode(), max_num_fields=FIELDS_MAX, errors="strict")
    except (UnicodeDecodeError, ValueError):  # not of our page: too many fields, or no text
        return {}
    return {name: values[0] for name, values in fields.items()}


def _remembered(request: web.Request) -> str:
    try:
        kept = SimpleCookie(request.headers.get("Cookie", "")).get(COOKIE)
        return person(unquote(kept.value, errors="strict")) if kept is not None else ""
    except (CookieError, UnicodeDecodeError, Unnamed):
        return ""


def _language(request: web.Request) -> Language:
    return spoken(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))


def _html(text: str, status: int) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html", headers=HEADERS)
