"""What alerts need of others: robots, Alertmanager, Prometheus, the page's public URL; a finding each."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp
import msgspec

from monitor.alerts.match import nobody_takes_the_rest
from monitor.alerts.notice import Notice
from monitor.alerts.robots.voice import secrets_of, voice_of
from monitor.config import Config
from monitor.config_alerts import Robot
from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.purpose import Purpose, marked
from monitor.secret import SecretError

ANSWER_S_MAX = 5.0
BODY_BYTES_MAX = 64 * 1024 * 1024  # all rules with all alerts of a storm
TITLES = {"zh": "【测试】livemon doctor 的测试消息", "en": "[TEST] a message of livemon doctor"}
LINES = {"zh": "收到即表示这个机器人可用,无需处理", "en": "that you see this says that this robot works; nothing to do"}


async def check_alerts(
    config: Config, http: aiohttp.ClientSession, now: Callable[[], datetime], send: bool
) -> list[Finding]:
    """`send`: each robot is sent a message. Nothing is said of what is not used."""
    found = [await check_robot(robot, http, now, send, config.purpose) for robot in config.robots]
    if (doubt := nobody_takes_the_rest(config.robots)) is not None:
        found.append(note("robots", doubt))
    if config.alertmanager_url:
        found.append(await check_alertmanager(http, config.alertmanager_url))
    elif config.robots:
        todo = 'give alertmanager_url = "http://127.0.0.1:9093"'
        found.append(note("alertmanager", "not in the config: nobody can take an alert or silence one", todo))
    if config.prometheus_url:
        found.append(await check_prometheus(http, config.prometheus_url))
    if config.robots and not config.public_url:
        found.append(note("public_url", "not in the config: messages have no link to take an alert", "give public_url"))
    return found


async def check_robot(
    robot: Robot, http: aiohttp.ClientSession, now: Callable[[], datetime], send: bool, purpose: Purpose
) -> Finding:
    name = f"robot {robot.name}"
    try:
        secrets_of(robot)
    except SecretError as error:
        return wrong(name, error.what, error.todo)
    if not send:
        return fine(name, f"{robot.kind}, its files are there; `livemon doctor --send` sends it a message")
    title = marked(TITLES[robot.language], purpose)
    verdict = await voice_of(robot, http, now).say(Notice("test", "info", title, (LINES[robot.language],)))
    if verdict.outcome == "sent":
        return fine(name, f"{robot.kind} took a test message")
    todo = "compare its URL, secret and keyword with its settings in the chat"
    return wrong(name, f"{robot.kind} did not take a test message: {verdict.why}", todo)


async def check_alertmanager(http: aiohttp.ClientSession, url: str) -> Finding:
    """Does it answer, and does its configuration lead to us?"""
    said = await _ask(http, f"{url.rstrip('/')}/api/v2/status")
    if isinstance(said, str):
        todo = "start it, or correct alertmanager_url: without it nobody can take an alert"
        return wrong("alertmanager", f"{url} does not answer: {said}", todo)
    version = str(_at(said, "versionInfo", "version") or "")
    if not version:
        return wrong("alertmanager", f"what answers at {url} is no Alertmanager", "correct alertmanager_url")
    written = str(_at(said, "config", "original") or "")
    if "webhook_configs" not in written or not ("/alertmanager" in written or "<secret>" in written):
        todo = (
            "use prometheus/alertmanager.yml, or add webhook_configs with the url http://.../alertmanager of `listen`"
        )
        return wrong("alertmanager", f"{version} runs, and none of its receivers is livemon", todo)
    if "/alertmanager" not in written:  # later releases show no address of a webhook
        return fine("alertmanager", f"{version} runs, and calls webhooks; whether livemon's is one, it does not show")
    return fine("alertmanager", f"{version} runs, and tells livemon")


async def check_prometheus(http: aiohttp.ClientSession, url: str) -> Finding:
    """Does it answer, and has it our rules and our series?"""
    root = url.rstrip("/")
    said = await _ask(http, f"{root}/api/v1/rules?type=alert")
    if isinstance(said, str):
        return wrong("prometheus", f"{url} does not answer: {said}", "start it, or correct prometheus_url")
    groups = _at(said, "data", "groups")
    if not isinstance(groups, list):
        return wrong("prometheus", f"what answers at {url} is no Prometheus", "correct prometheus_url")
    rules = [str(_at(rule, "name")) for group in groups for rule in _at(group, "rules") or ()]
    ours = sum(name.startswith("Livemon") for name in rules)
    if not ours:
        return wrong("prometheus", "it has no alert of ours", "add prometheus/rules/*.yml to its rule_files")
    up = await _ask(http, f"{root}/api/v1/query?query=up%7Bjob%3D~%22livemon.*%22%7D")
    values = [] if isinstance(up, str) else [_at(each, "value") for each in _at(up, "data", "result") or ()]
    if not values:
        todo = "add the jobs livemon and livemon-rooms of prometheus/prometheus.yml"
        return wrong("prometheus", f"it has {ours} alerts of ours, and does not scrape us", todo)
    if any(isinstance(value, list) and value[-1:] != ["1"] for value in values):
        return note("prometheus", f"it has {ours} alerts of ours, and a scrape of livemon fails", "is livemon running?")
    return fine("prometheus", f"it has {ours} alerts of ours, and scrapes livemon")


async def _ask(http: aiohttp.ClientSession, url: str) -> Mapping[str, Any] | str:
    """The answer, or why there is none."""
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=ANSWER_S_MAX)) as answer:
            body = b""
            async for piece in answer.content.iter_any():
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    return f"its answer has more than {BODY_BYTES_MAX:_} bytes"
            return msgspec.json.decode(body, type=dict[str, Any]) if answer.status == 200 else f"status {answer.status}"
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return " ".join(str(error).split())[:200] or type(error).__name__
    except msgspec.MsgspecError:
        return {}


def _at(value: object, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
