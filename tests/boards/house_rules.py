"""What this house asks of its boards beyond the linter's rules: nothing lies over another, every link leads somewhere,
every variable is there and short enough to be offered, no money is made of counters, no question is for every room."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import promql_parser

from grafana.boards.board import OPTIONS_MAX
from tests.boards.asked import asked_of, panels_of
from tests.boards.lint import PROMETHEUS, Finding, expressions, selectors, title_of, variables_of
from tests.boards.macros import VARIABLE, Chosen, NotUnderstood, Opened, promql_sent, sql_sent

type Json = dict[str, Any]
type HouseRule = Callable[[Json, Mapping[str, Json]], Iterator[tuple[str, str]]]

COLUMNS = 24
BY_GRAFANA = {"__url_time_range", "__all_variables", "__data", "__field", "__value", "__series", "__from", "__to"}
LIMIT = re.compile(r"\bLIMIT\s+(\d+)\s*$", re.IGNORECASE)
EVERY_ROOM = re.compile(r"livemon_room_|room:")  # metrics with a series for each room
REDUCING = {"topk", "bottomk", "limitk", "count_values"}


def house_findings(board: Json, boards: Mapping[str, Json]) -> Iterator[Finding]:
    """`boards`: all of them, by uid."""
    for name, rule in HOUSE_RULES.items():
        for panel, what in rule(board, boards):
            yield Finding(name, board["uid"], panel, what)


def _ids(board: Json, _: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    panels = list(panels_of(board))
    ids = [panel.get("id") for panel in panels]
    for panel in panels:
        if panel.get("id") is None or ids.count(panel["id"]) > 1:
            yield title_of(panel), f"id {panel.get('id')} is missing, or not its own"
        references = [target.get("refId") for target in panel.get("targets", [])]
        if len(set(references)) < len(references) or None in references:
            yield title_of(panel), f"refIds {references}"


def _grid(board: Json, _: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels_of(board):
        place = panel["gridPos"]
        if place["x"] < 0 or place["x"] + place["w"] > COLUMNS or place["w"] < 1 or place["h"] < 1:
            yield title_of(panel), f"{place} is not within {COLUMNS} columns"
        cells = [
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        for over in sorted({taken[cell] for cell in cells if cell in taken}):
            yield title_of(panel), f"lies over {over}"
        taken |= dict.fromkeys(cells, title_of(panel))


def links_of(board: Json) -> Iterator[tuple[Json, str]]:
    """Each with the panel it is on; {} is the board."""
    for link in board.get("links", []):
        if link.get("url"):
            yield {}, link["url"]
    for panel in panels_of(board):
        config = panel.get("fieldConfig", {})
        told = [*panel.get("links", []), *config.get("defaults", {}).get("links", [])]
        for override in config.get("overrides", []):
            for each in override.get("properties", []):
                told += each["value"] if each["id"] == "links" else []
        yield from ((panel, link["url"]) for link in told)


def _links(board: Json, boards: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for panel, url in links_of(board):
        path = re.fullmatch(r"/d/([\w-]+)(?:/[\w-]*)?", urlsplit(url).path)
        if path is None or path[1] not in boards:
            yield title_of(panel), f"{url} leads to no board of ours"
            continue
        there = {variable["name"] for variable in variables_of(boards[path[1]])}
        query = urlsplit(url).query
        given = {
            key.removeprefix("var-") for key, _ in parse_qsl(query, keep_blank_values=True) if key.startswith("var-")
        }
        given |= set(re.findall(r"\$\{(\w+):queryparam\}", query))
        for name in sorted(given - there):
            yield title_of(panel), f"{url}: {path[1]} has no variable {name}"
        asked = " ".join(target.get("rawSql", target.get("expr", "")) for target in panel.get("targets", []))
        for column in re.findall(r"__data\.fields\.(\w+)", url):
            if not re.search(rf"\b{column}\b", asked):
                yield title_of(panel), f"{url}: no column {column}"
            elif column in _dressed(panel):
                yield title_of(panel), f"{url}: {column} is put there as it is shown, in words or with its unit"


def _dressed(panel: Json) -> set[str]:
    """Columns that are shown otherwise than they are: `__data.fields` gives what is shown."""
    return {
        override["matcher"]["options"]
        for override in panel.get("fieldConfig", {}).get("overrides", [])
        if {each["id"] for each in override.get("properties", [])} & {"mappings", "unit", "decimals"}
        and override["matcher"]["id"] == "byName"
    }


def _variables(board: Json, _: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """In what people read and in links; then in what is asked."""
    known = {variable["name"] for variable in variables_of(board)}
    for panel, url in links_of(board):
        yield from ((title_of(panel), f"{url}: ${name}") for name in _named(url) - known - BY_GRAFANA)
    for panel in panels_of(board):
        content = str(panel.get("options", {}).get("content", ""))
        for text in (panel.get("title", ""), panel.get("description", ""), content, str(panel.get("repeat") or "")):
            yield from ((title_of(panel), f"${name} in its words") for name in _named(text) - known)
    now = datetime.now(UTC)
    opened = Opened(now, now, {name: Chosen("chosen") for name in known})
    for asked in asked_of(board["uid"], board):
        text = re.sub(r"^label_values\((.*),\s*\w+\)$", r"\1", asked.text)
        try:
            sql_sent(text, opened) if asked.language == "sql" else promql_sent(text, opened)
        except NotUnderstood as error:
            yield asked.what, str(error)


def _named(text: str) -> set[str]:
    return {found[1] or found[2] or found[4] for found in VARIABLE.finditer(text)}


def _options(board: Json, _: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Fewer than a thousand, else the list of a variable is slow and cut off; rooms are searched for."""
    for variable in variables_of(board):
        if variable["type"] != "query":
            continue
        query = variable.get("query", "")
        text = query if isinstance(query, str) else query.get("query", "")
        if (variable.get("datasource") or {}).get("type") == PROMETHEUS:
            if re.search(r",\s*room\s*\)$", text):
                yield f"${variable['name']}", "every room as an option"
        elif "$__searchFilter" not in text and not re.search(r"\bFROM setting\s*$", text):
            limit = LIMIT.search(text.strip())
            if limit is None or int(limit[1]) > OPTIONS_MAX:
                yield f"${variable['name']}", f"neither LIMIT {OPTIONS_MAX} nor $__searchFilter"
        elif "$__searchFilter" in text and not LIMIT.search(text.strip()):
            yield f"${variable['name']}", "a search without a LIMIT"


def _money(board: Json, _: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Counters of money begin anew with each start, are scraped late and know no window: sums come from SQL."""
    for panel, text in expressions(board):
        if "_minor_total" in text:
            yield panel, f"money from a counter: {text}"


def _every_room(board: Json, _: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for panel, node, above in selectors(board):
        one_room = any(m.name == "room" and m.op == promql_parser.MatchOp.Equal for m in node.matchers.matchers)
        if EVERY_ROOM.match(str(node.name)) and not one_room and not any(map(_reduces, above)):
            yield panel, f"{node.name} of every room: 12,000 series"


def _reduces(node: Any) -> bool:
    if not isinstance(node, promql_parser.AggregateExpr):
        return False
    if any(str(node.op).startswith(name) for name in REDUCING) or node.modifier is None:
        return True
    without = node.modifier.type == promql_parser.AggModifierType.Without
    return bool(without == ("room" in node.modifier.labels))


HOUSE_RULES: dict[str, HouseRule] = {
    "ids": _ids,
    "grid": _grid,
    "links": _links,
    "variables": _variables,
    "options": _options,
    "money": _money,
    "every-room": _every_room,
}
