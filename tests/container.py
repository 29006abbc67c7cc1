"""A service of livemon's image in namespaces of its own, where there is no Docker engine: `tests/container.sh`."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork"]
PASSWD = "root:x:0:0::/root:/bin/sh\nlivemon:x:10001:10001::/nonexistent:/usr/sbin/nologin\n"
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def needs_namespaces() -> None:
    """Skips the test for whoever may not make them."""
    try:
        subprocess.run([*NAMESPACES, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no namespaces here: {error}")


class Container:
    """`livemon COMMAND`, as the image's entry point has it. Leaving the block kills it with everything in it."""

    def __init__(
        self, volume: Path, files: Path, user: int, command: Iterable[str], environment: Mapping[str, str],
        hosts: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """`files`: see container.sh. `hosts`: names that are this container itself."""
        (files / "passwd").write_text(PASSWD)  # of the image; PostgreSQL is not made by a user without a name
        (files / "hosts").write_text(f"127.0.0.1 localhost {' '.join(hosts)}\n")
        self.user, self.log = user, files / "log"
        self.environment = {**environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        entry = re.search(r'^ENTRYPOINT \["(\w+)"\]$', DOCKERFILE, re.M)[1]
        inner = ["sh", str(ROOT / "tests/container.sh"), str(volume), str(files), str(user), entry, *command]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*NAMESPACES, "--mount-proc", "--kill-child", *inner],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def children(self) -> list[int]:
        """Process ids of `unshare`'s child, the namespace's first process; none before it began, nor once it ended."""
        of = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in Path(of).read_text().split()]

    def enter(self) -> list[str]:
        """The words before a command that runs in it as its user; none before it has begun."""
        if not (children := self.children()):
            return []
        return ["nsenter", f"--target={children[0]}", "--all", f"--setuid={self.user}", f"--setgid={self.user}"]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As `docker compose exec` would; exit code 1 before it has begun."""
        if not (enter := self.enter()):
            return subprocess.CompletedProcess(words, 1, "", "not begun")
        return subprocess.run([*enter, *words], env=self.environment, capture_output=True, text=True, timeout=60)

    def must_live(self) -> None:
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is not None:
            return
        # The namespace's first process, with which all others go: `unshare` ends when the last of them has. Were
        # `unshare` itself killed, some would still be writing to the volume when it is deleted.
        children = self.children()
        os.kill(children[0] if children else self.process.pid, signal.SIGKILL)
        self.process.wait()
