"""A link is ours, whole, for its app and its shop, until its end; anything else is none."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.accounts.link_text import BadLink, link_key, read_link, sign_link

KEY = link_key(bytes(range(32)))
NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
UNTIL = NOW + timedelta(days=7)


def test_a_link_says_what_was_signed() -> None:
    link = read_link(KEY, sign_link(KEY, "doudian-main", "店铺1", "", UNTIL), NOW)
    assert (link.app, link.shop, link.anchor, link.until) == ("doudian-main", "店铺1", "", int(UNTIL.timestamp()))


def test_it_goes_through_a_state_and_a_qr_code() -> None:
    text = sign_link(KEY, "doudian-main", "4463798", "", UNTIL)
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()
    assert len(text) < 128  # WeChat's and Taobao's `state` take so many characters


def test_two_links_of_one_shop_differ() -> None:
    assert sign_link(KEY, "a", "1", "", UNTIL) != sign_link(KEY, "a", "1", "", UNTIL)


def test_every_flipped_bit_is_seen() -> None:
    text = sign_link(KEY, "a", "1", "", UNTIL)
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadLink) as caught:
            read_link(KEY, base64.urlsafe_b64encode(flipped).rstrip(b"=").decode(), NOW)
        assert not caught.value.expired


def test_it_ends() -> None:
    text = sign_link(KEY, "a", "1", "", UNTIL)
    read_link(KEY, text, UNTIL - timedelta(seconds=1))
    with pytest.raises(BadLink) as caught:
        read_link(KEY, text, UNTIL)
    assert caught.value.expired


def test_another_key_is_not_ours() -> None:
    with pytest.raises(BadLink):
        read_link(link_key(bytes(32)), sign_link(KEY, "a", "1", "", UNTIL), NOW)


@given(st.text(max_size=700))
def test_whatever_comes_is_no_link(text: str) -> None:
    with pytest.raises(BadLink):
        read_link(KEY, text, NOW)
