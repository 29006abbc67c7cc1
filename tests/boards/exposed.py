"""Which metrics a running livemon shows, with which labels; and whether a query of a board asks for anything else.

A query for a label that nobody writes is no error to Prometheus: it finds nothing, and the panel is empty for ever.
"""

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from itertools import chain
from types import SimpleNamespace

import promql_parser as promql
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from collectors.orders.doudian import Doudian
from monitor.facts import RosterRoom, Slot
from monitor.http.metrics import Metrics
from monitor.http.rooms_page import RoomsPage
from monitor.live.watch import Watch
from tests.boards.stage import ROOT
from tests.http.stand_in import NOW, StillRow, still_sources

type Labels = frozenset[str]

OF_A_SCRAPE = frozenset({"job", "instance"})
OF_PROMETHEUS = ("up", "scrape_duration_seconds", "scrape_samples_scraped")
LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@cache
def exposed() -> Mapping[str, Labels]:
    """Name of a series -> its labels, those of the scrape too. Every kind of feed, account and robot is there."""
    watch, hour = Watch(), timedelta(hours=1)
    slots = [Slot(1, NOW - hour, NOW)]  # its end is near, which is a series of its own
    watch.load([RosterRoom(1, "nginx_rtmp", "live/1", hall="A")], slots, [StillRow(name="a"), Doudian(name="b")], NOW)
    for room in watch.rooms:
        room.state, room.viewers, room.kbps = 1, 1, 1
    sources = still_sources(
        watch,
        accounts=lambda: {("wechat", "ok"): 1},
        breakers=lambda: {("app", "open"): 1},
        polls=lambda: {"a": SimpleNamespace(shops=1, failing=0)},
        waits=lambda: {"b": [SimpleNamespace(obstacle="asked", needs=1, shops=["s"])]},
    )
    metrics = Metrics(sources, "0")
    metrics.feeds_are(["a"])
    metrics.hooks_are(["b"])
    metrics.platforms_are(["wechat"], "CNY")
    metrics.of_accounts.pushes_are(["b"])
    metrics.of_alerts.robots_are(["hall"])
    metrics.of_alerts.outcomes_are(["told"])
    metrics.of_accounts.apps_are(["app"])
    metrics.of_accounts.called("app", "orders", "failed")
    rooms = asyncio.run(RoomsPage(lambda: watch, lambda: NOW).render())
    found = dict.fromkeys(OF_PROMETHEUS, OF_A_SCRAPE)
    for family in chain.from_iterable(
        text_string_to_metric_families(page.decode()) for page in (generate_latest(metrics.registry), rooms)
    ):
        for sample in family.samples:
            found[sample.name] = frozenset(sample.labels) | OF_A_SCRAPE
    return found


@cache
def recorded() -> Mapping[str, str]:
    """What our rules record: name -> PromQL. A name that several record has the labels of the first."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "prometheus" / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if "record" in rule:
                    found.setdefault(rule["record"], rule["expr"])
    return found


def unknown(query: str, legend: str = "") -> str:
    """What of a query, its variables put in, nobody writes; empty when all is there."""
    try:
        labels = labels_of(promql.parse(query))
    except UnknownSeries as error:
        return str(error)
    missing = set(LEGEND.findall(legend)) - labels
    return f"the legend shows {sorted(missing)}, the answer has {sorted(labels)}" if missing else ""


class UnknownSeries(Exception):
    """A name or a label that nobody writes."""


def labels_of(expr: promql.Expr) -> Labels:
    """Labels that the answer may have. Raises UnknownSeries."""
    match expr:
        case promql.VectorSelector():
            return _selected(expr)
        case promql.MatrixSelector():
            return _selected(expr.vector_selector)
        case promql.AggregateExpr():
            return _aggregated(expr)
        case promql.BinaryExpr():
            return _joined(expr)
        case promql.Call():
            labels: Labels = frozenset().union(*(labels_of(each) for each in expr.args))
            if expr.func.name == "label_replace":
                return labels | {expr.args[1].val}
            return labels - {"le"} if expr.func.name == "histogram_quantile" else labels
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return labels_of(expr.expr)
    return frozenset()  # a number, a text


def _selected(selector: promql.VectorSelector) -> Labels:
    name = selector.name
    if name in recorded():
        labels = labels_of(promql.parse(recorded()[name]))
    elif name in exposed():
        labels = exposed()[name]
    else:
        raise UnknownSeries(f"nobody writes {name}")
    asked = {matcher.name for matcher in selector.matchers.matchers}
    return _all_there(asked, labels, selector) and labels


def _aggregated(expr: promql.AggregateExpr) -> Labels:
    labels = labels_of(expr.expr)
    if str(expr.op) in ("topk", "bottomk"):
        return labels
    if expr.modifier is None:
        return frozenset()
    named = frozenset(expr.modifier.labels)
    if expr.modifier.type == promql.AggModifierType.Without:
        return labels - named
    counted = {expr.param.val} if isinstance(expr.param, promql.StringLiteral) else set()  # of count_values
    return _all_there(named, labels, expr) and named | counted


def _joined(expr: promql.BinaryExpr) -> Labels:
    left, right = labels_of(expr.lhs), labels_of(expr.rhs)
    if str(expr.op) == "or":
        return left | right
    if isinstance(expr.lhs, promql.NumberLiteral) or expr.lhs.prettify().strip() == "time()":
        return right
    if expr.modifier is None or expr.modifier.matching is None:
        return left
    if expr.modifier.matching.type == promql.LabelModifierType.Include:
        _all_there(set(expr.modifier.matching.labels), left & right, expr)
    return left | frozenset(expr.modifier.group_labels or ())


def _all_there(asked: set[str] | Labels, labels: Labels, expr: promql.Expr) -> bool:
    if missing := sorted(asked - labels):
        raise UnknownSeries(f"{missing} of {sorted(labels)}: {expr.prettify()}")
    return True
