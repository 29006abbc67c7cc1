"""A token shows its own alert for its own day, and nothing else does."""

import base64
import hashlib
import hmac
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.alerts.tokens import BadToken, Tokens, secret_of

NOW = datetime(2026, 11, 19, 12, 0, 0, tzinfo=UTC)
KEY = bytes(range(32))
TOKENS = Tokens(KEY)


def why(token: str, now: datetime = NOW, tokens: Tokens = TOKENS) -> str:
    with pytest.raises(BadToken) as caught:
        tokens.read(token, now)
    return caught.value.why


def test_a_token_is_what_the_documentation_says() -> None:
    plain = (4821).to_bytes(8) + int((NOW + timedelta(hours=24)).timestamp()).to_bytes(8)
    tag = hmac.new(KEY, b"livemon alert page 1 " + plain, hashlib.sha256).digest()[:16]
    assert TOKENS.sign(4821, NOW) == base64.urlsafe_b64encode(plain + tag).decode().rstrip("=")


def test_it_lasts_a_day_to_the_second() -> None:
    token = TOKENS.sign(4821, NOW)
    assert TOKENS.read(token, NOW + timedelta(hours=23, minutes=59, seconds=59)) == 4821
    assert why(token, NOW + timedelta(hours=24)) == "expired"


def test_no_character_of_it_can_be_another() -> None:
    token = TOKENS.sign(4821, NOW)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, letter in enumerate(token):
        for other in letters.replace(letter, ""):
            assert why(token[:place] + other + token[place + 1 :]) == "forged"


@pytest.mark.parametrize("token", ["", "x", "A" * 42, "A" * 43, "A" * 44, "A" * 100_000, "十" * 43, "A" * 42 + "\n"])
def test_what_was_never_signed(token: str) -> None:
    assert why(token) == "forged"


def test_another_key_signs_nothing_here() -> None:
    assert why(Tokens(bytes(32)).sign(1, NOW)) == "forged"


def test_a_forged_word_does_not_tell_whether_it_would_have_ended() -> None:
    token = Tokens(bytes(32)).sign(1, NOW - timedelta(days=9))
    assert why(token) == "forged"


def test_the_secret_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "alerts" / "page.key"
    made = secret_of(path)
    assert (len(made), stat.S_IMODE(path.stat().st_mode)) == (32, 0o600)
    assert secret_of(path) == made
    path.write_bytes(made[:7])  # a crash of the disk
    assert secret_of(path) not in (made, made[:7])
    path.chmod(0o644)
    with pytest.raises(PermissionError, match="may be read by others"):
        secret_of(path)


def test_the_secret_is_not_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(KEY)
    (tmp_path / "page.key").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic links"):
        secret_of(tmp_path / "page.key")
