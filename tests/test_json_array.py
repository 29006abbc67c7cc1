"""An array is cut into its items as they stand in the body, whatever is in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import BadFrame
from collectors.json_array import ITEMS_MAX, each_raw

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (b"[]", []),
        (b" [ ] \r\n", []),
        (b"[1]", [b"1"]),
        (b'\xef\xbb\xbf[ {"a": 1.50 } ,\t{"a":1,"a":2}]', [b'{"a": 1.50 }', b'{"a":1,"a":2}']),
        (
            b'[{"a":NaN},{"b":"\\ud800"},4781320682406083640]',
            [b'{"a":NaN}', b'{"b":"\\ud800"}', b"4781320682406083640"],
        ),
        ('["短袖",1e999]'.encode(), ['"短袖"'.encode(), b"1e999"]),
    ],
)
def test_an_array_is_cut_where_its_items_end(body: bytes, items: list[bytes]) -> None:
    assert each_raw(body) == items


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b'"x"', b"[", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1 2]", b"[] []", b"[1]x", b"]", b"\xff",
     b"[" * 10**5, b"[" + b"1," * ITEMS_MAX + b"1]"],
    ids=lambda body: repr(body[:10]),
)  # fmt: skip
def test_what_is_no_array_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame):
        each_raw(body)


@given(st.lists(JSON, max_size=10), st.sampled_from([None, 1]), st.booleans())
def test_whatever_json_writes_is_cut_as_json_reads_it(
    items: list[object], indent: int | None, ascii_only: bool
) -> None:
    body = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert [json.loads(item) for item in each_raw(body)] == json.loads(body)
