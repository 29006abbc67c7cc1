"""Panels: a number, money, lines over time, bars, a table, states over time, text. Each is the SDK's builder; a board
that wants more of one goes on building. Sizes are given by `board.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, heatmap, stat, statetimeline, table, text, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as model
from grafana_foundation_sdk.models import text as text_model
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    MatcherConfig,
    Panel,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from monitor.platform_words import PLATFORMS

from .columns import MONEY, WHOLE, Column
from .queries import POSTGRES, PROMETHEUS, Query, promql, sql
from .words import Say

type AnyPanel = Builder[Panel]
type Steps = Sequence[tuple[float | None, str]]

# What a colour says, on every board. Calm: as it should be; warm: look at it; hot: act; dark: nobody can see; grey: no
# judgement, or too old to be one.
CALM, WARM, HOT, DARK, GREY = "green", "orange", "red", "purple", "text"
BLUE = "blue"
NOTHING = "—"  # where a query has no answer: nobody knows, which is not 0
STALE = "^(停更|stale)"  # how the name begins of a sum whose newest sale is old: statement `wall_money` and its like


def thresholds(steps: Steps) -> Builder[Any]:
    """(from this value, colour); the first has no value."""
    made = [Threshold(color=color, value=value) for value, color in steps]
    return build.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def by_steps() -> Builder[Any]:
    return build.FieldColor().mode(FieldColorModeId.THRESHOLDS)


def fixed(color: str) -> list[DynamicConfigValue]:
    return [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})]


def number(
    title: str, description: str, query: Query, steps: Steps, *, unit: str = WHOLE, decimals: int = 0,
    source: DataSourceRef = PROMETHEUS, words: Mapping[str, tuple[str, str]] | None = None, spark: bool = False,
) -> stat.Panel:  # fmt: skip
    """One number on its colour; no value stays empty. `words`: value -> (words instead of it, colour)."""
    made = stat.Panel().title(title).description(description).datasource(source).with_target(query)
    made = made.unit(unit).decimals(decimals).no_value(NOTHING).thresholds(thresholds(steps)).color_scheme(by_steps())
    if words is not None:
        shown = {value: ValueMappingResult(text=word, color=color) for value, (word, color) in words.items()}
        made = made.mappings([ValueMap(shown)])
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)
    return (
        made.reduce_options(reduced)
        .color_mode(model.BigValueColorMode.BACKGROUND if not spark else model.BigValueColorMode.VALUE)
        .graph_mode(model.BigValueGraphMode.AREA if spark else model.BigValueGraphMode.NONE)
        .text_mode(model.BigValueTextMode.VALUE)
        .justify_mode(model.BigValueJustifyMode.CENTER)
        .orientation(model.VizOrientation.AUTO)
    )


def numbers(title: str, description: str, query: Query, columns: Sequence[Column], *,
            source: DataSourceRef = POSTGRES) -> stat.Panel:  # fmt: skip
    """Several numbers of one row beside each other, each with its name."""
    made = number(title, description, query, [(None, BLUE)], source=source)
    made = made.text_mode(model.BigValueTextMode.VALUE_AND_NAME).color_mode(model.BigValueColorMode.VALUE)
    for column in columns:
        made = made.override_by_name(column.name, column.properties)
    return made


def count_of(title: str, description: str, expression: str, steps: Steps, **more: Any) -> stat.Panel:
    """A number by PromQL, as it is now."""
    return number(title, description, promql(expression, instant=True), steps, **more)


def money(title: str, description: str, text: str, *, unit: str = MONEY, decimals: int = 0) -> stat.Panel:
    """Sums by SQL with their time. The query is a time series whose `metric` says 截至 HH:MM:SS, or begins with 停更
    when the newest sale is older than a minute: then the number is grey, and still there."""
    query = sql(text, shape="time_series")
    made = number(title, description, query, [(None, BLUE)], unit=unit, decimals=decimals, source=POSTGRES)
    made = made.text_mode(model.BigValueTextMode.VALUE_AND_NAME).color_mode(model.BigValueColorMode.VALUE)
    made = made.wide_layout(False)  # the time above the sum, which then is as large as there is room for
    return made.with_override(MatcherConfig("byRegexp", f"/{STALE}/"), fixed(GREY))


def lines(
    title: str, description: str, queries: Sequence[Query], *, unit: str = "short", decimals: int | None = None,
    source: DataSourceRef = PROMETHEUS, colors: Mapping[str, str] | None = None, stacked: bool = False,
    legend: bool = True,
) -> timeseries.Panel:  # fmt: skip
    """Lines over time, with gaps where nobody saw anything. `colors`: name in the legend -> colour."""
    made = timeseries.Panel().title(title).description(description).datasource(source).unit(unit).min(0)
    for query in queries:
        made = made.with_target(query)
    if decimals is not None:
        made = made.decimals(decimals)
    if stacked:
        made = made.stacking(common.StackingConfig().mode(model.StackingMode.NORMAL).group("A"))
    shown = common.VizLegendOptions().display_mode(model.LegendDisplayMode.TABLE)
    shown = shown.placement(model.LegendPlacement.BOTTOM).calcs(["lastNotNull", "max"]).show_legend(legend)
    made = (
        made.no_value(NOTHING)
        .draw_style(model.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(40 if stacked else 10)
        .show_points(model.VisibilityMode.AUTO)  # a value between two gaps would be no line at all
        .span_nulls(False)
        .legend(shown)
        .tooltip(common.VizTooltipOptions().mode(model.TooltipDisplayMode.MULTI).sort(model.SortOrder.DESCENDING))
    )
    for name, color in (colors or {}).items():
        made = made.override_by_name(name, fixed(color))
    return made


def called[Drawn: (timeseries.Panel, heatmap.Panel)](panel: Drawn, names: Mapping[str, str]) -> Drawn:
    """With names for people in its legend: what the legend would say of itself -> these words."""
    for name, shown in names.items():
        panel.override_by_name(name, [DynamicConfigValue("displayName", shown)])
    return panel


def by_platform[Drawn: (timeseries.Panel, heatmap.Panel)](panel: Drawn, say: Say) -> Drawn:
    """Whose legend is {{platform}}: with the names of platforms that people use."""
    return called(panel, {name: say(told["zh"], told["en"]) for name, told in PLATFORMS.items()})


def largest_first(panel: timeseries.Panel) -> timeseries.Panel:
    """For many lines: those that reach highest are on top of the legend, where they are seen without scrolling."""
    shown = common.VizLegendOptions().display_mode(model.LegendDisplayMode.TABLE).show_legend(True)
    shown = shown.placement(model.LegendPlacement.BOTTOM).calcs(["lastNotNull", "max"])
    return panel.legend(shown.sort_by("Max").sort_desc(True))


def bars(
    title: str, description: str, queries: Sequence[Query], *, source: DataSourceRef = POSTGRES,
    colors: Mapping[str, str] | None = None,
) -> timeseries.Panel:  # fmt: skip
    """How many in each step, one kind above the other: for what is counted and adds up. A step with none has no bar."""
    made = lines(title, description, queries, decimals=0, source=source, colors=colors, stacked=True)
    return made.draw_style(model.GraphDrawStyle.BARS).fill_opacity(70)


def rows(title: str, description: str, query: Query, columns: Sequence[Column], *,
         source: DataSourceRef = POSTGRES) -> table.Panel:  # fmt: skip
    """A table. Columns that are not named here are shown as they are called: name all."""
    made = table.Panel().title(title).description(description).datasource(source).with_target(query)
    # A column without a unit is text: of an id of 19 digits another unit makes a number, and its last digits are lost.
    made = made.unit("string").no_value(NOTHING).filterable(True).show_header(True)
    made = made.cell_height(model.TableCellHeight.SM)
    for column in columns:
        made = made.override_by_name(column.name, column.properties)
    return made


def when_empty(panel: table.Panel, told: str) -> table.Panel:
    """Says so where there is no row at all. A cell without a value would say the same, but for the word of its own."""
    every = MatcherConfig("byRegexp", "/.*/")
    return panel.no_value(told).with_override(every, [DynamicConfigValue("noValue", NOTHING)])


def ranking(title: str, description: str, query: Query, *, unit: str = "short", decimals: int = 0,
            source: DataSourceRef = POSTGRES) -> bargauge.Panel:  # fmt: skip
    """Who leads: one bar for each row; the query gives a name and a number, the largest first."""
    made = bargauge.Panel().title(title).description(description).datasource(source).with_target(query)
    made = made.unit(unit).decimals(decimals).min(0).no_value(NOTHING)
    made = made.thresholds(thresholds([(None, BLUE)])).color_scheme(by_steps())
    return (
        made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(True).limit(20))
        .orientation(model.VizOrientation.HORIZONTAL)
        .display_mode(model.BarGaugeDisplayMode.BASIC)
        .value_mode(model.BarGaugeValueMode.TEXT)
        .name_placement(model.BarGaugeNamePlacement.LEFT)
        .show_unfilled(False)
        .sizing(model.BarGaugeSizing.AUTO)
        .min_viz_height(16)
        .max_viz_height(56)  # one bar alone would fill the panel, its letters, too
        .min_viz_width(8)
    )


def states(
    title: str, description: str, query: Query, words: Mapping[str, tuple[str, str]], *,
    source: DataSourceRef = POSTGRES,
) -> statetimeline.Panel:  # fmt: skip
    """What held from when to when, a line for each series. `words`: value -> (words, colour)."""
    made = statetimeline.Panel().title(title).description(description).datasource(source).with_target(query)
    shown = {value: ValueMappingResult(text=word, color=color) for value, (word, color) in words.items()}
    made = made.mappings([ValueMap(shown)]).no_value(NOTHING)
    return made.show_value(model.VisibilityMode.NEVER).merge_values(True).row_height(0.9).fill_opacity(80).line_width(0)


def heat(title: str, description: str, query: Query, *, unit: str = "short",
         source: DataSourceRef = POSTGRES) -> heatmap.Panel:  # fmt: skip
    """A colour for each series and step: the darker, the more."""
    made = heatmap.Panel().title(title).description(description).datasource(source).with_target(query)
    return made.calculate(False).unit(unit).no_value(NOTHING).cell_gap(1)


def words(title: str, content: str) -> text.Panel:
    """Markdown: what a board is for and how its numbers are meant."""
    return text.Panel().title(title).description(title).mode(text_model.TextMode.MARKDOWN).content(content)
