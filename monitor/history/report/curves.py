"""Curves of viewers and GMV over the report's days: of all platforms, and of each on a scale of its own."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from .content import Content, Period, Point
from .markup import Markup, joined, table, tag
from .plots import Axis, area, axis_of, ceiling, line, picture, time_axis, words
from .spoken import Speech

HEIGHT = 150.0
BASE = 128.0
TOP = 12.0
STRIP_WIDTH, STRIP_HEIGHT = 380.0, 34.0

Curve = list[tuple[datetime, Decimal]]


def curves(content: Content, speech: Speech) -> Markup:
    """The section; nothing but a sentence where there are no points."""
    period = content.period
    if not content.points:
        return tag("p", speech.word("nothing"), class_="faint")
    minutes = period.step // timedelta(minutes=1)
    both = [
        _large(content, speech, speech.word("viewers"), viewers(period, content.points)),
        _large(content, speech, speech.word("gmv_minute"), gmv(period, content.points, speech)),
    ]
    told = [speech.word("step").format(minutes)]
    if content.blind:
        told.append(speech.word("blind_bars"))
    return joined([*both, tag("p", " ".join(told), class_="faint"), _strips(content, speech)])


def viewers(period: Period, points: Sequence[Point]) -> Curve:
    """People, weighted by time, in each step that has begun; a step still open counts only for what of it is over."""
    found: dict[datetime, Decimal] = defaultdict(Decimal)
    for point in points:
        found[point.at] += point.viewer_minutes
    return _each(period, found)


def gmv(period: Period, points: Sequence[Point], speech: Speech) -> Curve:
    """In the major unit a minute."""
    found: dict[datetime, Decimal] = defaultdict(Decimal)
    for point in points:
        found[point.at] += speech.major(point.gmv_minor)
    return _each(period, found)


def _each(period: Period, sums: dict[datetime, Decimal]) -> Curve:
    """A step without a row had nobody on air."""
    curve = []
    for at in period.instants(period.step):
        begins, ends = max(at, period.from_at), min(at + period.step, period.seen_until)
        if ends > begins:
            minutes = Decimal((ends - begins) // timedelta(seconds=1)) / 60
            curve.append((at, sums.get(at, Decimal(0)) / minutes))
    return curve


def _large(content: Content, speech: Speech, name: str, curve: Curve) -> Markup:
    axis = axis_of(content.period)
    top = ceiling([value for _, value in curve])
    lines = [line(axis.left, y, axis.right, y, "grid") for y in (TOP, (TOP + BASE) / 2, BASE)]
    labels = [
        words(axis.right + 6, TOP + 4, speech.short(top), "mark"),
        words(axis.right + 6, (TOP + BASE) / 2 + 4, speech.short(top / 2), "mark"),
        words(axis.right + 6, BASE + 4, "0", "mark"),
    ]
    parts = [_darkness(content, axis), *lines, *labels, area(axis, curve, top, TOP, BASE)]
    parts.append(time_axis(speech, content.period, axis, TOP, BASE))
    return joined([tag("h3", name), picture(HEIGHT, f"{name}: {_highest(curve, speech)}", *parts)])


def _darkness(content: Content, axis: Axis) -> Markup:
    """Spans in which some feed was blind, as hatched bars behind a curve. Those that touch are one."""
    bars = []
    ended: datetime | None = None
    for span in sorted(content.blind, key=lambda span: span.from_at):
        begins = span.from_at if ended is None else max(span.from_at, ended)
        if span.to_at > begins:
            wide = max(axis.x(span.to_at) - axis.x(begins), 1.0)
            bars.append(tag("rect", x=axis.x(begins), y=TOP, width=wide, height=BASE - TOP, class_="dark"))
        ended = max(ended or span.to_at, span.to_at)
    return joined(bars)


def _strips(content: Content, speech: Speech) -> Markup:
    rows = []
    for platform in content.platforms():
        own = [point for point in content.points if point.platform == platform]
        people, money = viewers(content.period, own), gmv(content.period, own, speech)
        rows.append(
            (
                speech.platform(platform),
                _strip(content.period, f"{speech.platform(platform)}: {speech.word('viewers')}", people),
                _highest(people, speech),
                _strip(content.period, f"{speech.platform(platform)}: {speech.word('gmv_minute')}", money),
                _highest(money, speech),
            )
        )
    heads = (speech.word("platform"), speech.word("viewers"), "", speech.word("gmv_minute"), "")
    return joined([tag("h3", speech.word("by_platform")), table(heads, rows, "strips")])


def _strip(period: Period, about: str, curve: Curve) -> Markup:
    axis = Axis(period.starts_at, period.ends_at, 0.0, STRIP_WIDTH)
    top = max([value for _, value in curve], default=Decimal(0)) or Decimal(1)
    base = STRIP_HEIGHT - 2
    parts = (line(0.0, base, STRIP_WIDTH, base, "grid"), area(axis, curve, top, 2.0, base))
    return picture(STRIP_HEIGHT, about, *parts, width=STRIP_WIDTH)


def _highest(curve: Curve, speech: Speech) -> str:
    return speech.short(max((value for _, value in curve), default=Decimal(0)))
