"""Fake group robots of DingTalk, Feishu and WeCom: they keep the true limits, and refuse in the true words.

Like the real ones they answer with status 200 whatever they think of a message. Nothing here uses livemon's own code.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

HOUR_S = 3600
Mood = Literal["well", "down", "500", "slow", "too_fast", "gone"]


@dataclass
class Chat:
    """One robot in one group. `at_s` is its clock: seconds since 1970. What it shows to people is in `shown`."""

    kind: str
    at_s: Callable[[], float]
    secret: str = ""
    keyword: str = ""
    mood: Mood = "well"
    slow_s: float = 0.0
    shown: list[dict[str, Any]] = field(default_factory=list)
    shown_at_s: list[float] = field(default_factory=list)
    calls: int = 0
    blocked_times: int = 0
    url: str = ""
    _within: deque[float] = field(default_factory=deque)
    _blocked_until_s: float = 0.0

    @property
    def texts(self) -> list[str]:
        return [text_of(self.kind, message) for message in self.shown]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        raw = await request.read()
        if self.mood == "down":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if self.mood == "500":
            return web.Response(status=500, text="<html>Internal Server Error</html>")
        if self.mood == "slow":
            await asyncio.sleep(self.slow_s)
        checks = {"dingtalk": self._dingtalk, "feishu": self._feishu, "wecom": self._wecom, "apprise": self._any}
        told = checks[self.kind](request, raw)
        if told is None:
            self.shown.append(json.loads(raw))
            self.shown_at_s.append(self.at_s())
            ok = {"code": 0, "data": {}, "msg": "success"} if self.kind == "feishu" else {"errcode": 0, "errmsg": "ok"}
            return web.json_response(ok)
        code, words = told
        return web.json_response(
            {"code": code, "msg": words} if self.kind == "feishu" else dict(errcode=code, errmsg=words)
        )

    def _counted(self, messages_max: int, window_s: float) -> bool:
        now_s = self.at_s()
        while self._within and self._within[0] <= now_s - window_s:
            self._within.popleft()
        self._within.append(now_s)
        return len(self._within) <= messages_max

    def _dingtalk(self, request: web.Request, raw: bytes) -> tuple[int, str] | None:
        if self.mood == "gone":
            return 400101, "access_token not exist"
        now_s = self.at_s()
        if self.mood == "too_fast" or now_s < self._blocked_until_s:
            return 130101, "send too fast, exceed 20 times per minute"
        if not self._counted(20, 60.0):
            self._blocked_until_s = now_s + 600
            self.blocked_times += 1
            return 130101, "send too fast, exceed 20 times per minute"
        if len(raw) > 20_000:
            return 460101, "message too long, exceed 20000 bytes"
        if self.secret:
            stamp, sign = request.query.get("timestamp", ""), request.query.get("sign", "")
            if not stamp.isdigit() or abs(int(stamp) / 1000 - now_s) > HOUR_S:
                return 310000, "invalid timestamp"
            mac = hmac.new(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), hashlib.sha256).digest()
            if sign != base64.b64encode(mac).decode():
                return 310000, "sign not match"
        message = json.loads(raw)
        if self.keyword and self.keyword not in message["markdown"]["text"] + message["markdown"]["title"]:
            return 310000, "keywords not in content"
        called = [f"@{each}" for each in (*message["at"]["atMobiles"], *message["at"]["atUserIds"])]
        assert all(each in message["markdown"]["text"] for each in called), "who is not in the text is not called"
        return None

    def _feishu(self, request: web.Request, raw: bytes) -> tuple[int, str] | None:
        if self.mood == "gone":
            return 19001, "param invalid: incoming webhook access token invalid"
        now_s = self.at_s()
        in_a_second = sum(at_s > now_s - 1.0 for at_s in self._within) + 1
        if not self._counted(100, 60.0) or in_a_second > 5 or self.mood == "too_fast":
            self.blocked_times += self.mood != "too_fast"
            return 11232, "create message trigger system rate limit"
        if len(raw) > 20 * 1024:
            return 19036, "request body exceeds 20KB"
        message = json.loads(raw)
        if self.secret:
            stamp = message.get("timestamp", "")
            if not stamp.isdigit() or abs(int(stamp) - now_s) > HOUR_S:
                return 19021, "sign match fail or timestamp is not within one hour from current time"
            mac = hmac.new(f"{stamp}\n{self.secret}".encode(), b"", hashlib.sha256).digest()
            if message.get("sign") != base64.b64encode(mac).decode():
                return 19021, "sign match fail or timestamp is not within one hour from current time"
        if self.keyword and self.keyword not in raw.decode():
            return 19024, "Key Words Not Found"
        return None

    def _any(self, request: web.Request, raw: bytes) -> tuple[int, str] | None:
        return None

    def _wecom(self, request: web.Request, raw: bytes) -> tuple[int, str] | None:
        if self.mood == "gone":
            return 93000, "invalid webhook url, hint: [1], from ip: 127.0.0.1"
        if not self._counted(20, 60.0) or self.mood == "too_fast":
            self.blocked_times += self.mood != "too_fast"
            return 45009, "api freq out of limit"
        message = json.loads(raw)
        content = message[message["msgtype"]]["content"]
        if len(content.encode()) > {"markdown": 4096, "text": 2048}[message["msgtype"]]:
            return 40058, "markdown.content exceed max length 4096. invalid Request Parameter"
        return None


def text_of(kind: str, message: dict[str, Any]) -> str:
    """What people read."""
    if kind == "dingtalk":
        return str(message["markdown"]["text"])
    if kind == "apprise":
        return str(message["message"])
    if kind == "wecom":
        return str(message[message["msgtype"]]["content"])
    [locale] = message["content"]["post"].values()
    rows = ["".join(part.get("text", "") for part in row) for row in locale["content"]]
    return "\n".join([locale["title"], *rows])


@asynccontextmanager
async def served(*chats: Chat) -> AsyncIterator[None]:
    """Each under a URL of its own, with the token in it as the real ones have."""
    app = web.Application()
    for number, chat in enumerate(chats):
        app.router.add_post(f"/robot/{number}", chat.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    for number, chat in enumerate(chats):
        chat.url = f"http://{host}:{port}/robot/{number}?access_token=canary-{number}"
    try:
        yield
    finally:
        await runner.cleanup()
