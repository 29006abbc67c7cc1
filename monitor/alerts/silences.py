"""A client of Alertmanager's API (v2): silences, and the alerts that they are about."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import aiohttp
import msgspec

from monitor.alerts.alert import Alert, instant
from monitor.alerts.silence import Matcher, Silence
from monitor.problem import quoted

ANSWER_S_MAX = 5.0
BODY_BYTES_MAX = 64 * 1024 * 1024  # 12,000 alerts, or five days of silences
SHOWN_CHARS_MAX = 300


class AlertmanagerError(Exception):
    """Alertmanager did not do it: why, in one line."""


class Unreachable(AlertmanagerError):
    """It does not answer at all, and will not answer the next question either."""


class ListedStatus(msgspec.Struct, frozen=True, rename="camel"):
    state: str = "active"
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """A firing alert as Alertmanager lists it."""

    fingerprint: str
    labels: Mapping[str, str]
    starts_at: datetime
    updated_at: datetime | None = None  # when Prometheus last told of it
    status: ListedStatus = ListedStatus()
    annotations: Mapping[str, str] = {}

    @property
    def alert(self) -> Alert:
        labels = self.labels
        name, severity = labels.get("alertname", ""), labels.get("severity", "") or "warning"
        starts_at = instant(self.starts_at) or self.starts_at
        return Alert(self.fingerprint, name, severity, labels, self.annotations, starts_at)


class Alertmanager:
    """Its API at `url`; each call ends within `seconds_max`, and raises AlertmanagerError."""

    def __init__(self, http: aiohttp.ClientSession, url: str, seconds_max: float = ANSWER_S_MAX) -> None:
        self._http, self._url = http, url.rstrip("/") + "/api/v2"
        self._timeout = aiohttp.ClientTimeout(total=seconds_max)

    async def silences(self) -> list[Silence]:
        """All that it remembers, expired ones of the last days among them."""
        return await self._ask("GET", "/silences", list[Silence])

    async def alerts(self, matchers: Sequence[Matcher]) -> list[Listed]:
        """Firing alerts that all of these take, whether they are silenced, inhibited or neither."""
        return await self._ask("GET", "/alerts", list[Listed], params=[("filter", str(each)) for each in matchers])

    async def put(self, silence: Silence) -> str:
        """Make it, or, with an id, change it; the id that it has then (another, where it had ended meanwhile)."""
        fields: dict[str, Any] = msgspec.to_builtins(silence)
        del fields["status"]
        fields |= {"startsAt": _instant(silence.starts_at), "endsAt": _instant(silence.ends_at)}
        if not silence.id:
            del fields["id"]
        return (await self._ask("POST", "/silences", Made, json=fields)).silence_id

    async def expire(self, silence_id: str) -> None:
        """End it now. One that has ended already, or that nobody knows, is said as an error."""
        if not re.fullmatch(r"[0-9a-fA-F-]{1,64}", silence_id):
            raise AlertmanagerError(f"{quoted(silence_id)} is no id of a silence; livemon silence list shows them")
        await self._answer("DELETE", f"/silence/{silence_id}")

    async def uptime_s(self, now: datetime) -> float:
        """For how long it has been running: one that was started just now has yet to be told of what fires."""
        return (now - (await self._ask("GET", "/status", Running)).uptime).total_seconds()

    async def _ask[T](self, method: str, path: str, kind: type[T], **asked: Any) -> T:
        body = await self._answer(method, path, **asked)
        try:
            return await asyncio.to_thread(msgspec.json.decode, body, type=kind)  # of a storm it is megabytes
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AlertmanagerError(f"what answers at {self._url} is no Alertmanager: {error}") from error

    async def _answer(self, method: str, path: str, **asked: Any) -> bytes:
        try:
            async with self._http.request(
                method, self._url + path, timeout=self._timeout, allow_redirects=False, **asked
            ) as answer:
                body = await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise Unreachable(f"Alertmanager does not answer at {self._url}: {why}") from error
        if answer.status != 200:
            shown = quoted(body[:SHOWN_CHARS_MAX].decode("utf-8", "replace").strip())
            raise AlertmanagerError(f"Alertmanager answers {answer.status} to {method} {path}: {shown}")
        return body


class Made(msgspec.Struct, frozen=True):
    silence_id: str = msgspec.field(name="silenceID")


class Running(msgspec.Struct, frozen=True):
    uptime: Annotated[datetime, msgspec.Meta(tz=True)]


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    pieces, size = [], 0
    async for piece in answer.content.iter_chunked(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > BODY_BYTES_MAX:
            answer.close()
            raise ValueError(f"the answer has more than {BODY_BYTES_MAX:_} bytes")
    return b"".join(pieces)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
