"""The pure parts of feeds that TOML describes: paths, values, texts that are sent, pages."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import placeholders
from collectors.collector import BadFrame, FeedRefused
from collectors.finding import Unfit, finder, goes_on, holds, means
from collectors.json_body import document, fraction
from collectors.mapping import Fields, Words, liveness, reader, rounded, text, whole
from collectors.paging import Paging
from collectors.placeholders import headers_filled, masked, messages, named, url_filled
from collectors.tick import Tick

AT = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)
TOLD = {"a": {"b": [{"c": 7}, {"c": 8}]}, "数据": {"在线": 5}, "x/y": {"~": 1}, "": 0, "odd-key": 3, "n": None}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", TOLD["a"]), ("a.b", [{"c": 7}, {"c": 8}]), ("a.b.c", None), ("a.z", None), ("n", None), ("n.x", None),
        ("数据.在线", 5),
        ("/a/b/1/c", 8), ("/a/b/2/c", None), ("/a/b/-1", None), ("/a/b/01", None), ("/a/c", None), ("/x~1y/~0", 1),
        ("/", 0), ("/数据/在线", 5),
        ("@", TOLD), ("a.b[0].c", 7), ("a.b[-1].c", 8), ("length(a.b)", 2), ('"odd-key"', 3), ("a.b[?c > `7`].c", [8]),
        ("max_by(a.b, &c).c", 8), ("a.b[0].c == `7`", True), ('"数据"."在线"', 5),
    ],
)  # fmt: skip
def test_a_path_finds_what_it_should(path: str, found: object) -> None:
    assert finder(path)(TOLD) == found


@pytest.mark.parametrize("path", ["a..b", "a[", "a.b[0", "/a~2", "/~", "a b", "nothing(a)", "length(a, b)", "."])
def test_what_is_no_path_is_refused_at_once_or_when_it_is_walked(path: str) -> None:
    with pytest.raises((ValueError, Unfit)):
        finder(path)(TOLD)


def test_an_expression_that_cannot_be_reckoned_does_not_say_the_values() -> None:
    with pytest.raises(Unfit) as caught:
        finder("length(a)")({"a": 12345})
    assert "12345" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, st.lists(st.sampled_from("abcd"), min_size=1, max_size=3))
def test_plain_keys_find_what_jmespath_and_a_pointer_find(told: object, keys: list[str]) -> None:
    """The quick way is only quicker."""
    found = finder(".".join(keys))(told)
    assert found == jmespath.search(".".join(keys), told)
    assert found == finder("/" + "/".join(keys))(told)


@pytest.mark.parametrize(
    ("told", "count"),
    [(None, None), ("", None), (0, 0), (7, 7), ("7", 7), ("007", 7), (7.0, 7), (2**31 - 1, 2**31 - 1)],
)
def test_a_count_is_a_number_or_its_digits(told: object, count: int | None) -> None:
    assert whole(told, 2**31 - 1, "viewers") == count


@pytest.mark.parametrize(
    "told",
    [-1, 2**31, "2147483648", True, False, 7.5, "7.0", "1.2万", "1,203", "-", "７", " 7", "1e3", "0x7", [], {}, [7],
     float("inf"), "9" * 30],
)  # fmt: skip
def test_what_is_no_count_is_not_made_one(told: object) -> None:
    with pytest.raises(Unfit, match="viewers is no whole number") as caught:
        whole(told, 2**31 - 1, "viewers")
    assert str(told) not in str(caught.value).partition("number")[0] or told in ("-", "", [], {})


def test_a_measure_is_rounded_and_a_text_is_exact() -> None:
    assert [rounded(told, 100, "kbps") for told in (1.5, 2.4, 3, "4", None)] == [2, 2, 3, 4, None]
    assert [text(told, "room") for told in ("直播间", 10**18 + 1, "", None)] == [
        "直播间",
        "1000000000000000001",
        None,
        None,
    ]
    for nonsense in (1.5, True, [], {}, "a\nb", "x" * 129, "a\u202eb"):
        with pytest.raises(Unfit):
            text(nonsense, "room")


@pytest.mark.parametrize(
    ("told", "live_when", "ended_when", "live", "end"),
    [
        (True, (), (), True, None), (False, (), (), False, None), (1, (), (), True, None), ("0", (), (), False, None),
        ("TRUE", (), (), True, None), (None, (), (), None, None), ("", ("LIVE",), (), None, None),
        ("LIVE", ("LIVE", "1"), (), True, None), (1, ("LIVE", "1"), (), True, None), (2, ("1",), (), False, None),
        ("live", ("LIVE",), (), False, None), (True, ("true",), (), True, None), ("在播", ("在播",), (), True, None),
        ("END", ("LIVE",), ("END",), False, "ended"), (3, (), ("3",), False, "ended"),
    ],
)  # fmt: skip
def test_live_is_a_boolean_a_number_or_a_word(
    told: object, live_when: tuple[str, ...], ended_when: tuple[str, ...], live: bool | None, end: str | None
) -> None:
    assert liveness(told, Words(live_when, ended_when)) == (live, end)


@pytest.mark.parametrize("told", [2, -1, "LIVE", "yes", [], {"a": 1}, 1.5])
def test_without_words_nothing_is_guessed(told: object) -> None:
    with pytest.raises(Unfit):
        liveness(told, Words())


ALL = Fields(
    room="id", live="on", viewers="v", views_total="t", likes_total="l", kbps="k", session_key="s", at="ts"
)  # fmt: skip


def tick(item: dict[str, object], zone: Any = None, **more: Any) -> Tick:
    return reader("f", ALL, Words(), zone, more.pop("viewers", True)).tick("r", {"on": True, **item}, AT)


def test_every_field_arrives_and_absent_is_null() -> None:
    full = tick({"v": "3", "t": 2**40, "l": 0, "k": 1999.6, "s": 7, "ts": "2026-11-24T20:00:00+08:00"})
    assert full == Tick("f", "r", AT - timedelta(seconds=5), "status", True, 3, 2**40, 0, 2000, None, "7")
    assert tick({}) == Tick("f", "r", AT, "status", True)
    assert tick({"v": 3}, viewers=False).viewers is None


@pytest.mark.parametrize(
    "ts", [1795521600, 1795521600000, "1795521600", "2026-11-24T12:00:00Z", "2026-11-24 20:00:00", "2026-11-24T20:00"]
)
def test_times_are_read_as_they_are_written(ts: object) -> None:
    assert tick({"ts": ts}, ZoneInfo("Asia/Shanghai")).at == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("ts", ["2026-11-24 20:00:00", "yesterday", 7, True, [], "2026-02-30T00:00:00Z"])
def test_a_time_that_is_none_is_not_made_one(ts: object) -> None:
    with pytest.raises(Unfit, match="at is no time"):
        tick({"ts": ts})


@pytest.mark.parametrize(
    ("url", "values", "rooms", "filled"),
    [
        ("http://x/l?a=1&after={cursor}", {"cursor": ""}, [], "http://x/l?a=1"),
        ("http://x/l?after={cursor}", {"cursor": ""}, [], "http://x/l?"),
        ("http://x/l?after={cursor}&a=1", {"cursor": "a&b=c/é"}, [], "http://x/l?after=a%26b%3Dc%2F%C3%A9&a=1"),
        ("http://x/l?ids={rooms}", {}, ["1", "直,2"], "http://x/l?ids=1,%E7%9B%B4%2C2"),
        ("http://x/l?id={room}&a=1", {}, ["1", "2"], "http://x/l?id=1&id=2&a=1"),
        ("http://x/{room}/s", {}, ["../a b?"], "http://x/..%2Fa%20b%3F/s"),
        ("http://x/场馆?k={key}", {"key": "{room}"}, ["1"], "http://x/%E5%9C%BA%E9%A6%86?k=%7Broom%7D"),
    ],
)
def test_a_url_is_filled_and_every_value_is_encoded(
    url: str, values: dict[str, str], rooms: list[str], filled: str
) -> None:
    assert url_filled(url, values, rooms) == filled


HOSTILE = 'a"b\\c{rooms}{key}\n直'


def test_a_message_is_filled_without_ending_early() -> None:
    told = list(messages({"op": "sub", "rooms": "{rooms}", "n": [1, "{key}"]}, {"key": "k"}, ["a", HOSTILE, "c"], 2))
    assert [json.loads(one) for one in told] == [
        {"op": "sub", "rooms": ["a", HOSTILE], "n": [1, "k"]},
        {"op": "sub", "rooms": ["c"], "n": [1, "k"]},
    ]
    assert [json.loads(one)["r"] for one in messages('{"r": "{room}"}', {}, [HOSTILE, "b"], 2)] == [HOSTILE, "b"]
    assert list(messages("ping", {}, ["a"], 2)) == ["ping"]
    assert json.loads(placeholders.body_filled({"r": "{room}", "k": "{key}"}, {"key": HOSTILE}, ["a"])) == {
        "r": "a",
        "k": HOSTILE,
    }


def test_names_are_found_wherever_they_stand() -> None:
    assert named({"a": ["{room}", {"b": "x{key}y"}], "{no}": 1}) == {"room", "key"}
    assert named(None) == set()


def test_no_header_is_broken_by_what_fills_it() -> None:
    assert headers_filled({"A": "Bearer {t}"}, {"t": "{x}"}) == {"A": "Bearer {x}"}
    for canary in ("canary\r\nB: c", "canary直"):
        with pytest.raises(FeedRefused) as caught:
            headers_filled({"A": "{t}"}, {"t": canary})
        assert "canary" not in str(caught.value)


def test_what_comes_back_has_no_secret_in_any_of_its_forms() -> None:
    secret = 's3cret/"+ 令牌'
    told = f"{secret} {json.dumps(secret)} {json.dumps(secret, ensure_ascii=False)}".encode()
    told += r" s3cret\/\"+ 令牌".encode() + b" s3cret%2F%22%2B%20%E4%BB%A4%E7%89%8C"
    assert b"s3cret" not in masked(told, [secret])
    assert masked(b'{"viewers": 123456789}', ["123456789"]) == b'{"viewers": 123456789}'
    assert masked(b'{"a": "abc"}', ["abc"]) == b'{"a": "abc"}'


def test_a_secret_is_read_anew_and_never_said(tmp_path: Any) -> None:
    file = tmp_path / "token"
    file.write_text("first\n", encoding="utf-8")
    assert placeholders.read_secrets({"token": file}) == {"token": "first"}
    file.write_text("\ufeffsecond", encoding="utf-8")
    assert placeholders.read_secrets({"token": file}) == {"token": "second"}
    for content in (b"", b"\n", b" ", b"canary\nb", b"canary\xff", b"canary" * 20_000):
        file.write_bytes(content)
        with pytest.raises(FeedRefused, match="the secret token") as caught:
            placeholders.read_secrets({"token": file})
        assert "canary" not in repr(caught.value.__context__ or "") + str(caught.value)
    file.unlink()
    with pytest.raises(FeedRefused, match="cannot be read: No such file"):
        placeholders.read_secrets({"token": file})


def test_pages_end_and_never_turn_in_a_circle() -> None:
    by_cursor = Paging("next", "", 3)
    assert by_cursor.next({"next": "b"}, 0, ["", "a"], [b"1", b"2"]) == "b"
    assert by_cursor.next({"next": 7}, 1, [""], [b"1"]) == "7"
    assert [by_cursor.next({"next": told}, 1, [""], [b"1"]) for told in (None, "")] == [None, None]
    assert Paging("next", "more", 3).next({"next": "b", "more": False}, 1, [""], [b"1"]) is None
    by_number = Paging("", "", 3)
    assert by_number.next({}, 1, [""], [b"1"]) == ""
    assert by_number.next({}, 0, ["", ""], [b"1", b"2"]) is None
    for paging, told, cursors, pages in (
        (by_cursor, {"next": "a"}, ["", "a"], [b"1", b"2"]),
        (by_cursor, {"next": "d"}, ["", "a", "b"], [b"1", b"2", b"3"]),
        (by_number, {}, ["", ""], [b"1", b"1"]),
        (by_number, {}, ["", "", ""], [b"1", b"2", b"3"]),
    ):
        with pytest.raises(BadFrame, match="page_loop: "):
            paging.next(told, 1, cursors, pages)
    with pytest.raises(BadFrame, match="unfit: cursor"):
        by_cursor.next({"next": {"a": 1}}, 1, [""], [b"1"])


YES_OR_NO: list[tuple[str, bool, bool]] = [  # what is told, whether a condition holds by it, whether there is more
    ("0", False, False), ("0.0", False, False), ("-0", False, False), ("1", True, True), ("0.5", True, True),
    ('"0"', True, False), ('"false"', True, False), ('"False"', True, False), ('"1"', True, True), ('"x"', True, True),
    ('""', False, False), ("false", False, False), ("true", True, True), ("null", False, False), ("[]", False, False),
    ("[0]", True, True), ('{"a": 0}', True, True),
]  # fmt: skip


@pytest.mark.parametrize(("told", "so", "more"), YES_OR_NO)
def test_a_condition_holds_where_something_is_found_and_many_words_mean_that_there_is_no_more(
    told: str, so: bool, more: bool
) -> None:
    frame = f'{{"a": {told}}}'.encode()
    found = document(frame, fraction)
    assert (holds("a", found), means("a", frame), goes_on("a", found)) == (so, so, more)
    following = Paging("", "a", 3).next(found, 1, [""], [frame])
    assert (following is not None) is more


def test_an_expression_is_true_or_not_whatever_it_compares() -> None:
    for told in (0, "0", False):
        assert holds(f"code == `{json.dumps(told)}`", {"code": told})
        assert not holds(f"code != `{json.dumps(told)}`", {"code": told})


def test_zones_are_those_of_the_setting() -> None:
    offset = timezone(timedelta(hours=3, minutes=25))
    assert tick({"ts": "2026-11-24 15:25:00"}, offset).at == datetime(2026, 11, 24, 12, tzinfo=UTC)
