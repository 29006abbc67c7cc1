"""The log never makes its callers wait, never shows a secret, and never lets a feed write lines of its own."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from monitor import log
from monitor.log_lines import CHARS_MAX
from monitor.secret import Secret

HOSTILE = "a\r\nb\x1b[31m\x9b2J\u202egnp.exe\u2028${jndi:ldap://x}%s\ud800 中文"


class Caught:
    """What came out at the other end of the pipe, once the log has stopped."""

    lines: list[str]


@contextmanager
def caught(as_text: bool = False) -> Iterator[tuple[log.Log, Caught]]:
    reader, writer = os.pipe()
    result = Caught()
    try:
        with log.started(descriptor=writer, as_text=as_text) as started:
            yield started, result
    finally:
        os.close(writer)
        with open(reader, "rb") as pipe:
            result.lines = pipe.read().decode().split("\n")[:-1]


def test_a_line_is_one_json_object_with_what_the_caller_added() -> None:
    with caught() as (_, out):
        logging.getLogger("monitor.live").warning("直播间 %s dropped", "a", extra={"feed": "hall-a", "rooms": 3})
    [line] = [json.loads(line) for line in out.lines]
    assert line.pop("ts").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "monitor.live",
        "message": "直播间 a dropped",
        "feed": "hall-a",
        "rooms": 3,
    }


def test_a_traceback_is_part_of_the_same_line() -> None:
    with caught() as (_, out):
        try:
            raise ValueError("no such room")
        except ValueError:
            logging.getLogger("monitor").exception("failed")
    [line] = out.lines
    assert "ValueError: no such room" in json.loads(line)["exception"]


@pytest.mark.parametrize("as_text", [False, True])
def test_hostile_text_stays_on_its_line_and_moves_no_terminal(as_text: bool) -> None:
    with caught(as_text) as (_, out):
        logging.getLogger("monitor").info("%s", HOSTILE, extra={"room": HOSTILE})
    [line] = out.lines
    assert not any(char in line for char in "\r\x1b\x9b\u202e\u2028")
    assert "中文" in line
    if not as_text:
        assert json.loads(line)["message"] == json.loads(line)["room"] == HOSTILE


@pytest.mark.parametrize("as_text", [False, True])
def test_a_hidden_secret_shows_in_no_form_and_no_place(as_text: bool) -> None:
    password = "pa/ss 'wörd'-canary"
    with caught(as_text) as (started, out):
        started.hide(Secret(password))
        logger = logging.getLogger("monitor")
        logger.info("dsn %s", f"postgresql://u:{password}@h", extra={"key": password, "shown": Secret(password)})
        logger.info("quoted pa%2Fss%20%27w%C3%B6rd%27-canary")
        try:
            raise ValueError(password)
        except ValueError:
            logger.exception("it is %r", password)
        logger.info("x" * (CHARS_MAX - 5) + password)
    assert len(out.lines) >= 4
    assert "canary" not in "".join(out.lines)
    assert "***" in out.lines[0]


def test_a_wrong_log_call_is_still_a_line() -> None:
    with caught() as (_, out):
        logging.getLogger("monitor").info("%d rooms", "many")
    assert json.loads(out.lines[0])["message"] == "%d rooms ('many',)"


def test_a_noisy_library_is_cut_short_and_says_how_much_was_left_out() -> None:
    now = [0.0]
    throttle = log.Throttle(lambda: now[0])

    def say(name: str) -> logging.LogRecord | None:
        record = logging.LogRecord(name, logging.ERROR, "", 0, "traceback", None, None)
        return record if throttle.filter(record) else None

    assert sum(say("websockets.server") is not None for _ in range(400)) == log.BURST_MAX
    assert sum(say("monitor.live") is not None for _ in range(400)) == 400
    assert throttle.left_out == 400 - log.BURST_MAX
    now[0] = log.BURST_S
    record = say("websockets.server")
    assert record is not None
    assert vars(record)["left_out"] == 400 - log.BURST_MAX
    record = say("websockets.server")
    assert record is not None
    assert "left_out" not in vars(record)


UNREAD = """
import logging, sys, time
from monitor import log
slowest = 0.0
with log.started() as started:
    logger = logging.getLogger("monitor")
    for number in range(log.LINES_MAX + 5_000):
        began = time.perf_counter()
        logger.info("line %d %s", number, "x" * 100)
        slowest = max(slowest, time.perf_counter() - began)
    print(started.dropped, slowest, flush=True)
"""


def test_a_stderr_that_nobody_reads_holds_nothing_up_and_what_it_cost_is_counted() -> None:
    """Fault F7: `livemon run 2>&1 | sleep 9999`."""
    reader, writer = os.pipe()
    try:
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", UNREAD], stdout=subprocess.PIPE, stderr=writer, timeout=30)
        took_s = time.monotonic() - began
    finally:
        os.close(reader)
        os.close(writer)
    dropped, slowest_s = done.stdout.split()
    assert done.returncode == 0
    assert int(dropped) > 1_000
    assert float(slowest_s) < 0.25  # on a busy machine; a write that hangs would be 30 s
    assert took_s < 20


def test_dropped_lines_are_told_once_somebody_reads_again() -> None:
    reader, writer = os.pipe()
    with log.started(descriptor=writer, as_text=False) as started:
        for number in range(log.LINES_MAX + 2_000):
            logging.getLogger("monitor").info("line %d %s", number, "x" * 100)
        assert started.dropped
        with open(reader, "rb", buffering=0) as pipe:
            text = b""
            while b"lines were dropped" not in text:
                text = text[-100:] + pipe.read(65_536)
    os.close(writer)


def test_the_log_ends_as_it_found_things() -> None:
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    with caught():
        assert root.handlers != before[1]
    assert (root.level, root.handlers) == before
