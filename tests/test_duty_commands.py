"""The commands of duty, against a monitor's door and a real Alertmanager."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.alerts.duty import Duty, RoomWord
from monitor.alerts.duty_door import DutyDoor
from monitor.alerts.duty_order import KEY
from monitor.alerts.keeper import Keeper
from monitor.alerts.notice import Language
from monitor.alerts.silence import Silence
from monitor.alerts.silences import Alertmanager
from monitor.alerts.tokens import secret_of
from monitor.cli import main
from tests.alerts.duty_book import MemoryBook, dropped, episode
from tests.alerts.real_alertmanager import Running, running

pytestmark = pytest.mark.real


class House(NamedTuple):
    """A door on a port, what lies behind it, and its config."""

    config: Path
    real: Running
    book: MemoryBook
    ended: list[tuple[str, str, str]]
    sent: list[bool]
    api: Alertmanager
    server: TestServer

    async def livemon(self, *words: str) -> int:
        command, *rest = words
        return await asyncio.to_thread(main, [command, "--config", str(self.config), *rest])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with running(tmp_path) as real:
        book, ended, sent = MemoryBook(episode(4821, dropped("1"))), list[tuple[str, str, str]](), list[bool]()
        api = Alertmanager(real.http, real.url)

        def now() -> datetime:
            return datetime.now(UTC)

        async def over(silence: Silence, heard: object) -> None:
            raise AssertionError(silence)

        async def end_room(platform: str, room: str, by: str) -> RoomWord:
            ended.append((platform, room, by))
            return "ended" if room == "1" else "unknown_room"

        async def hand_over(send: bool, language: Language) -> list[str]:
            sent.append(send)
            return ["【交接】night→day", "没有未恢复的断流。"]

        duty = Duty(book, api, Keeper(api, book, now, over), end_room, now)
        app = web.Application()
        app.add_routes(DutyDoor(duty, secret_of(tmp_path / "data" / KEY), hand_over).routes())
        async with TestServer(app) as server:
            config = tmp_path / "livemon.toml"
            config.write_text(
                f'data_dir = "data"\nlisten = "127.0.0.1:{server.port}"\nalertmanager_url = "{real.url}"\n'
                'timezone = "Asia/Shanghai"\n'
            )
            yield House(config, real, book, ended, sent, api, server)


async def test_an_alert_is_taken_once(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    await house.real.fire(dropped("1"))
    assert await house.livemon("ack", "#4821", "--by", "张三", "--reason", "电工在路上") == 0
    assert "张三 holds it" in capsys.readouterr().out
    assert await house.livemon("ack", "4821", "--by", "李四") == 1
    assert "张三 has it already" in capsys.readouterr().err
    (silence,) = await house.api.silences()
    assert silence.comment == "livemon ack #4821 by 张三: 电工在路上"
    assert await house.livemon("ack", "9", "--by", "张三") == 1
    assert "no alert of this number" in capsys.readouterr().err
    assert await house.livemon("ack", "4821", "--by", "a:b") == 1
    assert "nothing was done: a name has" in capsys.readouterr().err


async def test_a_broadcast_is_over(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert await house.livemon("ended", "wechat", "1", "--by", "张三", "--reason", "x") == 0
    assert await house.livemon("ended", "wechat", "2", "--by", "张三") == 1
    assert "the roster has no such room" in capsys.readouterr().err
    assert house.ended == [("wechat", "1", "张三"), ("wechat", "2", "张三")]
    assert house.book.actions == [(4821, "ended", "张三", "x")]


async def test_a_shift_is_handed_over(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert await house.livemon("handover", "--print") == 0
    assert capsys.readouterr().out == "【交接】night→day\n没有未恢复的断流。\n"
    assert await house.livemon("handover") == 0
    assert house.sent == [False, True]


async def test_silences_are_made_listed_and_ended(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    await house.real.fire(dropped("1"), dropped("2", hall="4"))
    words = ("silence", "platform=wechat", "hall=3", "--for", "2h", "--by", "张三", "--reason", "换电缆")
    assert await house.livemon(*words) == 0
    assert "1 alerts fire that it hides" in capsys.readouterr().out
    (silence,) = await house.api.silences()
    assert (silence.by, silence.reason, silence.ends_at - silence.starts_at > timedelta(minutes=119)) == (
        "张三",
        "换电缆",
        True,
    )
    assert await house.livemon("silence", "list") == 0
    listed = capsys.readouterr().out
    assert 'platform="wechat"' in listed
    assert silence.id in listed
    assert await house.livemon("silence", "end", silence.id) == 0
    assert [each.state for each in await house.api.silences()] == ["expired"]
    for wrong in (words[:3], ("silence", "hall!=3", *words[3:]), ("silence", "list", "x"), ("silence", "end", "../x")):
        assert await house.livemon(*wrong) == 1
    assert len(await house.api.silences()) == 1


async def test_planned_silences_are_imported_once(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now, file = datetime.now(UTC), tmp_path / "planned.csv"
    spans = ((now - timedelta(hours=1), now + timedelta(hours=1)), (now + timedelta(hours=2), now + timedelta(hours=3)))
    rows = [f"wechat,{hall},{a:%Y-%m-%dT%H:%M:%SZ},{b:%Y-%m-%dT%H:%M:%SZ},张三" for hall, (a, b) in enumerate(spans)]
    file.write_text("\n".join(("平台,场馆,开始,结束,设置人", *rows)), encoding="gb18030")
    for made in (2, 0):
        assert await house.livemon("silence", "import", str(file)) == 0
        assert capsys.readouterr().out.startswith(f"{made} silences made")
    assert sorted(each.state for each in await house.api.silences()) == ["active", "pending"]
    file.write_text("平台,开始,结束,设置人\n,2026-11-20 01:00,2026-11-20 02:00,张三\n")
    assert await house.livemon("silence", "import", str(file)) == 2


async def test_only_who_may_read_data_dir_may_act(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    (house.config.parent / "data" / KEY).write_bytes(bytes(32))
    assert await house.livemon("ack", "4821", "--by", "张三") == 1
    assert "runs on another data_dir" in capsys.readouterr().err
    (house.config.parent / "data" / KEY).unlink()
    assert await house.livemon("ack", "4821", "--by", "张三") == 1
    url = house.server.make_url("/duty")
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer é"}):
        async with house.real.http.post(url, data=b"{}", headers=headers) as answer:
            assert answer.status == 401
    assert house.book.actions == []


async def test_what_is_no_order_is_refused(house: House) -> None:
    key = (house.config.parent / "data" / KEY).read_bytes().hex()
    for body, status in (
        (b"{}", 400),
        (b'{"type":"acknowledge","number":"x"}', 400),
        (b"x" * 70_000, 413),
        (b"\xff", 400),
    ):
        headers = {"Authorization": f"Bearer {key}"}
        async with house.real.http.post(house.server.make_url("/duty"), data=body, headers=headers) as answer:
            assert answer.status == status


async def test_no_monitor_and_no_alertmanager_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "livemon.toml"
    config.write_text('data_dir = "data"\nlisten = "127.0.0.1:9"\n')
    secret_of(tmp_path / "data" / KEY)
    for words, said in (
        (["ack", "1", "--by", "z"], "no monitor answers"), (["handover"], "no monitor answers"),
        (["silence", "list"], "add alertmanager_url"),
    ):  # fmt: skip
        assert await asyncio.to_thread(main, [words[0], "--config", str(config), *words[1:]]) == 1
        assert said in capsys.readouterr().err


def test_check_says_who_is_called_and_what_leaves_an_hour_without_anybody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, people = tmp_path / "livemon.toml", tmp_path / "people.csv"
    config.write_text(
        'data_dir = "data"\ncontacts = "people.csv"\n'
        '[[shift]]\nname = "night"\nstarts = "20:00"\nends = "08:00"\nduty = ["zhang", "li"]\n'
    )
    people.write_text("id,name\nzhang,张三\n")
    assert main(["check", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "note: from 08:00 to 20:00 nobody is on duty" in said
    assert "calls 'li', whom contacts do not list" in said
    people.write_text("id,name\nzhang,张三\nzhang,李四\n")
    assert main(["check", "--config", str(config)]) == 2
    assert "people.csv:3: id 'zhang' stands at line 2 already" in capsys.readouterr().err
