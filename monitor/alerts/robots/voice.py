"""One robot's mouth: reads its URL and secret anew, posts one notice, and says what the answer means."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Protocol

import aiohttp

from monitor.alerts.notice import Notice
from monitor.alerts.pace import Limit
from monitor.alerts.robots import apprise, dingtalk, feishu, wecom
from monitor.alerts.robots.answer import Post, Verdict
from monitor.config_alerts import Robot, RobotKind
from monitor.secret import Secret, SecretError, read_secret

ANSWER_BYTES_MAX = 65_536
ANSWER_S_MAX = 60.0  # a robot that takes half a minute has taken the message: who gives up sooner sends it twice
CONNECT_S_MAX = 10.0
KINDS: dict[RobotKind, ModuleType] = {"dingtalk": dingtalk, "feishu": feishu, "wecom": wecom, "apprise": apprise}


class Voice(Protocol):
    """What delivery asks of a robot."""

    @property
    def limits(self) -> tuple[Limit, ...]: ...

    def fits(self, notice: Notice) -> bool:
        """Would the whole of it be told?"""
        ...

    async def say(self, notice: Notice) -> Verdict: ...


class HttpVoice:
    """DingTalk, Feishu and WeCom. Never logs; what it says of a failure holds neither URL nor secret."""

    def __init__(
        self,
        robot: Robot,
        http: aiohttp.ClientSession,
        now: Callable[[], datetime],
        answer_s_max: float = ANSWER_S_MAX,
    ) -> None:
        self._robot, self._http, self._now = robot, http, now
        self._kind = KINDS[robot.kind]
        self._timeout = aiohttp.ClientTimeout(total=answer_s_max, sock_connect=min(CONNECT_S_MAX, answer_s_max))
        self.limits: tuple[Limit, ...] = self._kind.LIMITS

    def fits(self, notice: Notice) -> bool:
        return bool(self._kind.size(notice, self._robot) <= self._kind.BYTES_MAX)

    async def say(self, notice: Notice) -> Verdict:
        try:
            url, secret = secrets_of(self._robot)
        except SecretError as error:
            return Verdict("refused", f"{error.what}; {error.todo}")
        post: Post = self._kind.post(notice, self._robot, url, secret, self._now())
        try:
            status, body = await self._answer(post)
        except TimeoutError:
            return Verdict("again", "no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:  # its text may hold the URL
            return Verdict("again", f"cannot be reached ({type(error).__name__})")
        verdict: Verdict = self._kind.verdict(status, body)
        return verdict

    async def _answer(self, post: Post) -> tuple[int, bytes]:
        async with self._http.post(
            post.url.reveal(), data=post.body, headers=post.headers, timeout=self._timeout, allow_redirects=False
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(ANSWER_BYTES_MAX):
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    break
            return response.status, bytes(body[:ANSWER_BYTES_MAX])


class AppriseVoice:
    """What the library knows, in a thread of its own time limit."""

    limits = apprise.LIMITS

    def __init__(self, robot: Robot, answer_s_max: float = ANSWER_S_MAX) -> None:
        self._robot, self._answer_s_max = robot, answer_s_max

    def fits(self, notice: Notice) -> bool:
        return apprise.size(notice, self._robot) <= apprise.BYTES_MAX

    async def say(self, notice: Notice) -> Verdict:
        try:
            url, _ = secrets_of(self._robot)
        except SecretError as error:
            return Verdict("refused", f"{error.what}; {error.todo}")
        return await asyncio.to_thread(apprise.tell, notice, self._robot, url, self._answer_s_max)


def secrets_of(robot: Robot) -> tuple[Secret, Secret | None]:
    """Read at each message: a file that was replaced is followed. Raises SecretError."""
    url = read_secret(robot.url_file)
    return url, None if robot.secret_file is None else read_secret(robot.secret_file)


def voice_of(robot: Robot, http: aiohttp.ClientSession, now: Callable[[], datetime]) -> Voice:
    return AppriseVoice(robot) if robot.kind == "apprise" else HttpVoice(robot, http, now)
