"""Keeps one postmaster for as long as somebody needs it: `python -m monitor.store.guardian`, started by livemon.

Its standard input is a pipe from livemon. One byte says that the server has become ready once: from then on a
postmaster that dies is started again. The pipe's end, which kill -9 of livemon brings about too, means a fast stop,
as soon as no other livemon holds the lock file of users. Only the standard library, and only its own child is
ever signalled.
"""

import argparse
import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

STOP_S_MAX = 120.0  # a fast stop writes a checkpoint; after so long an immediate one (recovery at the next start)
USERS_EVERY_S = 0.2
RESTART_S_MAX = 30.0
STEADY_S = 60.0  # a server that ran so long starts its restarts from the shortest wait again


def main() -> int:
    given = _arguments()
    child_ended = _wake_on_signals()
    child = _start(given)
    ready, started_at, wait_s = False, time.monotonic(), 1.0
    while True:
        said = _listen(child_ended)
        if said == b"":
            break
        ready = ready or said is not None
        if child.poll() is None:
            continue
        if not ready:  # livemon is waiting for the first start and says why it failed
            return 1
        if time.monotonic() - started_at > STEADY_S:
            wait_s = 1.0
        print(f"postmaster ended with {child.returncode}; starting it again in {wait_s:.0f} s", file=sys.stderr)
        if _ends_within(wait_s):
            break
        child, started_at, wait_s = _start(given), time.monotonic(), min(2 * wait_s, RESTART_S_MAX)
    with open(given.users_lock, "rb") as users:
        while not _alone(users.fileno()):
            time.sleep(USERS_EVERY_S)
        _stop(child)  # under the lock: who comes now waits, and then starts a server of their own
        with suppress(OSError):
            os.rmdir(given.socket)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--users-lock", required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("command", nargs="+", help="the postmaster's command line")
    return parser.parse_args()


def _wake_on_signals() -> int:
    """Terminal and service signals do nothing here (handlers, not SIG_IGN, which the postmaster would inherit)."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    return wake_read


def _listen(child_ended: int) -> bytes | None:
    """Wait for livemon (bytes, b"" at the end) or for a signal (None)."""
    readable, _, _ = select.select([0, child_ended], [], [])
    if child_ended in readable:
        os.read(child_ended, 512)
    return os.read(0, 64) if 0 in readable else None


def _ends_within(seconds: float) -> bool:
    readable, _, _ = select.select([0], [], [], seconds)
    return bool(readable) and os.read(0, 64) == b""


def _alone(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(given: argparse.Namespace) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 -- livemon composed the command
        given.command,
        stdin=subprocess.DEVNULL,
        user=given.uid,
        group=given.gid,
        extra_groups=None if given.uid is None else [],
        umask=0o077,
        preexec_fn=_die_with_us(),
    )


def _die_with_us() -> Callable[[], None] | None:
    """On Linux the kernel stops the postmaster (SIGINT: fast) even when this process itself is killed with -9."""
    if sys.platform != "linux":
        return None
    prctl, guardian = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def before_exec() -> None:
        prctl(1, int(signal.SIGINT), 0, 0, 0)  # 1: PR_SET_PDEATHSIG
        if os.getppid() != guardian:  # we were killed before the line above took effect
            os._exit(1)

    return before_exec


def _stop(child: subprocess.Popen[bytes]) -> None:
    """What `pg_ctl stop -m fast` does, but to our own child: it cannot reach a postmaster that others started."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGINT)
    try:
        child.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGQUIT)
        child.wait()


if __name__ == "__main__":
    sys.exit(main())
