"""The key of an hour: a private file that is whole or not there, that opens its own hour alone, and goes for ever."""

import os
import stat
from pathlib import Path

import pytest

from monitor.store.cipher import ITEM, CannotDecrypt, Cipher, is_encrypted
from monitor.store.hour_cipher import AHEAD_S, BATCH, HourCipher
from monitor.store.hour_keys import HOUR_S, HourKeys, HourLost, OtherSpoolKey, hour_of, name_of

OLD, NEW = b"o" * 32, b"n" * 32
KEY = Cipher([OLD])
AT = 1_795_541_400.0  # 2026-11-24 17:30 UTC
PLAIN = "收货人 王小明 13800138000".encode()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_key_is_a_private_file_named_by_its_hour_and_serves_the_whole_hour(tmp_path: Path) -> None:
    hours = HourCipher(tmp_path / "keys", KEY)
    pieces = [hours.seal(PLAIN, at) for at in (AT - 1_800, AT, AT + 1_799.9, AT + 1_800)]
    assert files(tmp_path / "keys") == ["2026-11-24T17", "2026-11-24T18"]
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = HourCipher(tmp_path / "keys", KEY)
    assert [again.open(piece) for piece in pieces] == [PLAIN] * 4
    assert all(is_encrypted(piece) for piece in pieces)
    assert again.open(again.seal(PLAIN, AT)) == again.open(pieces[1])
    assert files(tmp_path / "keys") == ["2026-11-24T17", "2026-11-24T18"]


def test_a_piece_is_opened_as_what_it_is_and_in_its_hour_alone(tmp_path: Path) -> None:
    hours = HourCipher(tmp_path / "keys", KEY)
    piece, other = hours.seal(PLAIN, AT), hours.seal(PLAIN, AT + HOUR_S)
    swapped = other[:8] + piece[8:]
    for broken in (swapped, piece[:-1], piece[:20], b"", piece[:30] + bytes([piece[30] ^ 1]) + piece[31:]):
        with pytest.raises(CannotDecrypt):
            hours.open(broken)
    for what in (BATCH, ITEM):
        with pytest.raises(CannotDecrypt):
            hours.open(piece, what)
    with pytest.raises(CannotDecrypt):
        KEY.decrypt(piece)
    assert hours.open(KEY.encrypt(PLAIN)) == PLAIN  # of an earlier release
    assert hours.open(KEY.encrypt(PLAIN, ITEM), ITEM) == PLAIN


def test_a_key_that_was_thrown_away_opens_nothing_and_its_bytes_were_overwritten(tmp_path: Path) -> None:
    hours = HourCipher(tmp_path / "keys", KEY)
    piece, path = hours.seal(PLAIN, AT), tmp_path / "keys" / "2026-11-24T17"
    os.link(path, tmp_path / "another name of the same bytes")
    hours.keys.throw(hour_of(AT))
    assert not files(tmp_path / "keys")
    assert set((tmp_path / "another name of the same bytes").read_bytes()) == {0}
    with pytest.raises(HourLost):
        hours.open(piece)
    hours.keys.throw(hour_of(AT))  # as after a crash between the two
    fresh = hours.seal(PLAIN, AT)  # the clock went back: the hour has another key now
    assert hours.open(fresh) == PLAIN
    with pytest.raises(CannotDecrypt):
        hours.open(piece)


@pytest.mark.parametrize(
    "damage", [lambda raw: b"", bytes(4).__add__, lambda raw: raw[:-1], lambda raw: raw[:9] + b"x" + raw[10:], None]
)
def test_a_damaged_file_is_told_from_another_spool_key_and_kept_until_its_hour_goes(tmp_path: Path, damage) -> None:
    path, folder = tmp_path / "keys" / "2026-11-24T17", tmp_path / "keys"
    piece, raw = HourCipher(folder, KEY).seal(PLAIN, AT), path.read_bytes()
    path.unlink()
    if damage is None:
        path.mkdir()
    else:
        path.write_bytes(damage(raw))
    hours = HourCipher(folder, KEY)
    with pytest.raises(HourLost):
        hours.open(piece)
    fresh = hours.seal(PLAIN, AT)
    assert HourCipher(folder, KEY).open(fresh) == PLAIN
    assert files(folder) == ["2026-11-24T17", "2026-11-24T17.damaged"]
    hours.keys.throw(hour_of(AT))
    assert not [path for path in folder.iterdir() if path.is_file()]
    assert not hours.keys.hours()


def test_a_rotated_spool_key_opens_what_the_old_one_wrapped_and_wraps_with_the_new(tmp_path: Path) -> None:
    before = HourCipher(tmp_path / "keys", Cipher([OLD])).seal(PLAIN, AT)
    rotated = HourCipher(tmp_path / "keys", Cipher([NEW, OLD]))
    assert rotated.open(before) == PLAIN
    after = rotated.seal(PLAIN, AT + HOUR_S)
    alone = HourCipher(tmp_path / "keys", Cipher([NEW]))
    assert alone.open(after) == PLAIN
    with pytest.raises(OtherSpoolKey):
        alone.open(before)


def test_what_was_begun_and_never_named_is_no_key(tmp_path: Path) -> None:
    hours = HourCipher(tmp_path / "keys", KEY)
    hours.seal(PLAIN, AT)
    for name in ("2026-11-24T18.new", "spool.db", "2026-11-24"):
        (tmp_path / "keys" / name).write_bytes(b"cut off")
    assert hours.keys.hours() == [hour_of(AT), hour_of(AT) + 1]
    with pytest.raises(HourLost):
        HourKeys(tmp_path / "keys", KEY).find(hour_of(AT) + 1)
    assert hours.open(hours.seal(PLAIN, AT + HOUR_S)) == PLAIN
    assert not (tmp_path / "keys" / "2026-11-24T18.new").exists()


def test_the_coming_hour_has_its_key_before_it_begins_if_anybody_delivers(tmp_path: Path) -> None:
    hours, turn = HourCipher(tmp_path / "keys", KEY), AT + 1_800
    hours.prepare(turn - 1)
    assert hours.keys.hours() == []  # nobody does
    hours.seal(PLAIN, AT)
    hours.prepare(turn - AHEAD_S - 1)
    assert hours.keys.hours() == [hour_of(AT)]
    hours.prepare(turn - AHEAD_S + 1)
    assert [name_of(hour) for hour in hours.keys.hours()] == ["2026-11-24T17", "2026-11-24T18"]
