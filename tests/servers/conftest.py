"""A real nginx hall per test, with the picture that encoders loop made once per run."""

import shutil
import subprocess
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


@pytest.fixture(scope="session")
def loops(loop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what sources play: the picture, and sound alone for Icecast."""
    folder = tmp_path_factory.mktemp("loops")
    shutil.copy(loop, folder)
    sound = ["-f", "lavfi", "-i", "sine=sample_rate=22050", "-t", "10", "-c:a", "libmp3lame", "-b:a", "32k", "-ac", "1"]
    command = [tool("ffmpeg", "apt-get install ffmpeg"), "-nostdin", "-v", "error", *sound, str(folder / "loop.mp3")]
    subprocess.run(command, check=True, timeout=60)
    return folder


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Iterator[Callable[[str, str, float, float], None]]:
    """Notes how long it took until a fault was seen; with --measured all of it is printed at the end, as a table."""
    rows: list[str] = []
    yield lambda kind, fault, seconds, most: rows.append(f"| {kind} | {fault} | {seconds:.1f} | {most:.1f} |")
    if request.config.getoption("--measured") and rows:
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():  # type: ignore[union-attr]
            print("\n\n| kind | fault | seconds to `dropped` | allowed |\n| --- | --- | --- | --- |", *rows, sep="\n")
