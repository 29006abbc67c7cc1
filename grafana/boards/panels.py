"""Panels of Grafana as plain dicts: a number, lines over time, a table; classic JSON, schemaVersion 41."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

type Json = dict[str, Any]

SQL = Path(__file__).parent / "sql"

PROMETHEUS = {"type": "prometheus", "uid": "livemon-prometheus"}
POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "livemon-postgres"}

# One colour for each state of a room, on every board.
STATES = {
    "live": ("直播中", "green"),
    "dropped": ("断流", "orange"),
    "lost": ("断流未恢复", "red"),
    "blind": ("看不见", "purple"),
    "unwatched": ("无数据源", "dark-purple"),
    "offline": ("未开播", "text"),
}


def promql(expression: str, ref: str = "A", legend: str = "", *, instant: bool = False) -> Json:
    return {
        "datasource": PROMETHEUS,
        "expr": expression,
        "refId": ref,
        "legendFormat": legend,
        "instant": instant,
        "range": not instant,
        "editorMode": "code",
    }


def statement(name: str) -> str:
    """Of grafana/boards/sql; Grafana's own variables and macros stand in it."""
    return (SQL / f"{name}.sql").read_text().rstrip()


def sql(text: str, ref: str = "A", shape: str = "table") -> Json:
    return {
        "datasource": POSTGRES,
        "rawSql": text,
        "refId": ref,
        "format": shape,
        "rawQuery": True,
        "editorMode": "code",
    }


def panel(kind: str, title: str, description: str, targets: Sequence[Json], defaults: Json, options: Json) -> Json:
    """Place and id are given by `placed`."""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": targets[0]["datasource"],
        "targets": list(targets),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
    }


def stat(title: str, description: str, expression: str, steps: Sequence[tuple[float | None, str]], **more: Any) -> Json:
    """One number. `steps` are (from this value, colour); no value at all stays empty: nobody knows."""
    defaults = {
        "unit": "short",
        "decimals": 0,
        "noValue": "—",
        "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]},
        "color": {"mode": "thresholds"},
        **more,
    }
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background",
        "graphMode": "none",
        "textMode": "value",
        "justifyMode": "center",
        "orientation": "auto",
    }
    return panel("stat", title, description, [promql(expression, instant=True)], defaults, options)


def lines(title: str, description: str, targets: Sequence[Json], *, colors: Sequence[tuple[str, str]] = ()) -> Json:
    """Lines over time; `colors` are (name in the legend, colour)."""
    defaults = {
        "unit": "short",
        "min": 0,
        "noValue": "—",
        "color": {"mode": "palette-classic"},
        "custom": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": False},
    }
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    made = panel("timeseries", title, description, targets, defaults, options)
    made["fieldConfig"]["overrides"] = [
        override(name, color={"mode": "fixed", "fixedColor": color}) for name, color in colors
    ]
    return made


def table(title: str, description: str, text: str, overrides: Sequence[Json]) -> Json:
    defaults = {"unit": "none", "noValue": "—", "custom": {"align": "auto", "filterable": True, "inspect": False}}
    options = {"cellHeight": "sm", "showHeader": True, "footer": {"show": False, "reducer": ["sum"], "fields": ""}}
    made = panel("table", title, description, [sql(text)], defaults, options)
    made["fieldConfig"]["overrides"] = list(overrides)
    return made


def override(column: str, **properties: Any) -> Json:
    return {
        "matcher": {"id": "byName", "options": column},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def state_cell(column: str) -> Json:
    """A state in words, on its colour."""
    options = {word: {"text": word, "color": color, "index": n} for n, (word, color) in enumerate(STATES.values())}
    made = override(column, mappings=[{"type": "value", "options": options}])
    cell = {"type": "color-background", "mode": "basic", "applyToRow": False}
    made["properties"].append({"id": "custom.cellOptions", "value": cell})
    return made


def purpose_mark() -> Json:
    """The hidden variable ${purpose_mark}: what the database itself says it is for, whichever board looks at it."""
    text = statement("purpose_mark")
    return {
        "name": "purpose_mark",
        "type": "query",
        "datasource": POSTGRES,
        "query": text,
        "definition": text,
        "hide": 2,
        "skipUrlSync": True,
        "refresh": 1,
        "includeAll": False,
        "multi": False,
        "sort": 0,
        "current": {"text": "", "value": ""},
        "options": [],
    }


def placed(rows: Sequence[tuple[int, Sequence[tuple[int, Json]]]]) -> list[Json]:
    """Rows from top to bottom, each (height, [(width, panel), ...]) from left to right; ids in reading order."""
    panels: list[Json] = []
    y = 0
    for height, cells in rows:
        x = 0
        for width, made in cells:
            panels.append({"id": len(panels) + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **made})
            x += width
        y += height
    return panels
