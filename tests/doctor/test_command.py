"""`livemon doctor` from end to end: a real feed, a spool that a monitor holds, colours, exit codes."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor import cli
from monitor.commands.doctor import line
from monitor.doctor.finding import fine, wrong
from monitor.store.spool import Spool
from tests.doctor.test_feeds import STAT


class Hall(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(STAT.encode())

    def log_message(self, *_: object) -> None:
        """In silence."""


@pytest.fixture
def hall() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hall)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/stat"
    server.shutdown()
    server.server_close()
    thread.join()


def write(folder: Path, hall: str, more: str = "") -> Path:
    (folder / "roster.csv").write_text(
        "platform,room,anchor,hall\nnginx_rtmp,live/room1,晚风,A\nnginx_rtmp,live/room2,海风,A\n"
    )
    (folder / "livemon.toml").write_text(
        'roster = "roster.csv"\nlisten = "127.0.0.1:1"\nspool_bytes_max = 1_048_576\n' + more + "[[feed]]\n"
        f'kind = "nginx_rtmp"\nname = "hall-a"\nhall = "A"\nurl = "{hall}"\n'
    )
    return folder / "livemon.toml"


def doctor(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, tuple[str, str]]]:
    code = cli.main(["doctor", "--config", str(path)])
    out = capsys.readouterr().out
    lines = re.findall(r"^(fine|note|wrong)\s+(\S+(?: \S+)?)\s{1,}(.*)$", out, re.M)
    return code, {name.split("  ")[0].strip(): (state, rest) for state, name, rest in lines}


def test_all_lines_while_a_monitor_holds_the_spool(tmp_path: Path, hall: str, capsys: pytest.CaptureFixture[str]):
    path = write(tmp_path, hall)
    spool = Spool(tmp_path / "var" / "spool")
    before = sorted(file.name for file in (tmp_path / "var" / "spool").iterdir())
    code, lines = doctor(path, capsys)
    assert sorted(file.name for file in (tmp_path / "var" / "spool").iterdir()) == before
    spool.close()
    assert lines["feed hall-a"][0] == "fine"
    assert lines["feed hall-a"][1].endswith("1 of 2 rooms live")
    for name in ("config", "data_dir", "disk", "clock", "timezone"):
        assert name in {key.split()[0] for key in lines}, lines
    wrong_ones = {name.split()[0] for name, (state, _) in lines.items() if state == "wrong"}
    assert wrong_ones <= {"fsync"}  # whatever this disk can do just now
    assert code == bool(wrong_ones)


def test_one_thing_wrong_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, lines = doctor(write(tmp_path, "http://127.0.0.1:1/stat"), capsys)
    assert (code, lines["feed hall-a"][0]) == (1, "wrong")


def test_a_roster_that_is_not_right(tmp_path: Path, hall: str, capsys: pytest.CaptureFixture[str]):
    path = write(tmp_path, hall)
    (tmp_path / "roster.csv").write_text("platform,room,anchor\nnginx_rtmp,,晚风\n")
    code = cli.main(["doctor", "--config", str(path)])
    out = capsys.readouterr().out
    assert code == 1
    assert re.search(r"^wrong roster .*roster.csv:2: .*livemon check", out, re.M)


def test_no_rooms_at_all(tmp_path: Path, hall: str, capsys: pytest.CaptureFixture[str]):
    path = write(tmp_path, hall)
    path.write_text(path.read_text().replace('roster = "roster.csv"\n', ""))
    assert cli.main(["doctor", "--config", str(path)]) == 1
    assert re.search(r"^wrong roster ", capsys.readouterr().out, re.M)


def test_a_bad_config_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "livemon.toml").write_text("grace = 1\n")
    assert cli.main(["doctor", "--config", str(tmp_path / "livemon.toml")]) == 2
    assert "did you mean 'grace_s'" in capsys.readouterr().err


def test_a_spool_that_the_disk_cannot_hold(tmp_path: Path, hall: str, capsys: pytest.CaptureFixture[str]):
    path = write(tmp_path, hall)
    path.write_text(path.read_text().replace("1_048_576", f"{2**50}"))
    code, lines = doctor(path, capsys)
    assert code == 1
    assert next(rest for name, (state, rest) in lines.items() if name.startswith("disk") and state == "wrong")


def test_a_line_shows_nothing_that_acts_on_a_terminal():
    shown = line(wrong("feed x", "answered \x1b[2J\nfine everything", "look"))
    assert "\x1b" not in shown.plain
    assert "\n" not in shown.plain
    assert {span.style for span in shown.spans} >= {"bold red", "yellow"}
    assert {span.style for span in line(fine("config", "well")).spans} >= {"green"}
