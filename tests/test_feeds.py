"""Each folder under feeds/ is a recording: the frames as they came, and what they mean."""

import statistics
from datetime import UTC, datetime
from inspect import getsourcefile
from pathlib import Path

import msgspec
import pytest

import collectors
from collectors import KINDS, Feed, frames
from collectors.tick import Tick

HERE = Path(__file__).parent / "feeds"
CASES = sorted(HERE.glob("*/*/feed.toml"))
README = Path(collectors.__file__).with_name("README.md").read_text(encoding="utf-8")
NAMES = {str(kind.__struct_config__.tag): kind for kind in KINDS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parts[-3]}-{case.parts[-2]}")
def test_recorded_frames_become_the_golden_ticks(case: Path, pytestconfig: pytest.Config) -> None:
    feed = msgspec.toml.decode(case.read_bytes(), type=Feed)
    lines = case.with_name("frames.jsonl").read_bytes().splitlines()
    ticks = [tick for frame, at in frames.decode_lines(lines) for tick in feed.parse(frame, at)]
    golden = case.with_name("ticks.jsonl")
    if pytestconfig.getoption("--update"):
        golden.write_bytes(msgspec.json.Encoder().encode_lines(ticks))
    assert ticks
    assert ticks == msgspec.json.Decoder(Tick).decode_lines(golden.read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parts[-3]}-{case.parts[-2]}")
def test_a_recording_says_in_its_first_line_what_it_shows(case: Path) -> None:
    assert case.read_text(encoding="utf-8").startswith("# ")
    assert {path.name for path in case.parent.iterdir()} == {"feed.toml", "frames.jsonl", "ticks.jsonl"}


def test_every_kind_is_recorded_and_every_recording_has_its_kind() -> None:
    assert {case.parts[-3] for case in CASES} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_has_its_stanza_its_file_and_its_platform(name: str) -> None:
    stanza = README.partition(f"## {name}\n")[2].partition("\n## ")[0]
    for part in ("[[feed]]", f'kind = "{name}"', "Fills:", "Limits:", "Recorded:"):
        assert part in stanza, f"the stanza of {name} in collectors/README.md lacks {part}"
    assert NAMES[name].PLATFORM
    assert source_of(name).stem == name


def test_files_of_kinds_stay_small() -> None:
    lines = [len(source_of(name).read_text(encoding="utf-8").splitlines()) for name in NAMES]
    assert statistics.median(lines) <= 100
    assert max(lines) < 200


def source_of(name: str) -> Path:
    return Path(getsourcefile(NAMES[name]) or "")


INSTANT = datetime(2026, 11, 24, 12, 0, 0, 250000, tzinfo=UTC)


@pytest.mark.parametrize(
    "frame",
    [b"", b'{"a": 1}', "直播间 \u2028 \x00".encode(), "直播".encode("gb18030"), bytes(range(256)), b"\xed\xa0\x80"],
)
def test_a_recorded_frame_comes_back_byte_for_byte(frame: bytes) -> None:
    line = frames.encode_line(frame, INSTANT)
    assert line.count(b"\n") == 1
    assert list(frames.decode_lines([line, b"\n"])) == [(frame, INSTANT)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{}", "line 2: Object missing required field `at`"),
        (b'{"at":"2026-11-24T12:00:00Z"}', "line 2: needs `frame` or `frame_b64`"),
        (b'{"at":"2026-11-24T12:00:00Z","frame":"","frame_b64":""}', "line 2: needs `frame` or `frame_b64`"),
        (b'{"at":"2026-11-24T12:00:00","frame":"x"}', "line 2: `at` has no time zone"),
        (b'{"at":"2026-11-24T12:00:00Z","frame_b64":"!"}', "line 2: Invalid base64"),
        (b'{"at":"2026-11-24T12:00:00Z","fram":"x"}', "line 2: Object contains unknown field `fram`"),
        (b"\xff", "line 2: "),
    ],
)
def test_a_line_that_is_no_recorded_frame_is_named(line: bytes, message: str) -> None:
    good = frames.encode_line(b"x", INSTANT)
    with pytest.raises(ValueError, match=r"^" + message):
        list(frames.decode_lines([good, line]))
