"""A real child is heard, bounded and ended with all that it began."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from monitor.probe.child import run

pytestmark = pytest.mark.real
PYTHON = [sys.executable, "-c"]
LEAVES = "p = subprocess.Popen(['sleep', '60']); open('{}', 'w').write(str(p.pid))"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


async def gone(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_what_it_says_and_how_it_ends():
    ran = await run([*PYTHON, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"])
    assert (ran.code, ran.output, ran.errors, ran.ended) == (3, b"out\n", b"err\n", "")


async def test_its_arguments_are_read_by_no_shell_and_it_knows_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("LIVEMON_CANARY", "canary")
    monkeypatch.setenv("http_proxy", "http://10.9.9.9:3128")
    text = f"$(touch {tmp_path}/made); `id` | cat"
    ran = await run([*PYTHON, "import os, sys; print(sys.argv[1]); print(sorted(os.environ))", text])
    told, environment = ran.output.decode().splitlines()
    assert told == text
    assert environment in ("['LC_ALL', 'LC_CTYPE', 'PATH']", "['LC_ALL', 'PATH']")
    assert not (tmp_path / "made").exists()


async def test_one_that_hangs_is_ended_with_its_own_children(tmp_path: Path):
    told = tmp_path / "pid"
    script = f"import subprocess, time; {LEAVES.format(told)}; time.sleep(60)"
    began = time.monotonic()
    ran = await run([*PYTHON, script], run_s_max=1.0)
    assert ran.ended == "timeout"
    assert time.monotonic() - began < 5
    assert await gone(int(told.read_text()))


async def test_one_whose_child_outlives_it_holds_nobody(tmp_path: Path):
    told = tmp_path / "pid"
    script = f"import subprocess; {LEAVES.format(told)}"
    ran = await run([*PYTHON, script], run_s_max=1.0)
    assert ran.ended == "timeout"
    assert await gone(int(told.read_text()))


@pytest.mark.parametrize("streams", [["stdout"], ["stderr"], ["stdout", "stderr"]])
async def test_one_that_says_too_much_is_ended(streams: list[str]):
    said = "; ".join(f"sys.{stream}.write('x' * 65536)" for stream in streams)
    await run([*PYTHON, "pass"])  # what the first one opens for all
    opened = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        ran = await run([*PYTHON, f"import sys\nwhile True: {said}"], output_bytes_max=100_000)
        assert (ran.ended, ran.output) == ("too_large", b"")
        assert len(os.listdir("/proc/self/fd")) <= opened  # also of what nobody reads any more


async def test_one_whose_child_leaves_its_group_with_the_pipes_holds_nobody(tmp_path: Path):
    told = tmp_path / "pid"
    script = f"import subprocess; {LEAVES.format(told).replace('60', '8').replace(')', ', start_new_session=True)', 1)}"
    began = time.monotonic()
    ran = await run([*PYTHON, script], run_s_max=0.5)
    assert ran.ended == "timeout"
    assert time.monotonic() - began < 6
    os.kill(int(told.read_text()), signal.SIGKILL)


async def test_no_program_and_no_text_are_answers():
    assert (await run(["ffprobe-that-is-not-there"])).ended == "no_program"
    assert (await run([sys.executable, "a\0b"])).code == -1
    assert (await run(["/"])).code == -1


async def test_who_is_cancelled_leaves_nobody_behind(tmp_path: Path):
    told = tmp_path / "pid"
    script = f"import os, time; open('{told}', 'w').write(str(os.getpid())); time.sleep(60)"
    task = asyncio.ensure_future(run([*PYTHON, script]))
    while not told.exists() or not told.read_text():
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await gone(int(told.read_text()))
