"""Times as platforms write them."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from collectors.collector import BadFrame
from collectors.instants import instant

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 11, 19, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-19T20:00:05+08:00", "2026-11-19 20:00:05+0800", "2026-11-19T12:00:05Z", "2026-11-19t12:00:05.000z",
        "2026-11-19 20:00:05", 1795089605, 1795089605000, "1795089605", "1795089605000", 1795089605.0,
        Decimal("1795089605.0"),
    ],
)  # fmt: skip
def test_one_instant_in_many_spellings(written: object) -> None:
    assert instant(written, SHANGHAI) == AT


def test_nanoseconds_are_cut_to_microseconds() -> None:
    assert instant("2026-11-24T17:00:00.123456789Z") == datetime(2026, 11, 24, 17, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-19 20:00:05", "2026-11-19", "2026-02-30T00:00:00Z", "2026-11-19T23:59:60Z", "2026-11-19T24:00:00Z",
        "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "1970-01-01T00:00:00Z", "2026-11-19T20:00:05+8",
        "2026-11-19T20:00:05+24:00", "２０２６-11-19T20:00:05Z", "20:00", "", "'; DROP TABLE sale", 0, -1, True, None,
        1795089605000000, 10**400, float("nan"), float("inf"), Decimal("NaN"), Decimal("1E+999"), [], {},
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(written: object) -> None:
    with pytest.raises(BadFrame, match=r"^bad_time: "):
        instant(written)
