"""Robots, Alertmanager and Prometheus as the doctor finds them: with what real ones answer, and with what else may."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.config import Config
from monitor.config_alerts import Match, Robot, Texts
from monitor.doctor.alerts import check_alertmanager, check_alerts, check_prometheus, check_robot
from monitor.doctor.finding import Finding
from monitor.live.clock import wall_time
from tests.alerts.chat import Chat, served

HOOK = "receivers:\n- name: livemon\n  webhook_configs:\n  - url: {}\n"
RULES = {"data": {"groups": [{"rules": [{"name": "LivemonRoomDropped"}, {"name": "Other"}]}]}}
UP = {"data": {"result": [{"value": [1, "1"]}]}}


def alertmanager(original: str) -> dict[str, object]:
    return {"versionInfo": {"version": "0.28.1"}, "config": {"original": original}, "uptime": "2026-01-01T00:00:00Z"}


@asynccontextmanager
async def answering(answers: Mapping[str, object]) -> AsyncIterator[str]:
    """`answers` by path; a text is sent as it is."""

    async def answer(request: web.Request) -> web.Response:
        if request.path not in answers:
            return web.Response(status=404)
        body = answers[request.path]
        return web.Response(text=body if isinstance(body, str) else json.dumps(body))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def asked(check: object, answers: Mapping[str, object]) -> Finding:
    async with answering(answers) as url, aiohttp.ClientSession() as http:
        return await check(http, url)  # type: ignore[operator,no-any-return]


@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        (alertmanager(HOOK.format("http://livemon:8790/alertmanager")), "fine", "0.28.1 runs, and tells livemon"),
        (alertmanager(HOOK.format("<secret>")), "fine", "does not show"),
        (alertmanager(HOOK.format("http://other/")), "wrong", "none of its receivers is livemon"),
        (alertmanager("receivers: [{name: nobody}]"), "wrong", "none of its receivers is livemon"),
        ({"some": "thing"}, "wrong", "is no Alertmanager"),
        ("<html>", "wrong", "is no Alertmanager"),
        ([1], "wrong", "is no Alertmanager"),
    ],
)
async def test_alertmanager(said: object, state: str, words: str) -> None:
    found = await asked(check_alertmanager, {"/api/v2/status": said})
    assert (found.state, words in found.what) == (state, True), found


@pytest.mark.parametrize(
    ("rules", "up", "state", "words"),
    [
        (RULES, UP, "fine", "1 alerts of ours, and scrapes livemon"),
        (RULES, {"data": {"result": [{"value": [1, "0"]}]}}, "note", "fails"),
        (RULES, {"data": {"result": []}}, "wrong", "does not scrape us"),
        ({"data": {"groups": []}}, UP, "wrong", "no alert of ours"),
        ({"data": None}, UP, "wrong", "is no Prometheus"),
        ("not json", UP, "wrong", "is no Prometheus"),
    ],
)
async def test_prometheus(rules: object, up: object, state: str, words: str) -> None:
    found = await asked(check_prometheus, {"/api/v1/rules": rules, "/api/v1/query": up})
    assert (found.state, words in found.what) == (state, True), found


@pytest.mark.parametrize("check", [check_alertmanager, check_prometheus])
async def test_one_that_is_not_there_is_wrong_and_says_what_to_do(check: object) -> None:
    async with aiohttp.ClientSession() as http:
        nobody = await check(http, "http://127.0.0.1:9")  # type: ignore[operator]
    for found in (nobody, await asked(check, {})):
        assert (found.state, "does not answer" in found.what, bool(found.todo)) == ("wrong", True, True)


def robot(folder: Path, url: str, **more: object) -> Robot:
    file = folder / "url"
    file.touch(mode=0o600)
    file.write_text(url)
    return Robot(name="hall", kind="wecom", url_file=file, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("purpose", ["event", "rehearsal"])
async def test_a_robot_is_sent_a_message_only_if_it_is_asked_for(tmp_path: Path, purpose: str) -> None:
    chat = Chat("wecom", time.time)
    async with served(chat), aiohttp.ClientSession() as http:
        one = robot(tmp_path, chat.url)
        assert (await check_robot(one, http, wall_time, False, purpose)).state == "fine"  # type: ignore[arg-type]
        assert chat.calls == 0
        assert (await check_robot(one, http, wall_time, True, purpose)).state == "fine"  # type: ignore[arg-type]
        [text] = chat.texts
        assert text.lstrip("#* ").startswith("【演练】【测试】" if purpose == "rehearsal" else "【测试】")


@pytest.mark.parametrize("mood", ["gone", "down", "500", "too_fast"])
async def test_a_robot_that_does_not_take_it_is_wrong_and_its_url_is_not_shown(tmp_path: Path, mood: str) -> None:
    chat = Chat("wecom", time.time, mood=mood)  # type: ignore[arg-type]
    async with served(chat), aiohttp.ClientSession() as http:
        found = await check_robot(robot(tmp_path, chat.url), http, wall_time, True, "event")
    assert (found.state, "canary" in str(found), bool(found.todo)) == ("wrong", False, True)


async def test_nothing_is_said_of_what_is_not_used_and_what_lacks_is_named(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)
    async with aiohttp.ClientSession() as http:
        assert await check_alerts(config, http, wall_time, False) == []
        matched = robot(tmp_path, "https://a.example/1", match=Match(hall=Texts(["3"])))
        found = await check_alerts(Config(data_dir=tmp_path, robots=[matched]), http, wall_time, False)
    assert [(each.name, each.state) for each in found] == [
        ("robot hall", "fine"), ("robots", "note"), ("alertmanager", "note"), ("public_url", "note"),
    ]  # fmt: skip
