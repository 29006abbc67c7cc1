"""Variables and macros as Grafana puts them in; the expansions are those of its own source and documentation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.boards.macros import Chosen, NotUnderstood, Opened, default_choice, interval_text, promql_sent, sql_sent

FROM, TO = datetime(2026, 11, 10, 12, tzinfo=UTC), datetime(2026, 11, 10, 14, 30, 0, 500_000, tzinfo=UTC)
FIRST, LAST = "'2026-11-10T12:00:00Z'", "'2026-11-10T14:30:00.5Z'"
CHOSEN = {
    "one": Chosen("a'b"),
    "all": Chosen(".*", quoted=True, as_it_is=True),
    "single": Chosen(("a'b",), quoted=True),
    "several": Chosen(("杭州", 'a.b"'), quoted=True),
    "tricky": Chosen("$one $__timeFrom ${all}"),
}
OPENED = Opened(FROM, TO, CHOSEN)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("$__timeFilter(c)", f"c BETWEEN {FIRST} AND {LAST}"),
        ("x >= $__timeFrom() AND x < $__timeTo()", f"x >= {FIRST} AND x < {LAST}"),
        ("$__time(c)", 'c AS "time"'),
        ("$__timeEpoch(c)", 'extract(epoch from c) as "time"'),
        ("$__timeGroup(c,'1m')", "floor(extract(epoch from c)/60)*60"),
        ("$__timeGroup(c, '90s', 0)", "floor(extract(epoch from c)/90)*90"),
        ("$__timeGroup(c,'500ms',NULL)", "floor(extract(epoch from c)/0.5)*0.5"),
        ("$__timeGroup(c,'30d',previous)", "floor(extract(epoch from c)/2592000)*2592000"),
        ("$__timeGroup(c,$__interval)", "floor(extract(epoch from c)/60)*60"),
        ("SELECT $__timeGroup(c,'1h'), n", 'SELECT floor(extract(epoch from c)/3600)*3600 AS "time", n'),
        ("$__timeGroupAlias(c,'5m')", 'floor(extract(epoch from c)/300)*300 AS "time"'),
        ("$__unixEpochFilter(c)", "c >= 1794312000 AND c <= 1794321000"),
        ("$__unixEpochFrom() $__unixEpochTo()", "1794312000 1794321000"),
        ("$__unixEpochNanoFilter(c)", "c >= 1794312000000000000 AND c <= 1794321000500000000"),
        ("$__unixEpochNanoFrom() $__unixEpochNanoTo()", "1794312000000000000 1794321000500000000"),
        ("$__unixEpochGroup(c,'5m')", "floor((c)/300)*300"),
        ("$__unixEpochGroupAlias(c,'5m')", 'floor((c)/300)*300 AS "time"'),
        ("'$__interval' $__interval_ms", "'1m' 60000"),
        ("$__from ${__to} ${__from:date} ${__from:date:seconds}",
         "1794312000000 1794321000500 2026-11-10T12:00:00.000Z 1794312000"),
        ("'$one'", "'a''b'"),  # one value stands in the quotes of the query
        ("IN ($single)", "IN ('a''b')"),  # what may be several brings its own
        ("IN ($several)", "IN ('杭州','a.b\"')"),
        ("~ '^($all)$'", "~ '^(.*)$'"),
        ("${all:sqlstring}", ".*"),  # a board's own value for All is never quoted
        ("${one:sqlstring}", "'a''b'"),
        ("${several:sqlstring}", r"""'杭州','a.b\"'"""),
        ("${several:csv} ${several:raw} ${several:pipe}", '杭州,a.b" 杭州,a.b" 杭州|a.b"'),
        ("${several:regex} ${single:regex}", r'''(杭州|a\.b") a'b'''),
        ("[[one]] [[several:pipe]]", "a''b 杭州|a.b\""),
        ("'$tricky'", "'$one $__timeFrom ${all}'"),  # a value is not read again as a variable
        ("LIKE '$__searchFilter'", "LIKE '杭''%'"),
        ("[[:alpha:]] a$ '^x$' $", "[[:alpha:]] a$ '^x$' $"),
    ],
)  # fmt: skip
def test_sql_is_sent_as_grafana_sends_it(written: str, sent: str):
    assert sql_sent(written, OPENED, search="杭'") == sent


@pytest.mark.parametrize(
    "written",
    [
        "$missing", "${missing:csv}", "[[missing]]", "${one.field}", "${one:singlequote}", "${one:nonsense}",
        "${__from:date:YYYY}", "$__timeFilter", "$__timeFilter()", "$__timeFilter(date_trunc('hour', c))",
        "$__timeGroup(c)", "$__timeGroup(c,'1 minute')", "$__timeGroup(c,'1m',zero)", "$__timeGroup(c,'1m',0,0)",
        "$__nonsense(c)", "$one(c)x $nonsense(c)", "$__user",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_an_error(written: str):
    with pytest.raises(NotUnderstood):
        sql_sent(written, OPENED)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("rate(x[$__rate_interval])", "rate(x[65s])"),
        ("x[$__interval] $__interval_ms", "x[1m] 60000"),
        ("x[$__range] $__range_s", "x[9000s] 9000"),
        ('{a=~"${several:pipe}"}', '{a=~"杭州|a.b""}'),
        ('{a=~"$several"}', r'{a=~"(杭州|a\\.b")"}'),
        ('{a=~"$single"}', r"""{a=~"a\\'b"}"""),
        ('{a=~"$all"}', '{a=~".*"}'),
    ],
)
def test_promql_is_sent_as_grafana_sends_it(written: str, sent: str):
    assert promql_sent(written, OPENED) == sent


@pytest.mark.parametrize("written", ["$missing", "x[${__rate_interval:nonsense}]", "$__timeFilter(c)"])
def test_promql_knows_no_macros_of_sql(written: str):
    with pytest.raises(NotUnderstood):
        promql_sent(written, OPENED)


def test_the_rate_interval_holds_four_scrapes_at_least():
    opened = OPENED._replace(interval=timedelta(seconds=5), scrape=timedelta(seconds=5))
    assert promql_sent("[$__rate_interval]", opened) == "[20s]"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "500ms"), (1, "1s"), (60, "1m"), (90, "90s"), (7200, "2h"), (86400, "1d"), (604800, "7d")],
)
def test_intervals_are_written_in_their_largest_unit(seconds: float, text: str):
    assert interval_text(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("variable", "chosen"),
    [
        ({"type": "query", "multi": True, "includeAll": True, "allValue": ".*", "current": {"value": ["$__all"]}},
         Chosen(".*", True, True)),
        ({"type": "query", "includeAll": True, "current": {"value": "$__all"}}, None),
        ({"type": "query", "current": {}}, None),
        ({"type": "custom", "multi": True, "current": {"value": ["a", "b"]}}, Chosen(("a", "b"), True)),
        ({"type": "custom", "current": {"value": "a"}}, Chosen("a")),
        ({"type": "textbox", "query": ""}, Chosen("")),
    ],
)  # fmt: skip
def test_what_is_chosen_when_a_board_is_opened(variable: dict[str, Any], chosen: Chosen | None):
    assert default_choice(variable) == chosen
