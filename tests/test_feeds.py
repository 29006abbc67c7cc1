"""Each folder under feeds/ is a recording: the frames as they came, and what they mean.

Of polls and sockets: frames.jsonl and ticks.jsonl. Of hooks that tell of rooms: app.toml (its secrets) beside them. Of
other hooks, and of sockets that bring orders: app.toml, frames.jsonl (of a hook the request itself, so that its
signature is checked, too), details.jsonl (what the platform answered about orders, where it was asked) and sales.jsonl.
Of kinds that poll orders with accounts: no app.toml, and in frames.jsonl the pages that the platform answered with,
each with its shop and its listing.
"""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from inspect import getsourcefile
from pathlib import Path
from typing import cast

import msgspec
import pytest

import collectors
from collectors import KINDS, Feed, frames
from collectors.apis import APIS
from collectors.collector import Collector, FeedRow
from collectors.hook import (
    NO_DETAILS,
    Accepted,
    App,
    CalledRow,
    Delivery,
    Details,
    Hook,
    HookRow,
    Meaning,
    OrderPollRow,
    OrderSocketRow,
)
from collectors.tick import Sale, Tick

HERE = Path(__file__).parent / "feeds"
ALL = sorted(HERE.glob("*/*/feed.toml"))
README = Path(collectors.__file__).with_name("README.md").read_text(encoding="utf-8")
NAMES = {str(kind.__struct_config__.tag): kind for kind in KINDS}
KEPT = (HookRow, OrderSocketRow)  # kinds whose frames are kept before they are understood
ORDERS = (*KEPT, OrderPollRow)
HOOKED = [
    case
    for case in ALL
    if issubclass(NAMES[case.parts[-3]], CalledRow) and not issubclass(NAMES[case.parts[-3]], HookRow)
]
SALES = [case for case in ALL if issubclass(NAMES[case.parts[-3]], ORDERS)]
CASES = [case for case in ALL if case not in SALES and case not in HOOKED]


def named(case: Path) -> str:
    return f"{case.parts[-3]}-{case.parts[-2]}"


class Pushed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a hook's frames.jsonl: a POST as it came, its body as text."""

    at: datetime
    path: str
    query: str
    headers: dict[str, str]
    body: str


class Polled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the frames.jsonl of a kind that polls: a page as the platform answered with it, as text."""

    at: datetime
    shop: str
    listing: str
    page: str


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of details.jsonl."""

    what: str
    key: str
    answer: str


def golden(path: Path, found: Sequence[object], of: type, config: pytest.Config) -> None:
    """The file says the same; with --update it is made to, for a person to read."""
    if config.getoption("--update"):
        path.write_bytes(msgspec.json.Encoder().encode_lines(found))
    assert found
    assert found == msgspec.json.Decoder(of).decode_lines(path.read_bytes())


@pytest.mark.parametrize("case", SALES, ids=named)
def test_recorded_pushes_become_the_golden_sales(case: Path, pytestconfig: pytest.Config) -> None:
    found = meanings(case, details_of(case))
    sales = [sale for meaning in found for sale in meaning.sales]
    assert not any(meaning.needs or meaning.bad for meaning in found)
    golden(case.with_name("sales.jsonl"), sales, Sale, pytestconfig)


@pytest.mark.parametrize("case", SALES, ids=named)
def test_what_was_recorded_needs_each_detail_that_was_recorded_with_it(case: Path) -> None:
    details = details_of(case)
    for key in details:
        fewer = {other: answer for other, answer in details.items() if other != key}
        assert meanings(case, details) != meanings(case, fewer), key


@pytest.mark.parametrize("case", SALES, ids=named)
def test_a_recorded_push_says_in_its_first_line_what_it_shows(case: Path) -> None:
    assert case.read_text(encoding="utf-8").startswith("# ")
    files = {path.name for path in case.parent.iterdir()} - {"details.jsonl"}
    polls = issubclass(NAMES[case.parts[-3]], OrderPollRow)
    assert files == {"feed.toml", "frames.jsonl", "sales.jsonl"} | (set() if polls else {"app.toml"})


def meanings(case: Path, details: Details) -> list[Meaning]:
    row = msgspec.toml.decode(case.read_bytes(), type=Feed)
    if isinstance(row, OrderPollRow):
        return pages(case, row, details)
    app = msgspec.toml.decode(case.with_name("app.toml").read_bytes(), type=App)
    return [row.parse(frame, at, app, details) for row, frame, at in kept_frames(case, app)]


def pages(case: Path, row: FeedRow, details: Details) -> list[Meaning]:
    """What the rules of its platform make of each page."""
    api, found = APIS[row.PLATFORM], []
    for line in msgspec.json.Decoder(Polled).decode_lines(case.with_name("frames.jsonl").read_bytes()):
        (listing,) = (one for one in api.LISTINGS if one.name == line.listing)
        page = api.read_page(row, listing, line.shop, line.page.encode(), line.at, details)
        found.append(Meaning(page.sales, needs=page.needs, bad=page.bad))
    return found


def details_of(case: Path) -> Details:
    file = case.with_name("details.jsonl")
    if not file.exists():
        return NO_DETAILS
    lines = msgspec.json.Decoder(Answer).decode_lines(file.read_bytes())
    return {(line.what, line.key): line.answer.encode() for line in lines}


def kept_frames(case: Path, app: App) -> list[tuple[Hook, bytes, datetime]]:
    """The frames that the spool would keep, each with its row and when it came; a hook's are verified before."""
    row = cast(Hook, msgspec.toml.decode(case.read_bytes(), type=Feed))
    lines = case.with_name("frames.jsonl").read_bytes().splitlines()
    if not isinstance(row, CalledRow):
        return [(row, frame, at) for frame, at in frames.decode_lines(lines)]
    kept: list[tuple[Hook, bytes, datetime]] = []
    for line in msgspec.json.Decoder(Pushed).decode_lines(b"\n".join(lines)):
        delivery = Delivery(row.METHOD, line.path, line.query, line.headers, line.body.encode())
        assert isinstance(row.verify(delivery, app, line.at), Accepted)
        assert set(line.headers) <= set(row.HEADERS), "only these are kept"
        kept.append((row, msgspec.msgpack.encode(delivery), line.at))
    return kept


@pytest.mark.parametrize("case", CASES, ids=named)
def test_recorded_frames_become_the_golden_ticks(case: Path, pytestconfig: pytest.Config) -> None:
    feed = cast(Collector, msgspec.toml.decode(case.read_bytes(), type=Feed))
    lines = case.with_name("frames.jsonl").read_bytes().splitlines()
    ticks = [tick for frame, at in frames.decode_lines(lines) for tick in feed.parse(frame, at)]
    golden(case.with_name("ticks.jsonl"), ticks, Tick, pytestconfig)


@pytest.mark.parametrize("case", HOOKED, ids=named)
def test_recorded_calls_become_the_golden_ticks(case: Path, pytestconfig: pytest.Config) -> None:
    found = meanings(case, NO_DETAILS)
    ticks = [tick for meaning in found for tick in meaning.ticks]
    assert not any(meaning.needs or meaning.bad or meaning.sales for meaning in found)
    golden(case.with_name("ticks.jsonl"), ticks, Tick, pytestconfig)


@pytest.mark.parametrize("case", HOOKED, ids=named)
def test_recorded_calls_say_in_their_first_line_what_they_show(case: Path) -> None:
    assert case.read_text(encoding="utf-8").startswith("# ")
    assert {path.name for path in case.parent.iterdir()} == {"feed.toml", "app.toml", "frames.jsonl", "ticks.jsonl"}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_recording_says_in_its_first_line_what_it_shows(case: Path) -> None:
    assert case.read_text(encoding="utf-8").startswith("# ")
    assert {path.name for path in case.parent.iterdir()} == {"feed.toml", "frames.jsonl", "ticks.jsonl"}


def test_every_kind_is_recorded_and_every_recording_has_its_kind() -> None:
    assert {case.parts[-3] for case in ALL} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_has_its_stanza_its_file_and_its_platform(name: str) -> None:
    stanza = README.partition(f"## {name}\n")[2].partition("\n## ")[0]
    for part in ("[[feed]]", f'kind = "{name}"', "Fills:", "Limits:", "Recorded:"):
        assert part in stanza, f"the stanza of {name} in collectors/README.md lacks {part}"
    assert NAMES[name].PLATFORM
    assert source_of(name).stem == name


@pytest.mark.parametrize("kept", [False, True])
def test_files_of_kinds_stay_small(kept: bool) -> None:
    """What is kept before it is understood verifies, too, and spells the forms of a push: so much more may it have."""
    kinds = [name for name, kind in NAMES.items() if issubclass(kind, KEPT) == kept]
    lines = [len(source_of(name).read_text(encoding="utf-8").splitlines()) for name in kinds]
    assert statistics.median(lines) <= (140 if kept else 100)
    assert max(lines) < 200


@pytest.mark.parametrize("name", [name for name, kind in NAMES.items() if issubclass(kind, ORDERS)])
def test_every_kind_of_order_states_its_granularity(name: str) -> None:
    stanza = README.partition(f"## {name}\n")[2].partition("\n## ")[0]
    assert "Granularity:" in stanza


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
