"""A real program that we run, hurt and always take away again: stopped, killed, frozen or thawed by its own pid."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class Program:
    """One child process with its children, in a process group of its own, so that Ctrl-C reaches only us.

    What it prints goes to `log`. Leaving the `with` block kills what is left of it.
    """

    def __init__(self, command: Sequence[str | bytes], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 (our own command lines)
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self, with_signal: signal.Signals = signal.SIGINT, within_s: float = 10.0) -> int:
        """Ask it to end and wait until it did; the exit code. One that does not end in time is killed."""
        self.thaw()
        self.process.send_signal(with_signal)
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        self.signal_all(signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        self.signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal_all(signal.SIGCONT)

    def signal_all(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass  # nobody is left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
