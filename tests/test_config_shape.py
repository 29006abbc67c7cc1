"""What later kinds of feed may bring is told as well as what the present ones have."""

from typing import Annotated, Literal

import msgspec
import pytest

from collectors.collector import FeedRow
from monitor.config import Event
from monitor.config_shape import Shape, kinds_of


class Small(FeedRow, tag="small", frozen=True, kw_only=True):
    count: int
    part: float
    secure: bool
    mode: Literal["fast", "slow"] = "fast"
    retries: Annotated[int, msgspec.Meta(le=5)] = 1

    def __post_init__(self) -> None:
        if self.secure and self.mode == "slow":
            raise ValueError("secure and slow do not go together")


class Large(FeedRow, tag="large", frozen=True, kw_only=True):
    window: Event


class Top(msgspec.Struct):
    listen: str = ""


ABOVE = "it belongs above the first [table] of the file"
FINE = {"kind": "small", "name": "a", "count": 1, "part": 0.5, "secure": True}


def no_paths(_kind: type, _value: object) -> object:
    raise ValueError("no paths here")


def complaints(*rows: dict[str, object]) -> list[str]:
    shape = Shape(no_paths, Top)
    shape.rows(list(rows), Small | Large, ("feed",))
    return [f"{'.'.join(map(str, at))}: {what}; {todo}" for at, what, todo in shape.complaints]


def test_all_kinds_of_a_union_are_known_by_their_tag() -> None:
    assert kinds_of(Small | Large) == {"small": Small, "large": Large}
    assert kinds_of(Small) == {"small": Small}


def test_a_row_that_is_right_is_no_matter_for_complaint() -> None:
    assert complaints(FINE) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mode": "slow"}, "feed.0: secure and slow do not go together; correct this table"),
        ({"mode": "quick"}, "feed.0.mode: mode is a text; give one of: fast, slow"),
        ({"retries": 6}, "feed.0.retries: retries is 6; give a whole number of at most 5"),
        ({"count": True}, "feed.0.count: count is true; give a whole number"),
        ({"secure": 1}, "feed.0.secure: secure is 1; give true or false, without quotes"),
        ({"listen": ""}, "feed.0.listen: unknown key 'listen' in [[feed]]; ABOVE"),
    ],
)
def test_a_row_that_is_wrong_is_told_what_it_should_be(wrong: dict[str, object], said: str) -> None:
    assert complaints(FINE | wrong) == [said.replace("ABOVE", ABOVE)]


def test_what_is_missing_is_told_with_an_example() -> None:
    assert complaints({"kind": "small"}, {"kind": "large", "name": "b", "window": {"name": "c"}}) == [
        'feed.0: name is missing; add it: name = "..."',
        "feed.0: count is missing; add it: count = 1",
        "feed.0: part is missing; add it: part = 1",
        "feed.0: secure is missing; add it: secure = true",
        "feed.1.window: window.starts_at is missing; add it: starts_at = 2026-11-19T00:00:00+08:00",
        "feed.1.window: window.ends_at is missing; add it: ends_at = 2026-11-19T00:00:00+08:00",
    ]
