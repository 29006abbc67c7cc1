"""Keys: read by the rules of secrets or made once, whole, and never shown."""

import pickle
import stat

import pytest

from monitor.keys import Key, keys_of, read_keys
from monitor.secret import SecretError

TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_a_key_is_made_once_and_is_ours_alone(tmp_path):
    path = tmp_path / "var" / "spool.key"
    (key,) = keys_of(None, path)
    assert len(key.reveal()) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys_of(None, path) == [key]
    assert [child.name for child in path.parent.iterdir()] == ["spool.key"]
    (other,) = keys_of(None, tmp_path / "other.key")
    assert other != key


def test_a_draft_that_a_power_cut_left_is_no_key(tmp_path):
    (tmp_path / "spool.key.new").write_bytes(b"half")
    (key,) = keys_of(None, tmp_path / "spool.key")
    assert len(key.reveal()) == 32


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (TEXT, 1),
        (f"{TEXT}\r\n", 1),
        (f"{TEXT}\n{'ab' * 32}\n", 2),
        (bytes(range(32)).hex().upper(), 1),
    ],
)
def test_the_configured_file_holds_one_key_or_two_as_base64_or_hex(tmp_path, text, keys):
    path = tmp_path / "spool.key"
    path.write_text(text)
    path.chmod(0o600)
    found = keys_of(path, tmp_path / "never made")
    assert len(found) == keys
    assert found[0].reveal() == bytes(range(32))
    assert not (tmp_path / "never made").exists()


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("correct horse battery staple", 0o600, "holds 4 keys"),
        ("password", 0o600, "line 1 is not a key of 32 bytes"),
        (f"{TEXT}\n{TEXT[:-4]}", 0o600, "line 2 is not a key of 32 bytes"),
        ("钥匙", 0o600, "line 1 is not a key"),
        ("", 0o600, "is empty"),
        (TEXT, 0o640, "can be read by others"),
    ],
)
def test_what_is_no_key_is_refused_without_a_word_of_it(tmp_path, text, mode, why):
    path = tmp_path / "spool.key"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(SecretError, match=why) as told:
        read_keys(path)
    assert not text or text not in str(told.value)


def test_a_key_shows_itself_to_nobody():
    key = Key(b"\x01secret" * 4)
    assert f"{key!r} {key} {key:>9}" == "*** *** ***"
    with pytest.raises(TypeError):
        pickle.dumps(key)
