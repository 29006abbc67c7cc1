"""Runs one short-lived program with every bound there is: time, output, and that nothing of it stays behind."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

from monitor.probe.command import OUTPUT_BYTES_MAX, Ran

RUN_S_MAX = 20.0
END_S_MAX = 2.0
ERRORS_BYTES_MAX = 64 * 1024  # at its level `error` it says a few lines


class TooLarge(Exception):
    """It said more than is ever read."""


async def run(arguments: Sequence[str], run_s_max: float = RUN_S_MAX, output_bytes_max: int = OUTPUT_BYTES_MAX) -> Ran:
    """Run it to its end, or end it with all that it began. It gets nothing of our environment but where programs are.

    Raises nothing but CancelledError: what goes wrong is in the answer.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        child = await asyncio.create_subprocess_exec(
            *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
        )
    except FileNotFoundError:
        return Ran(-1, b"", b"", clock() - began, "no_program")
    except (OSError, ValueError):  # no process to be had, or no text that an argument may be
        return Ran(-1, b"", b"", clock() - began)
    output, errors = bytearray(), bytearray()
    ended = False
    try:
        async with asyncio.timeout(run_s_max):
            await _hear(child, output, errors, output_bytes_max)
            code = await child.wait()
        ended = True
        return Ran(code, bytes(output), bytes(errors), clock() - began)
    except TimeoutError:
        return Ran(-1, b"", b"", clock() - began, "timeout")
    except TooLarge:
        return Ran(-1, b"", b"", clock() - began, "too_large")
    finally:
        if not ended:  # else its number may be another's by now
            await _end(child)


async def _hear(child: Process, output: bytearray, errors: bytearray, output_bytes_max: int) -> None:
    """Both are read to their ends, so that neither can make it wait for us."""

    async def read(stream: asyncio.StreamReader, into: bytearray, bytes_max: int) -> None:
        while chunk := await stream.read(65_536):
            into += chunk
            if len(into) > bytes_max:
                raise TooLarge

    assert child.stdout is not None  # noqa: S101 - both are pipes
    assert child.stderr is not None  # noqa: S101
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(read(child.stdout, output, output_bytes_max))
            group.create_task(read(child.stderr, errors, ERRORS_BYTES_MAX))
    except* TooLarge:
        raise TooLarge from None


async def _end(child: Process) -> None:
    """Whatever is left of it and of its children. To asyncio a child lasts as long as its pipes do: what is in them is
    read, and whoever left the group and took them along is not waited for."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(END_S_MAX):
            await child.communicate()
