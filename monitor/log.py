"""The log of `livemon run`: one line each to stderr, which never makes the loop wait and never shows a secret."""

import copy
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler

from monitor.log_lines import Hidden, JsonLines, TextLines

LINES_MAX = 10_000  # waiting for a reader of stderr that is slow or gone
NOISY = ("aiohttp", "websockets", "asyncio")  # libraries that print a traceback for each hostile peer
BURST_MAX = 10
BURST_S = 60.0
STOP_S_MAX = 2.0
STDERR = 2


class Throttle(logging.Filter):
    """Lets each logger of a noisy library say a few lines a minute; the next one says how many were left out."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._spans: dict[tuple[str, int], list[float]] = {}  # began, let through, left out
        self.left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(NOISY):
            return True
        now = self._monotonic()
        span = self._spans.get((record.name, record.levelno))
        if span is None or now - span[0] >= BURST_S:
            if span and span[2]:
                record.left_out = int(span[2])
            span = self._spans[record.name, record.levelno] = [now, 0, 0]
        if span[1] >= BURST_MAX:
            span[2] += 1
            self.left_out += 1
            return False
        span[1] += 1
        return True


class Waiting(QueueHandler):
    """Puts records into the bounded queue; what finds it full is counted and gone."""

    queue: "queue.Queue[logging.LogRecord | None]"

    def __init__(self) -> None:
        super().__init__(queue.Queue(LINES_MAX))
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Fix what the line says now, as its arguments may change before it is written."""
        fixed = copy.copy(record)
        try:
            fixed.msg = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a wrong log call of somebody is still worth a line
            fixed.msg = f"{record.msg} {record.args!r}"
        fixed.args = None
        if record.exc_info:
            fixed.exc_text = record.exc_text or logging.Formatter().formatException(record.exc_info)
            fixed.exc_info = None
        return fixed

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class Log:
    """A log that was started. `dropped` lines found no room, `left_out` ones were too many of one kind."""

    def __init__(self, waiting: Waiting, throttle: Throttle, hidden: Hidden) -> None:
        self._waiting, self._throttle = waiting, throttle
        self.hide = hidden.add
        """Never show this secret from now on."""

    @property
    def dropped(self) -> int:
        return self._waiting.dropped

    @property
    def left_out(self) -> int:
        return self._throttle.left_out


@contextmanager
def started(level: int = logging.INFO, descriptor: int = STDERR, as_text: bool | None = None) -> Iterator[Log]:
    """Log to this descriptor until the end of the block: text to a terminal, else a JSON object per line."""
    hidden = Hidden()
    is_text = os.isatty(descriptor) if as_text is None else as_text
    formatter = TextLines(hidden) if is_text else JsonLines(hidden)
    waiting, throttle = Waiting(), Throttle()
    waiting.addFilter(throttle)
    # A daemon: it may hang for good in a write that nobody reads, and must not keep the process from ending.
    writer = threading.Thread(target=_write_all, args=(waiting, formatter, descriptor), name="log", daemon=True)
    writer.start()
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    root.handlers[:] = [waiting]
    root.setLevel(level)
    logging.captureWarnings(True)
    try:
        yield Log(waiting, throttle, hidden)
    finally:
        logging.captureWarnings(False)
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        _finish(waiting, writer)


def _finish(waiting: Waiting, writer: threading.Thread) -> None:
    """Let the last lines out, for as long as somebody seems to read them."""
    try:
        waiting.queue.put(None, timeout=STOP_S_MAX)
    except queue.Full:
        return
    writer.join(STOP_S_MAX)


def _write_all(waiting: Waiting, formatter: logging.Formatter, descriptor: int) -> None:
    told = 0
    while (record := waiting.queue.get()) is not None:
        _write(formatter.format(record), descriptor)
        if waiting.dropped > told:
            lost, told = waiting.dropped - told, waiting.dropped
            notice = "%d log lines were dropped: nobody read them fast enough"
            record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, notice, (lost,), None)
            _write(formatter.format(record), descriptor)


def _write(line: str, descriptor: int) -> None:
    """Past Python's own buffer, whose lock a hanging write would hold at exit."""
    left = memoryview(f"{line}\n".encode(errors="backslashreplace"))
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        return  # there is nobody left to tell
