"""Whom a rehearsal tells: what `--robots` takes comes back as it was, and nothing that acts on an event."""

from pathlib import Path

import pytest

from monitor.config import load
from monitor.rehearsal import stage
from monitor.rehearsal.event.cast import cast, roster_csv
from monitor.rehearsal.robots import lines_of
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
