"""`livemon record` and `livemon replay`: what a feed sent goes into a file, and comes out with the same meaning."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collectors.frames import decode_lines, encode_line
from monitor.cli import main

ROOT = Path(__file__).parent.parent
EVENING = ROOT / "tests/feeds/nginx_rtmp/one_evening/frames.jsonl"
FRAMES = list(decode_lines(EVENING.read_bytes().splitlines()))
CONFIG = """
[[feed]]
kind = "nginx_rtmp"
name = "hall-a"
url = "http://127.0.0.1:{port}/stat"
interval_s = 0.1
silence_s_max = 15.0
rooms = ["live/room1", "live/room2"]
"""


class Hall:
    """A stat page that is answered as the test says: bytes, or a status."""

    def __init__(self) -> None:
        self.answers: list[bytes | int] = [FRAMES[2][0]]
        self.asked = 0
        hall = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = hall.answers[min(hall.asked, len(hall.answers) - 1)]
                hall.asked += 1
                self.send_response(answer if isinstance(answer, int) else 200)
                self.end_headers()
                self.wfile.write(answer if isinstance(answer, bytes) else b"")

            def log_message(self, format: str, *args: object) -> None:
                """Not into the test's output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.port: int = self.server.server_address[1]


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    thread = threading.Thread(target=hall.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield hall
    hall.server.shutdown()
    thread.join()
    hall.server.server_close()


@pytest.fixture
def place(hall: Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "livemon.toml").write_text(CONFIG.format(port=hall.port))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recorded(path: Path) -> list[bytes]:
    return [frame for frame, _ in decode_lines(path.read_bytes().splitlines())]


def test_what_came_is_in_the_file_and_says_the_same_again(place, hall, capsys):
    hall.answers = [frame for frame, _ in FRAMES[:4]]
    assert main(["record", "hall-a", "--for", "0.8", "-o", "frames.jsonl"]) == 0
    frames = recorded(place / "frames.jsonl")
    assert frames[:4] == hall.answers
    assert len(frames) >= 6
    assert (place / "frames.jsonl").stat().st_mode & 0o777 == 0o600
    told = capsys.readouterr()
    size = sum(map(len, frames))
    assert told.out.startswith(f"{len(frames)} frames, {size:,} bytes in 1 s")
    assert main(["replay", "frames.jsonl", "--feed", "hall-a"]) == 0
    ticks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(ticks) == 2 * len(frames)
    assert {tick["feed"] for tick in ticks} == {"hall-a"}
    assert [tick["live"] for tick in ticks if tick["room"] == "live/room1"][:3] == [False, True, True]
    assert not (place / "var").exists()  # neither spool nor database


def test_failures_are_told_and_the_feed_is_tried_again(place, hall, capsys):
    hall.answers = [503, FRAMES[1][0], b"<html>login</html>", FRAMES[2][0]]
    assert main(["record", "hall-a", "--for", "2", "-o", "frames.jsonl"]) == 0
    frames = recorded(place / "frames.jsonl")
    assert frames[:3] == [FRAMES[1][0], b"<html>login</html>", FRAMES[2][0]]
    told = capsys.readouterr()
    assert "feed hall-a lost: http_status: 503" in told.err
    assert "feed hall-a is back" in told.err
    assert "frame 2 was recorded, and means nothing to hall-a: " in told.err
    assert "; 1 mean nothing; failures: 1 http_status" in told.out


def test_a_recording_is_not_written_over_unless_asked_for(place, hall, capsys):
    (place / "frames.jsonl").write_text("precious")
    assert main(["record", "hall-a", "--for", "0.3", "-o", "frames.jsonl"]) == 1
    assert capsys.readouterr().err == "livemon: frames.jsonl is there already; --force writes over it\n"
    assert (place / "frames.jsonl").read_text() == "precious"
    assert main(["record", "hall-a", "--for", "0.3", "-o", "frames.jsonl", "--force"]) == 0
    assert recorded(place / "frames.jsonl")


def test_a_feed_that_is_not_there_is_named_with_those_that_are(place, capsys):
    assert main(["record", "hall-b", "-o", "frames.jsonl"]) == 1
    assert capsys.readouterr().err == "livemon: the config has no feed 'hall-b'; it has hall-a\n"
    assert main(["replay", str(EVENING), "--feed", "hall-b"]) == 1


def test_silence_leaves_no_file_and_is_not_fine(place, hall, capsys):
    hall.answers = [404]
    assert main(["record", "hall-a", "--for", "0.3", "-o", "frames.jsonl"]) == 1
    assert "nothing was heard of hall-a" in capsys.readouterr().out
    assert not (place / "frames.jsonl").exists()


def test_a_full_disk_ends_the_recording(place, hall, capsys):
    assert main(["record", "hall-a", "-o", "/dev/full", "--force"]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert Path("/dev/full").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_is_there(place, hall, number):
    code = "import sys; from monitor.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "record", "hall-a", "-o", "frames.jsonl"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=place, env=environment, stdout=-1, stderr=-1, text=True) as process:
        until = time.monotonic() + 20
        while hall.asked < 3 and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    frames = recorded(place / "frames.jsonl")
    assert out.startswith(f"{len(frames)} frame")


def test_the_story_of_an_evening(place, capsys):
    assert main(["replay", str(EVENING), "--feed", "hall-a", "--story"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2:5] for line in lines[:-1]] == [
        ["opened", "live/room1", "status"],
        ["dropped", "live/room1", "reconnect"],
        ["resumed", "live/room1", "status"],
        ["dropped", "live/room1", "status"],
        ["blind", "hall-a", "silence"],
        ["resumed", "live/room1", "status"],
        ["sees", "hall-a", "after"],
    ]
    assert lines[0].startswith("2026-11-24 20:30:40.510+08:00  ")
    assert lines[-1] == "9 frames: 1 opened, 2 dropped, 2 resumed, 0 closed; 1 open at the end"


def test_the_story_goes_by_the_roster_and_its_grace(place, capsys):
    config = (place / "livemon.toml").read_text().replace('rooms = ["live/room1", "live/room2"]\n', "")
    config = config.replace("silence_s_max = 15.0", "silence_s_max = 60.0")
    (place / "livemon.toml").write_text('roster = "roster.csv"\ngrace_s = 1.0\n' + config)
    (place / "roster.csv").write_text("平台,直播间,主播\nnginx_rtmp,live/room1,小王\n")
    (place / "other.csv").write_text("platform,room\nnginx_rtmp,live/room2\n")
    assert main(["replay", str(EVENING), "--feed", "hall-a", "--story"]) == 0
    told = capsys.readouterr().out
    assert "opened  live/room1  status  小王\n" in told
    assert "closed  live/room1" in told
    assert main(["replay", str(EVENING), "--feed", "hall-a", "--story", "--roster", "other.csv"]) == 0
    told = capsys.readouterr().out
    assert "0 opened" in told
    assert "1 rooms that it saw live are not in the roster" in told


def test_the_summary_is_a_line_per_room(place, capsys):
    assert main(["replay", str(EVENING), str(EVENING), "--feed", "hall-a", "--summary"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:5] == ["live/room1", "18", "12", "4", "2"]
    assert lines[3].split() == ["live/room2", "18", "0", "0", "-", "-", "-"]
    assert lines[-1].startswith("18 frames, 36 ticks, 2 rooms, 2026-11-24 20:30:36.490+08:00 to ")


@pytest.mark.parametrize("command", ["record", "replay"])
def test_what_order_platforms_bring_is_neither_recorded_nor_replayed(place, capsys, command):
    (place / "secret").write_text("x")
    (place / "secret").chmod(0o600)
    app = '[[app]]\nname = "a"\nplatform = "{0}"\nkey = "1"\nsecret_file = "secret"\n'
    feed = '[[feed]]\nkind = "{1}"\nname = "orders"\napp = "a"\n'
    for platform, kind in (("doudian", "doudian"), ("taobao", "taobao_tmc"), ("jd", "jd_orders")):
        config = 'hooks_listen = "127.0.0.1:1"\n' + (app + feed).format(platform, kind)
        (place / "orders.toml").write_text(config)
        arguments = ["orders", "-o", "f.jsonl"] if command == "record" else [str(EVENING), "--feed", "orders"]
        assert main([command, *arguments, "--config", "orders.toml"]) == 1
        assert capsys.readouterr().err.startswith("livemon: ")
    assert not (place / "f.jsonl").exists()


@pytest.mark.parametrize("how", [[], ["--summary"], ["--story"]])
def test_bad_lines_are_named_with_their_reason_and_the_good_ones_are_read(place, capsys, how):
    lines = EVENING.read_bytes().splitlines(keepends=True)
    bad = [b"{}\n", encode_line("登录".encode(), FRAMES[2][1]), b"\xff\n"]
    (place / "mixed.jsonl").write_bytes(b"".join([*lines[:3], *bad, *lines[3:]]))
    assert main(["replay", "mixed.jsonl", "--feed", "hall-a", *how]) == 1
    told = capsys.readouterr()
    errors = told.err.splitlines()
    assert errors[0].startswith("mixed.jsonl:4: not a recorded frame: Object missing required field `at`")
    assert errors[1].startswith("mixed.jsonl:5: not_xml")
    assert errors[2].startswith("mixed.jsonl:6: not a recorded frame: ")
    assert errors[3] == "3 of 12 frames are bad"
    assert len(errors) == 4
    if not how:
        assert len(told.out.splitlines()) == 18


def test_a_file_that_is_not_there_is_one_line(place, capsys):
    assert main(["replay", "none.jsonl", "--feed", "hall-a"]) == 1
    assert capsys.readouterr().err == "livemon: none.jsonl cannot be read: No such file or directory\n"
