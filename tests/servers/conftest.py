"""A real nginx hall per test, with the picture that encoders loop made once per run."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from monitor.rehearsal.rtmp_hall import RtmpHall, make_loop, tool

Hall = Callable[..., RtmpHall]


@pytest.fixture(scope="session")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("loop") / "loop.flv"
    make_loop(tool("ffmpeg", "apt-get install ffmpeg"), path)
    return path


@pytest.fixture
def hall_of(tmp_path: Path, loop: Path) -> Iterator[Hall]:
    """Starts a hall with the settings of `RtmpHall`; everything is taken away after the test."""
    with ExitStack() as halls:

        def start(**settings: object) -> RtmpHall:
            hall = RtmpHall(tmp_path / "hall", **settings)  # type: ignore[arg-type]
            shutil.copy(loop, hall.loop)
            return halls.enter_context(hall)

        yield start


@pytest.fixture
def hall(hall_of: Hall) -> RtmpHall:
    return hall_of()
