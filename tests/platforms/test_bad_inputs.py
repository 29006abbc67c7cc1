"""Every bad input of the reliability page against every kind of hosted platform: named, bounded, and nobody drops."""

from pathlib import Path

import pytest

from . import bad_answers, bad_frames
from .bad_answers import COOKIES, trap
from .bad_inputs import KINDS, ROWS, TABLE, Because, Elsewhere, row_of
from .between import Between
from .pieces import ASKING, BY_ITSELF, HEARING, begun
from .test_described_faults import certificate

ANSWER_ROWS = sorted({row_of(name) for name in bad_answers.FAULTS})
SLOW = {("ws_json", "P3 one byte after the other")}  # its deadline is 10 s; the call is that of http_json
NO_TOKEN = "auth"  # what is asked for first is a token, where an account has none yet
NAMES_EACH = ("ws_json", "twitch_eventsub")  # a room's socket that is back at once is no failure of anything
FRAMES = [
    (kind, name, wire)
    for kind in HEARING
    for name, wire in (bad_frames.FAULTS | bad_frames.OF_ONE.get(kind, {})).items()
]


@pytest.mark.slow  # all of them together
@pytest.mark.parametrize("row", ANSWER_ROWS)
@pytest.mark.parametrize("kind", ASKING)
async def test_what_comes_in_the_place_of_an_answer_has_a_name_and_no_room_drops(kind: str, row: str) -> None:
    bad_answers.zeros()  # packed before anybody waits for it: a second, where others work beside this
    between = Between()
    async with trap() as nobody, begun(kind, between) as piece:
        await piece.more()
        for name, fault in bad_answers.FAULTS.items():
            if row_of(name) != row or (kind, name) in SLOW:
                continue
            before = len(piece.failed)
            between.instead = fault.say(nobody.at)
            called = await piece.failure(before)
            between.instead = None
            await piece.more()
            assert called == {fault.plain if kind in BY_ITSELF else fault.api}, name
            assert nobody.visits == 0, name
        assert piece.changes() == ["opened"]


@pytest.mark.parametrize("kind", ASKING)
async def test_no_cookie_comes_back(kind: str) -> None:
    """P5."""
    between = Between()
    between.more = COOKIES
    async with begun(kind, between) as piece:
        await piece.more()
        await piece.more()
    assert len(between.heads) > 3
    assert not any(b"\r\ncookie:" in head.lower() for head in between.heads)


@pytest.mark.parametrize("kind", ASKING)
async def test_nothing_is_said_to_whom_the_certificate_of_another_host_is(kind: str, tmp_path: Path) -> None:
    """P12."""
    between = Between(certificate(tmp_path))
    async with begun(kind, between) as piece:
        called = await piece.failure(0)
    assert called <= ({"tls"} if kind in BY_ITSELF or kind == "twitch_eventsub" else {"http_status", NO_TOKEN})
    assert between.heads == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name", "wire"), FRAMES, ids=[f"{kind}-{name}" for kind, name, _ in FRAMES])
async def test_what_comes_over_a_socket_ends_it_or_does_not_and_no_room_drops(
    kind: str, name: str, wire: bad_frames.Wire
) -> None:
    between = Between()
    async with begun(kind, between) as piece:
        await piece.more()
        [socket], before = between.sockets, len(piece.failed)
        between.say(wire.said)
        if wire.ends:
            if kind in NAMES_EACH:
                assert await piece.failure(before) == {wire.called(kind)}
            await piece.wait(lambda: between.sockets and socket not in between.sockets)
        elif wire.kept:
            await piece.wait(lambda: piece.kept)
        await piece.more()
        assert (between.sockets == [socket]) == (not wire.ends)
        assert set(piece.failed[before:]) <= {wire.called(kind), *(["bad_frame"] if wire.kept else [])}
        assert piece.changes() == ["opened"]


@pytest.mark.slow
@pytest.mark.parametrize("name", bad_frames.DOORS)
@pytest.mark.parametrize("kind", HEARING)
async def test_a_handshake_that_is_none_is_named_and_leads_nowhere(kind: str, name: str) -> None:
    between = Between()
    said, called = bad_frames.DOORS[name]
    async with trap() as nobody, begun(kind, between) as piece:
        await piece.more()
        between.door = bad_answers.Fault(bad_answers.once(said), called).say(nobody.at)
        before, tried = len(piece.failed), len(between.heads)
        between.cut()
        await piece.wait(lambda: sum(b"websocket" in head.lower() for head in between.heads[tried:]) >= 2)
        if kind in NAMES_EACH:
            await piece.wait(lambda: called in piece.failed[before:])
        between.door = None
        await piece.more()
        assert set(piece.failed[before:]) <= {"closed", called}
        assert nobody.visits == 0
        assert piece.changes() == ["opened"]


# --- the table --------------------------------------------------------------------------------------------------------


def played(row: str, kind: str) -> bool:
    """Whether it is played here."""
    names = [*bad_answers.FAULTS, "P5", "P12"] if kind in ASKING else []
    names += [name for of, name, _ in FRAMES if of == kind]
    names += bad_frames.DOORS if kind in HEARING else []
    return row in map(row_of, names)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_a_test_of_each_kind_or_a_reason_why_there_is_none(row: str, kind: str) -> None:
    cell = TABLE[row].get(kind)
    assert played(row, kind) or cell is not None, f"{row} ({ROWS[row]}) is nowhere tried with {kind}"
    if isinstance(cell, Elsewhere):
        cell.find()
    elif isinstance(cell, Because):
        assert not played(row, kind), "it is played here, so it does apply"
        assert len(cell.why) > 20
