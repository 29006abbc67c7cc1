"""Every PromQL of every board asks for what a running livemon, our rules or Prometheus write, labels included."""

from datetime import UTC, datetime, timedelta

import promql_parser
import pytest

from tests.boards.exposed import labels_of, unknown
from tests.boards.macros import Chosen, Opened, default_choice, promql_sent
from tests.boards.stage import NAMES, panels, title, variables

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
ASKED = [
    pytest.param(board, target["expr"], target.get("legendFormat", ""), id=f"{board} {title(panel)} {target['refId']}")
    for board in NAMES
    for _, panel in panels(board=board)
    for target in panel.get("targets", [])
    if "expr" in target
]


def sent(board: str, text: str) -> str:
    """With the board's variables as it opens."""
    chosen = {each["name"]: default_choice(each) or Chosen("") for each in variables(board)}
    return promql_sent(text, Opened(NOW - timedelta(hours=1), NOW, chosen))


@pytest.mark.parametrize(("board", "text", "legend"), ASKED)
def test_what_is_asked_is_written(board: str, text: str, legend: str):
    assert unknown(sent(board, text), legend) == ""


@pytest.mark.parametrize(("board", "text", "legend"), ASKED)
def test_no_answer_is_as_long_as_the_roster(board: str, text: str, legend: str):
    """A series for each of 12,000 rooms would stop the browser: what is asked is summed, or the first few."""
    expr = promql_parser.parse(sent(board, text))
    assert _is_short(expr), expr.prettify()


def _is_short(expr: promql_parser.Expr) -> bool:
    match expr:
        case promql_parser.AggregateExpr():
            return str(expr.op) in ("topk", "bottomk") or "room" not in labels_of(expr)
        case promql_parser.BinaryExpr():
            return _is_short(expr.lhs) and (_is_short(expr.rhs) or str(expr.op) in ("and", "unless"))
        case promql_parser.Call():
            return all(_is_short(each) for each in expr.args)
        case promql_parser.VectorSelector() | promql_parser.MatrixSelector():
            return "room" not in labels_of(expr)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return _is_short(expr.expr)
    return True


@pytest.mark.parametrize(
    ("query", "legend", "said"),
    [
        ("sum(livemon_rooms_lost)", "", "nobody writes livemon_rooms_lost"),
        ('sum(livemon_feed_up{room="1"})', "", "['room'] of"),
        ("sum by (hall) (livemon_feed_messages_total)", "", "['hall'] of"),
        ("sum(livemon_room_state * on (hall) livemon_room_info)", "", "['hall'] of"),
        ("sum by (feed) (livemon_feed_up)", "{{platform}}", "the legend shows ['platform']"),
        ("sum by (reason) (feed:livemon_feed_failures:rate5m)", "", "['reason'] of"),
        (
            "histogram_quantile(0.5, sum by (le) (rate(livemon_write_duration_seconds_bucket[1m])))",
            "{{le}}",
            "the legend",
        ),
        ("livemon_room_viewers * on (platform, room) group_left (hall) livemon_room_info", "{{hall}}", ""),
        ("sum by (platform, hall) (livemon_feed_up) or vector(0)", "{{platform}} {{hall}}", ""),
    ],
)
def test_what_nobody_writes_is_found(query: str, legend: str, said: str):
    found = unknown(query, legend)
    assert said in found
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("query", "short"),
    [
        ("livemon_room_viewers", False), ("sum(livemon_room_viewers)", True), ("livemon_viewers", True),
        ("topk(5, livemon_room_viewers)", True), ("max by (platform, room) (livemon_room_viewers)", False),
        ("1 - livemon_room_state", False), ("rate(livemon_room_orders_total[1m])", False),
        ("room:livemon_room_down:max", False), ("sum without (instance) (livemon_room_viewers)", False),
    ],
)  # fmt: skip
def test_a_long_answer_is_found(query: str, short: bool):
    assert _is_short(promql_parser.parse(query)) == short
