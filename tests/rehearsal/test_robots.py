"""Whom a rehearsal tells: what `--robots` takes comes back as it was, and nothing that acts on an event."""

import asyncio
import signal
import time
from pathlib import Path

import aiohttp
import pytest

from monitor.config import load
from monitor.rehearsal import stage
from monitor.rehearsal.event.cast import cast, roster_csv
from monitor.rehearsal.monitored import LIVEMON
from monitor.rehearsal.program import Program
from monitor.rehearsal.robots import lines_of
from tests.alerts.chat import Chat, served
from tests.alerts.desk_ground import alerts_of, dropped, robot_table, until
from tests.rehearsal.test_stage import BEGAN_AT

CONFIG = """\
purpose = "{purpose}"
contacts = "contacts.csv"
alertmanager_url = "http://127.0.0.1:9093"
deadman_url = "https://hc.example/1"
grafana_url = "https://grafana.example"
public_url = "https://live.example.cn"
[[robot]]
name = "hall-3"
kind = "dingtalk"
url_file = "url-3"
secret_file = "sign-3"
keyword = "直播 \\"3\\""
match = {{ hall = ["3", "4"], severity = "critical" }}
fallback = "rest"
[[robot]]
name = "rest"
kind = "wecom"
url_file = "url"
language = "en"
[[shift]]
name = "夜"
starts = "20:00"
ends = "08:00"
duty = ["zhang", "li"]
"""


@pytest.mark.parametrize("purpose", ["event", "rehearsal"])
def test_robots_shifts_and_contacts_come_back_as_they_were(tmp_path: Path, purpose: str) -> None:
    (tmp_path / "contacts.csv").write_text("id\nzhang\nli\n")
    for name, text in (("url", "https://a.example/1"), ("url-3", "https://a.example/3"), ("sign-3", "SEC")):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(text)
    (tmp_path / "livemon.toml").write_text(CONFIG.format(purpose=purpose), encoding="utf-8")
    given = load(tmp_path / "livemon.toml")
    with stage.taken(tmp_path / "play") as folder:
        told = lines_of(given, "http://127.0.0.1:8790")
        made = load(stage.write(folder, BEGAN_AT, 8790, roster_csv(cast(10, 1)), [], told=told))
    assert (made.robots, made.shifts, made.contacts) == (given.robots, given.shifts, given.contacts)
    assert (made.purpose, made.grafana_url, made.deadman_url) == ("rehearsal", given.grafana_url, None)
    assert made.public_url == "http://127.0.0.1:8790"
    assert made.alertmanager_url == (given.alertmanager_url if purpose == "rehearsal" else None)


@pytest.mark.real
@pytest.mark.parametrize("let", [False, True])
async def test_a_rehearsal_speaks_only_if_it_is_let_and_says_what_it_is(tmp_path: Path, let: bool) -> None:
    """The whole command; its monitor is told of an alert as soon as it listens."""
    chat, folder = Chat("feishu", time.time), tmp_path / "play"
    async with served(chat), aiohttp.ClientSession() as http:
        given = tmp_path / "given.toml"
        given.write_text(robot_table(tmp_path, "hall", chat))
        command = [*LIVEMON, "rehearse", "--rooms", "20", "--data-dir", str(folder)]
        with Program([*command, *(["--robots", str(given)] if let else [])], tmp_path / "log") as played:
            await until(lambda: (folder / "livemon.toml").exists(), 60.0)
            url = f"http://{load(folder / 'livemon.toml').listen}"
            alert = dropped("", alertname="LivemonBooksDiffer", platform="", hall="")
            assert await told(http, url, alert, played)
            await (until(lambda: chat.texts) if let else asyncio.sleep(5))
            await asyncio.to_thread(played.stop, signal.SIGINT, 60.0)
    assert [text.startswith("【演练】") for text in chat.texts] == ([True] if let else [])
    assert chat.calls == len(chat.texts)


async def told(http: aiohttp.ClientSession, url: str, alert: dict[str, object], played: Program) -> bool:
    """Post it as soon as somebody listens."""
    async with asyncio.timeout(60):
        while played.running:
            try:
                async with http.post(f"{url}/alertmanager", json=alerts_of(alert)) as answer:
                    return answer.status == 200
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
    raise AssertionError(played.log.read_text())
