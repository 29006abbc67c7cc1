"""What a JSON body may be, and what it may not."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.json_body import document


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"{}", {}),
        (b"\xef\xbb\xbf{}", {}),
        (b'{"a": 9007199254740993}', {"a": 9007199254740993}),
        (b'{"a": 3.0, "b": 3.10}', {"a": 3, "b": Decimal("3.10")}),
        (b'{"a": 1e3}', {"a": Decimal("1E+3")}),
        (b'{"a": 1e999}', {"a": Decimal("1E+999")}),
        (b'{"a": ' + b"9" * 5000 + b"}", {"a": Decimal("9" * 5000)}),
        (rb'{"a": "\ud83d\ude00"}', {"a": "😀"}),
        (rb'{"a": "\ud800 \u0000", "\udfff": ["\uDBFF"]}', {"a": "� �", "�": ["�"]}),
        (rb'{"a": "\\u0000"}', {"a": r"\u0000"}),
        ('{"a": "直播间"}'.encode(), {"a": "直播间"}),
        (b"[" * 400 + b"]" * 400, None),
    ],
)
def test_every_digit_and_every_character_is_kept_that_can_be_kept(body: bytes, found: object) -> None:
    read = document(body)
    assert found is None or read == found
    assert found is None or repr(read) == repr(found)  # 3 and not Decimal("3")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"NaN", b'{"a": NaN}', b'{"a": -Infinity}', b"{} {}", b"{}x", b'{"a": 1, "a": 1}',
        b'[{"b": {"a": 1, "a": 2}}]', b"[" * 100_000, b'{"a":' * 100_000, b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"), '{"a": "直播"}'.encode("gb18030"), b'{"a": "\x00"}', b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b"{" + b",".join(b'"%d":0' % number for number in range(1001)) + b"}", b"<html>", b"{'a': 1}", b'{"a": 01}',
    ],
)  # fmt: skip
def test_what_two_readers_could_understand_differently_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame, match=r"^bad_json: "):
        document(body)


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    try:
        document(body)
    except BadFrame as refusal:
        assert str(refusal).startswith("bad_json: ")  # noqa: PT017 - either outcome is fine
