"""A board: its place in Grafana, its variables, its panels on the grid of 24 columns."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import DataSourceRef

from .panels import AnyPanel
from .queries import POSTGRES, statement
from .words import Say

type Json = dict[str, Any]
type Row = tuple[int, Sequence[tuple[int, AnyPanel]]]  # height, [(width, panel)]

TIMEZONE = "Asia/Shanghai"  # `python -m grafana.boards --timezone` writes another
OPTIONS_MAX = 999
WIDE = 12  # of 24 columns: lines and a legend beside each other


class Board(NamedTuple):
    """`folder` of Grafana, `name` of the file, and who makes it."""

    folder: str
    name: str
    make: Callable[[Say], Json]


def board(
    say: Say, uid: str, title: str, description: str, rows: Sequence[Row], *, variables: Sequence[Any] = (),
    annotations: Sequence[Any] = (), refresh: str = "10s", since: str = "now-1h", until: str = "now",
    kiosk: bool = False, source: DataSourceRef = POSTGRES,
) -> Json:  # fmt: skip
    """Classic JSON (schemaVersion 42: read by Grafana 11.6 to 13). `kiosk`: a link that shows nothing but the panels.

    `source`: of the variables that every board has.
    """
    made = (
        build.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["livemon"])
        .timezone(TIMEZONE)
        .readonly()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .refresh(refresh)
        .time(since, until)
        .fiscal_year_start_month(0)
        .links(_links(say, uid, kiosk))
        .variables([purpose_mark(say, source), *variables])
        .annotations(list(annotations))
    )
    for panel in placed(rows):
        made = made.with_panel(panel)
    return _with_legends(_marked(json.loads(json.dumps(made.build(), cls=JSONEncoder))))


def _links(say: Say, uid: str, kiosk: bool) -> list[Any]:
    others = build.DashboardLink(say("看板", "Boards")).type(model.DashboardLinkType.DASHBOARDS).tags(["livemon"])
    made = [others.as_dropdown(True).keep_time(True).include_vars(False)]
    if kiosk:
        alone = build.DashboardLink(say("全屏", "Kiosk")).type(model.DashboardLinkType.LINK)
        made.append(alone.url(f"/d/{uid}?kiosk").keep_time(True).include_vars(True).icon("external link"))
    return made


def placed(rows: Sequence[Row]) -> list[AnyPanel]:
    """Rows from top to bottom, each from left to right; ids in reading order."""
    panels: list[AnyPanel] = []
    y = 0
    for height, cells in rows:
        x = 0
        for width, panel in cells:
            place = model.GridPos(h=height, w=width, x=x, y=y)
            panels.append(panel.grid_pos(place).id(len(panels) + 1))  # type: ignore[attr-defined]
            x += width
        y += height
    return panels


def _marked(board: Json) -> Json:
    """A title of Grafana's can hold no variable, so the first panel's says what the database is for; and nobody can
    switch that off by an address."""
    board["templating"]["list"][0]["skipUrlSync"] = True  # the SDK has no word for it
    first = board["panels"][0]
    first["title"] = "${purpose_mark}" + first.get("title", "")
    return board


def _with_legends(board: Json) -> Json:
    """A legend that is a table stands beside its lines where there is room: below, it shows three rows and takes a
    third of the height."""
    for panel in board["panels"]:
        legend = panel.get("options", {}).get("legend", {})
        if legend.get("displayMode") == "table" and panel["gridPos"]["w"] >= WIDE:
            legend["placement"] = "right"
    return board


def query_variable(
    name: str, label: str, text: str, *, source: DataSourceRef = POSTGRES, multi: bool = False, every: str = "",
    hidden: bool = False, reload: bool = True,
) -> build.QueryVariable:  # fmt: skip
    """Options by SQL, at most OPTIONS_MAX, or with $__searchFilter. `every`: the value that stands for all of them;
    `reload`: asked anew when the time range changes, else when the board is opened."""
    made = build.QueryVariable(name).label(label).datasource(source).query(text).multi(multi)
    made = made.sort(model.VariableSort.DISABLED)
    made = made.refresh(
        model.VariableRefresh.ON_TIME_RANGE_CHANGED if reload else model.VariableRefresh.ON_DASHBOARD_LOAD
    )
    if hidden:
        made = made.hide(model.VariableHide.HIDE_VARIABLE)
    if every:
        made = made.include_all(True).all_value(every)
        made = made.current(model.VariableOption(text=["All"], value=["$__all"]) if multi else
                            model.VariableOption(text="All", value="$__all"))  # fmt: skip
    return made


def purpose_mark(say: Say, source: DataSourceRef) -> build.QueryVariable:
    """The hidden variable ${purpose_mark}: what the database itself says it is for, whichever board looks at it."""
    text = statement("purpose_mark", say)
    return query_variable("purpose_mark", "purpose_mark", text, source=source, hidden=True, reload=False)


def hall_variable(say: Say, source: DataSourceRef = POSTGRES) -> build.QueryVariable:
    """$hall: patterns, to be used as ~ '^(${hall:pipe})$' in SQL and =~"${hall:pipe}" in PromQL."""
    text = statement("halls", say)
    return query_variable("hall", say("场馆", "Hall"), text, source=source, multi=True, every=".*")


def platform_variable(say: Say, source: DataSourceRef = POSTGRES) -> build.QueryVariable:
    """$platform: words of letters and _, to be used as $hall is."""
    text = statement("platforms", say)
    return query_variable("platform", say("平台", "Platform"), text, source=source, multi=True, every=".*")
