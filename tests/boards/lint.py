"""The fifteen rules of grafana/dashboard-linter that are not about Loki, written anew, for classic JSON.

Each takes a board and yields what is wrong. Where the linter looks at some types of panels only, ours looks at all that
draw. Which findings are meant to be is said in test_lint.py.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import promql_parser

from tests.boards.asked import panels_of
from tests.boards.macros import Chosen, NotUnderstood, Opened, promql_sent

type Json = dict[str, Any]

PROMETHEUS = "prometheus"
NOT_DRAWN = {"row", "text"}
WITHOUT_UNIT = NOT_DRAWN | {"state-timeline"}  # states are words
WORDS_OF_SOURCES = {"Data source", "Prometheus data source"}
# Units of Grafana's list that boards of ours have; then prefixes of units that one makes oneself.
UNITS = {
    "none", "short", "percent", "percentunit", "s", "ms", "h", "dtdurations", "dtdhms", "clocks", "bytes", "decbytes",
    "Bps", "bps", "Kbits", "Mbits", "reqps", "ops", "cps", "wps", "rps", "mps", "iops", "dateTimeAsLocal",
    "dateTimeAsIso", "dateTimeFromNow", "string", "bool_yes_no", "locale", "cpm", "rowsps", "m", "d",
}  # fmt: skip
UNIT_PREFIXES = ("currency:", "suffix:", "prefix:", "time:", "si:", "count:")
RATE_INTERVAL = "1h7m13s"  # nobody writes that: what was $__rate_interval is told by it
LENGTH = timedelta(hours=1, minutes=7, seconds=13)
LABEL_VALUES = re.compile(
    r"(?:label_values\((?:(?P<of>.+),)?\s*[a-zA-Z_]\w*\s*\)|label_names\(.*\)|metrics\(.*\)|query_result\((?P<query>.+)\))"
)


class Finding(NamedTuple):
    rule: str
    board: str  # its uid
    panel: str  # its title; of a variable `$name`; empty: the board
    what: str


type Rule = Callable[[Json], Iterator[tuple[str, str]]]


def findings(board: Json) -> Iterator[Finding]:
    for name, rule in RULES.items():
        for panel, what in rule(board):
            yield Finding(name, board["uid"], panel, what)


def title_of(panel: Json) -> str:
    return str(panel.get("title", "")).removeprefix("${purpose_mark}")


def variables_of(board: Json) -> list[Json]:
    return list(board.get("templating", {}).get("list", []))


def drawn(board: Json, without: set[str] = NOT_DRAWN) -> Iterator[Json]:
    return (panel for panel in panels_of(board) if panel["type"] not in without)


def expressions(board: Json) -> Iterator[tuple[str, str]]:
    """Title of the panel, PromQL as it is written."""
    for panel in panels_of(board):
        for target in panel.get("targets", []):
            if (target.get("datasource") or panel.get("datasource") or {}).get("type") == PROMETHEUS:
                yield title_of(panel), target.get("expr", "")


def parsed(board: Json, text: str) -> promql_parser.Expr:
    """With something chosen in each variable.

    Raises:
        NotUnderstood: a variable that the board has not.
        ValueError: no PromQL.
    """
    if not text.strip():
        raise ValueError("an empty expression")
    now = datetime.now(UTC)
    chosen = {variable["name"]: Chosen("chosen") for variable in variables_of(board)}
    written = text.replace("$__rate_interval", RATE_INTERVAL)
    return promql_parser.parse(promql_sent(written, Opened(now - timedelta(hours=1), now, chosen)))


def within(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Each part of an expression, and what it stands in, the outermost first."""
    yield node, above
    parts = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    for part in [*parts, *(getattr(node, "args", None) or [])]:
        if isinstance(part, promql_parser.Expr):
            yield from within(part, (*above, node))


def selectors(board: Json) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """Of every expression that can be read: the panel, the selector, what it stands in."""
    for panel, text in expressions(board):
        try:
            tree = parsed(board, text)
        except ValueError:  # target-promql-rule says so
            continue
        for node, above in within(tree):
            if isinstance(node, promql_parser.VectorSelector):
                yield panel, node, above


def functions(above: tuple[Any, ...]) -> set[str]:
    return {node.func.name for node in above if isinstance(node, promql_parser.Call)}


def _template_datasource(board: Json) -> Iterator[tuple[str, str]]:
    found = [variable for variable in variables_of(board) if variable["type"] == "datasource"]
    if not found:
        yield "", "no variable for the data source"
    for variable in found:
        if variable["name"] not in ("datasource", "prometheus_datasource"):
            yield f"${variable['name']}", "is not called datasource or prometheus_datasource"
        elif variable.get("label") not in WORDS_OF_SOURCES:
            yield f"${variable['name']}", f"label {variable.get('label')}"


def _template_of(name: str) -> Rule:
    """`job` or `instance`, of which many may be chosen."""

    def rule(board: Json) -> Iterator[tuple[str, str]]:
        if not any(True for _ in expressions(board)):
            return
        variable = next((each for each in variables_of(board) if each["name"] == name), None)
        if variable is None:
            yield "", f"no variable {name}"
        elif (
            variable["type"] != "query"
            or not str((variable.get("datasource") or {}).get("uid", "")).startswith("$")
            or (variable.get("label"), variable.get("allValue")) != (name.capitalize(), ".+")
            or not (variable.get("multi") and variable.get("includeAll"))
        ):
            yield f"${name}", "a query of the chosen data source, of many, all of them .+, with its label"

    return rule


def _template_label_promql(board: Json) -> Iterator[tuple[str, str]]:
    for variable in variables_of(board):
        if variable["type"] == "query" and (variable.get("datasource") or {}).get("type") == PROMETHEUS:
            query = variable.get("query", "")
            text = query if isinstance(query, str) else query.get("query", "")
            found = LABEL_VALUES.fullmatch(text.strip())
            try:
                if found is None:
                    raise ValueError("no label_values(), label_names(), metrics() or query_result()")
                if inner := found["of"] or found["query"]:
                    parsed(board, inner)
            except ValueError as error:
                yield f"${variable['name']}", f"{text}: {error}"


def _template_reload(board: Json) -> Iterator[tuple[str, str]]:
    for variable in variables_of(board):
        if variable["type"] == "query" and variable.get("refresh") != 2:
            yield f"${variable['name']}", f"refresh {variable.get('refresh')}: not asked anew with the time"


def _panel_datasource(board: Json) -> Iterator[tuple[str, str]]:
    for panel in drawn(board):
        uid = (panel.get("datasource") or {}).get("uid", "")
        if not uid.startswith("$"):
            yield title_of(panel), f"data source {uid or 'of nowhere'} is no variable"


def _panel_title_description(board: Json) -> Iterator[tuple[str, str]]:
    for panel in panels_of(board):
        if panel["type"] != "row" and not (title_of(panel).strip() and panel.get("description", "").strip()):
            yield title_of(panel), "no title, or no description"


def _panel_units(board: Json) -> Iterator[tuple[str, str]]:
    for panel in drawn(board, WITHOUT_UNIT):
        config = panel.get("fieldConfig", {})
        overridden = [
            p for each in config.get("overrides", []) for p in each.get("properties", []) if p["id"] == "unit"
        ]
        units = [each["value"] for each in overridden]
        defaults = config.get("defaults", {})
        if "unit" in defaults or not defaults.get("mappings"):
            units.insert(0, defaults.get("unit", ""))
        for unit in units:
            if unit not in UNITS and not unit.startswith(UNIT_PREFIXES):
                yield title_of(panel), f"unit {unit or 'none at all'}"


def _panel_no_targets(board: Json) -> Iterator[tuple[str, str]]:
    for panel in drawn(board):
        if not panel.get("targets"):
            yield title_of(panel), "asks for nothing"


def _target_promql(board: Json) -> Iterator[tuple[str, str]]:
    for panel, text in expressions(board):
        try:
            parsed(board, text)
        except (NotUnderstood, ValueError) as error:
            yield panel, f"{text}: {error}"


def _target_rate_interval(board: Json) -> Iterator[tuple[str, str]]:
    for panel, node, above in selectors(board):
        matrix = next((part for part in reversed(above) if isinstance(part, promql_parser.MatrixSelector)), None)
        if functions(above) & {"rate", "irate"} and matrix is not None and matrix.range != LENGTH:
            yield panel, f"rate of {node.name} over {matrix.range}, not over $__rate_interval"


def _target_label(name: str) -> Rule:
    def rule(board: Json) -> Iterator[tuple[str, str]]:
        for panel, node, _ in selectors(board):
            told = [matcher for matcher in node.matchers.matchers if matcher.name == name]
            if not (told and told[0].op == promql_parser.MatchOp.Re and told[0].value == "chosen"):
                yield panel, f'{node.name} without {name}=~"${name}"'

    return rule


def _target_counter_agg(board: Json) -> Iterator[tuple[str, str]]:
    for panel, node, above in selectors(board):
        if str(node.name).endswith("_total") and not functions(above) & {"rate", "irate", "increase"}:
            yield panel, f"{node.name} as it stands: it begins at 0 with each start"


def _uneditable(board: Json) -> Iterator[tuple[str, str]]:
    if board.get("editable") is not False:
        yield "", "can be changed where nobody keeps it"


RULES: dict[str, Rule] = {
    "template-datasource-rule": _template_datasource,
    "template-job-rule": _template_of("job"),
    "template-instance-rule": _template_of("instance"),
    "template-label-promql-rule": _template_label_promql,
    "template-on-time-change-reload-rule": _template_reload,
    "panel-datasource-rule": _panel_datasource,
    "panel-title-description-rule": _panel_title_description,
    "panel-units-rule": _panel_units,
    "panel-no-targets-rule": _panel_no_targets,
    "target-promql-rule": _target_promql,
    "target-rate-interval-rule": _target_rate_interval,
    "target-job-rule": _target_label("job"),
    "target-instance-rule": _target_label("instance"),
    "target-counter-agg-rule": _target_counter_agg,
    "uneditable-dashboard": _uneditable,
}
