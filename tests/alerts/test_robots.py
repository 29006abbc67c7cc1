"""Each robot is told in its own way and within its limits, and its answers are understood; the fakes do refuse."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Link, Notice
from monitor.alerts.robots import dingtalk, feishu, wecom
from monitor.alerts.robots.voice import KINDS, AppriseVoice, HttpVoice, voice_of
from monitor.config_alerts import Robot
from monitor.secret import Secret
from tests.alerts.chat import Chat, served
from tests.alerts.outbox import Hands

SECRET = "SEC0123456789abcdef"
AT = datetime(2026, 11, 19, 11, 54, 5, tzinfo=UTC)
URL = Secret("https://oapi.dingtalk.com/robot/send?access_token=canary")
# printf '%s\n%s' STAMP SECRET | openssl dgst -sha256 -hmac SECRET -binary | base64
DINGTALK_SIGN = "p7qULdVrQ6YcmJXRYx3Nq/ifB8IerzIuJqZWTlktNuo="
# openssl dgst -sha256 -mac HMAC -macopt hexkey:(STAMP\nSECRET) of nothing
FEISHU_SIGN = "eqk4g8EVfjYVKEOrpdPgIq6ORDaDtCeduaRQNwYbnFU="
STAMP = 1795089245
LINKS = (Link("看板", "https://g.cn/d/livemon-hall?from=1&to=now"), Link("我来处理", "https://live.cn/a/tok(1)"))
TITLE = "【断流】#4821 大连·王姐海鲜(视频号)20:14:05 停,已 25 秒"
LINES = ("停前在线 12,340,近 10 分钟成交 ¥86,200", "3 号馆,联系人 张三")
ISSUE = (
    "【断流】#4821 大连·王姐海鲜(视频号)20:14:05 停,已 25 秒;停前在线 12,340,近 10 分钟成交 ¥86,200;"
    "3 号馆,联系人 张三;看板 · 我来处理"
)
ZHANG = Contact("zhang", "张三", "+8613800000000", "ding-zhang", "wecom-zhang", "ou_zhang")
MOBILE = Contact("li", "李四", "13900000000")
DROP = Notice("firing", "critical", TITLE, LINES, LINKS, (ZHANG, MOBILE), 4821)


def robot(folder: Path, kind: str, chat: Chat | None = None, **others: object) -> Robot:
    files = {"url_file": chat.url if chat else URL.reveal(), "secret_file": chat.secret if chat else ""}
    for key, text in files.items():
        if text:
            (folder / key).write_text(text + "\n")
            (folder / key).chmod(0o600)
            others[key] = folder / key
    return Robot(name="hall-3", kind=kind, **others)  # type: ignore[arg-type]


def test_dingtalks_signature_is_that_of_its_page():
    query = parse_qs(urlsplit(dingtalk.signed(URL.reveal(), Secret(SECRET), datetime.fromtimestamp(STAMP, UTC))).query)
    assert query == {"access_token": ["canary"], "timestamp": [f"{STAMP}000"], "sign": [DINGTALK_SIGN]}


def test_feishus_signature_is_that_of_its_page():
    assert feishu.sign(STAMP, Secret(SECRET)) == FEISHU_SIGN


def test_the_message_reads_word_for_word(tmp_path: Path):
    markdown = json.loads(dingtalk.post(DROP, robot(tmp_path, "dingtalk"), URL, None, AT).body)["markdown"]
    row, called = markdown["text"].split("\n\n")
    board, act = "(https://g.cn/d/livemon-hall?from=1&to=now)", "(https://live.cn/a/tok%281%29)"
    assert row == ISSUE.replace("看板", f"[看板]{board}").replace("我来处理", f"[我来处理]{act}")
    assert called == "@ding-zhang @13900000000"
    assert markdown["title"] == TITLE
    post = json.loads(feishu.post(DROP, robot(tmp_path, "feishu"), URL, None, AT).body)["content"]["post"]["zh_cn"]
    assert ";".join([post["title"], "".join(part["text"] for part in post["content"][0])]) == ISSUE
    assert post["content"][1] == [{"tag": "at", "user_id": "ou_zhang"}]


def test_people_are_called_as_each_robot_can(tmp_path: Path):
    at = json.loads(dingtalk.post(DROP, robot(tmp_path, "dingtalk"), URL, None, AT).body)["at"]
    assert at == {"atMobiles": ["13900000000"], "atUserIds": ["ding-zhang"], "isAtAll": False}
    message = json.loads(wecom.post(DROP, robot(tmp_path, "wecom"), URL, None, AT).body)
    assert message["msgtype"] == "text"
    assert message["text"]["mentioned_list"] == ["wecom-zhang"]
    assert message["text"]["mentioned_mobile_list"] == ["13900000000"]
    only = Notice("firing", "critical", TITLE, LINES, LINKS, (ZHANG,), 4821)
    message = json.loads(wecom.post(only, robot(tmp_path, "wecom"), URL, None, AT).body)
    assert message["markdown"]["content"].endswith("\n<@wecom-zhang>")
    long = only.with_lines(tuple("很长的一行" * 20 for _ in range(40)))
    message = json.loads(wecom.post(long, robot(tmp_path, "wecom"), URL, None, AT).body)
    assert message["msgtype"] == "markdown"


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
def test_a_name_from_outside_speaks_no_markup(tmp_path: Path, kind: str):
    name = "[点我](http://evil.cn) <@all> **王**\n# 姐 <font color='warning'>"
    hostile = Notice("firing", "critical", f"【断流】#1 {name} 停", (name,), episode=1)
    body = json.loads(KINDS[kind].post(hostile, robot(tmp_path, kind), URL, None, AT).body)
    text = body["markdown"].get("text") or body["markdown"]["content"]
    assert not set("[]<>*\n") & set(text)


def test_feishu_shows_a_name_as_it_is_and_calls_nobody_by_it(tmp_path: Path):
    name = '<at user_id="all">所有人</at>'
    hostile = Notice("firing", "critical", "【断流】", (name, "b"))
    [locale] = json.loads(feishu.post(hostile, robot(tmp_path, "feishu"), URL, None, AT).body)["content"][
        "post"
    ].values()
    assert {part["tag"] for row in locale["content"] for part in row} == {"text"}


FIRST = {
    "dingtalk": [
        (200, {"errcode": 0, "errmsg": "ok"}, "sent"),
        (200, {"errcode": 130101, "errmsg": "send too fast"}, "again"),
        (200, {"errcode": 310000, "errmsg": "sign not match"}, "refused"),
        (200, {"errcode": -1, "errmsg": "系统繁忙"}, "again"),
        (200, {"errcode": False}, "again"),
    ],
    "feishu": [
        (200, {"code": 0, "msg": "success"}, "sent"),
        (200, {"StatusCode": 0, "StatusMessage": "success"}, "sent"),
        (200, {"code": 11232, "msg": "frequency limited"}, "again"),
        (200, {"code": 19021, "msg": "sign match fail"}, "refused"),
        (200, {"code": 10001, "msg": "whatever"}, "again"),
    ],
    "wecom": [
        (200, {"errcode": 0, "errmsg": "ok"}, "sent"),
        (200, {"errcode": 45009, "errmsg": "api freq out of limit"}, "again"),
        (200, {"errcode": 93000, "errmsg": "invalid webhook url"}, "refused"),
        (200, {"errcode": -1}, "again"),
    ],
}


@pytest.mark.parametrize("kind", FIRST)
def test_answers_are_understood(kind: str):
    verdict = KINDS[kind].verdict
    for status, body, outcome in FIRST[kind]:
        assert verdict(status, json.dumps(body).encode()).outcome == outcome, body
    for status, outcome in {500: "again", 502: "again", 429: "again", 404: "refused", 302: "refused"}.items():
        assert verdict(status, b"").outcome == outcome
    for body in (b"", b"<html>", b"[]", b"{}", b'"ok"', b'{"errcode":', b"\xff"):
        assert verdict(200, body).outcome == "again", "only a yes is a yes"


def test_too_fast_at_dingtalk_is_ten_minutes():
    assert dingtalk.verdict(200, b'{"errcode":130101}').after_s == 600
    assert feishu.verdict(429, b"").after_s > 0


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "wecom"])
async def test_a_message_of_any_length_is_taken_by_a_robot_that_keeps_its_limits(tmp_path: Path, kind: str):
    hands = Hands()
    chat = Chat(kind, hands.unix_s, "" if kind == "wecom" else SECRET, "" if kind == "wecom" else "监控")
    many = Notice(
        "firing", "critical", "【断流】5,000 个直播间停播", tuple(f"#{n} 大连·主播😀{n}" for n in range(5000)), LINKS
    )
    async with served(chat), aiohttp.ClientSession() as http:
        voice = voice_of(robot(tmp_path, kind, chat, keyword=chat.keyword), http, hands.now)
        for notice in (DROP, many, many.with_title("断" * 9000), many.with_lines(())):
            assert await voice.say(notice) == ("sent", "", 0.0)
    assert "行" in chat.texts[1]
    assert "主播😀0" in chat.texts[1]
    assert voice.fits(DROP)
    assert not voice.fits(many)


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
@pytest.mark.parametrize(("secret", "keyword"), [("other", ""), (SECRET, "别的")])
async def test_the_fakes_do_refuse_a_wrong_signature_and_a_missing_word(
    tmp_path: Path, kind: str, secret: str, keyword: str
):
    hands = Hands()
    chat = Chat(kind, hands.unix_s, SECRET, keyword)
    async with served(chat), aiohttp.ClientSession() as http:
        row = robot(tmp_path, kind, chat)
        (tmp_path / "secret_file").write_text(secret)
        assert (await voice_of(row, http, hands.now).say(DROP)).outcome == "refused"
        late = HttpVoice(row, http, lambda: hands.now() - timedelta(minutes=61))
        assert (await late.say(DROP)).outcome == "refused"
    assert chat.shown == []


async def test_url_and_secret_are_read_anew_each_time(tmp_path: Path):
    hands = Hands()
    old, new = Chat("dingtalk", hands.unix_s, "old"), Chat("dingtalk", hands.unix_s, "new")
    async with served(old, new), aiohttp.ClientSession() as http:
        voice = voice_of(robot(tmp_path, "dingtalk", old), http, hands.now)
        assert (await voice.say(DROP)).outcome == "sent"
        (tmp_path / "url_file").write_text(new.url)
        (tmp_path / "secret_file").write_text("new")
        assert (await voice.say(DROP)).outcome == "sent"
        (tmp_path / "url_file").unlink()
        assert await voice.say(DROP) == ("refused", "does not exist; write the secret into it, then chmod 600", 0.0)
    assert (len(old.shown), len(new.shown)) == (1, 1)


@pytest.mark.parametrize("mood", ["down", "500", "slow"])
async def test_a_failure_is_told_without_url_or_secret(tmp_path: Path, mood: str):
    hands = Hands()
    chat = Chat("dingtalk", hands.unix_s, SECRET, mood=mood, slow_s=5.0)  # type: ignore[arg-type]
    async with served(chat), aiohttp.ClientSession() as http:
        verdict = await HttpVoice(robot(tmp_path, "dingtalk", chat), http, hands.now, answer_s_max=0.2).say(DROP)
        (tmp_path / "url_file").write_text("http://127.0.0.1:1/?access_token=canary")
        refused = await HttpVoice(robot(tmp_path, "dingtalk"), http, hands.now).say(DROP)
    assert verdict.outcome == "again"
    assert "canary" not in repr(verdict) + repr(refused)
    assert SECRET not in repr(verdict)


def test_a_post_does_not_show_its_url(tmp_path: Path):
    assert "canary" not in repr(dingtalk.post(DROP, robot(tmp_path, "dingtalk"), URL, Secret(SECRET), AT))


async def test_apprise_delivers_what_its_library_knows(tmp_path: Path):
    chat = Chat("apprise", Hands().unix_s)
    async with served(chat):
        row = robot(tmp_path, "apprise")
        (tmp_path / "url_file").write_text(chat.url.replace("http://", "json://"))
        voice = AppriseVoice(row, answer_s_max=5.0)
        assert await voice.say(DROP) == ("sent", "", 0.0)
        links = [f"{link.text} {link.url}" for link in LINKS]
        assert chat.texts == [ISSUE.replace("看板", links[0]).replace("我来处理", links[1])]
        chat.mood = "500"
        assert (await voice.say(DROP)).outcome == "again"
        (tmp_path / "url_file").write_text("nonsense://")
        assert (await AppriseVoice(row).say(DROP)).outcome == "refused"
    assert voice.fits(DROP)
    assert not voice.fits(DROP.with_lines(("很长" * 2000,)))
