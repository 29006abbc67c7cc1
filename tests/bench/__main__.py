"""`make bench`: every benchmark in a process of its own, printed as one table of ratios and written to bench.json.

History is made at 1 % of an event week (two minutes); HISTORY=10 make bench also at 10 %, HISTORY=full at 100 %, which
needs 45 GB of disk and half an hour. QUIET=1 make bench also rehearses a whole quiet day of 12,000 rooms, which takes
65 minutes. `python -m tests.bench NAME...` runs only those of these names.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

BENCHES = (
    "bench_rooms_page", "bench_ingest", "bench_roller", "bench_hostile", "bench_rehearsal", "bench_alerts",
    "bench_boards", "bench_history", "bench_platforms", "bench_servers",
)  # fmt: skip
LONG = {"bench_quiet_day": "QUIET"}  # only by name, or with this in the environment

type Row = tuple[str, str, str, str, str]


def run(name: str) -> dict[str, Any]:
    """Its last line is its report, as JSON; what it says on the way goes to the terminal."""
    console.print(f"[bold]{name}[/bold] ...")
    child = subprocess.Popen([sys.executable, "-m", f"tests.bench.{name}"], stdout=subprocess.PIPE, text=True)
    try:
        said, _ = child.communicate()
    except KeyboardInterrupt:  # it heard it too, and has a database to clear away
        child.wait()
        raise
    if child.returncode:
        raise SystemExit(f"{name} ended with {child.returncode}")
    report: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return report


def show(reports: dict[str, dict[str, Any]]) -> None:
    table = Table("what", "ours", "beside it", "ratio", "goal", title="one run, the same work side by side")
    for name, rows in (
        ("bench_rooms_page", _rooms_page),
        ("bench_ingest", _ingest),
        ("bench_roller", _roller),
        ("bench_hostile", _hostile),
        ("bench_rehearsal", _rehearsal),
        ("bench_alerts", _alerts),
        ("bench_boards", _boards),
        ("bench_history", _boards_sql),
        ("bench_platforms", _platforms),
        ("bench_servers", _servers),
        ("bench_quiet_day", _quiet_day),
    ):
        for row in rows(reports[name]) if name in reports else ():
            table.add_row(*row)
    if table.row_count:
        console.print(table)
    if "bench_history" in reports:
        show_history(reports["bench_history"])


def _rooms_page(page: dict[str, Any]) -> Iterator[Row]:
    yield (
        "/metrics/rooms, 12,000 rooms",
        f"{page['ours_ms']:.1f} ms",
        f"generate_latest {page['generate_latest_ms']:.0f} ms",
        f"{page['ratio']:.0f} times faster",
        "30 times, under 40 ms",
    )


def _ingest(ingest: dict[str, Any]) -> Iterator[Row]:
    rows = {row["name"]: row for row in ingest["rows"]}
    ours = rows.pop("end_to_end")
    goals = {"asyncpg_ready_tuples": "0.75"}
    for name, row in rows.items():
        if name != "end_to_end_nginx_rtmp":
            yield (
                "frame to committed row", f"{ours['rows_per_s']:,}/s", f"{name} {row['rows_per_s']:,}/s",
                f"{ours['rows_per_s'] / row['rows_per_s']:.2f}", goals.get(name, ""),
            )  # fmt: skip
    nginx = rows["end_to_end_nginx_rtmp"]
    yield ("the same from nginx_rtmp's XML", f"{nginx['rows_per_s']:,}/s", "", "", "30,000/s")
    for name, row in (("JSON", ours), ("nginx_rtmp", nginx)):
        yield f"CPU s per million rows, {name}", f"{row['cpu_s_per_million']}", f"RSS {row['rss_mb']} MB", "", ""


def _roller(roller: dict[str, Any]) -> Iterator[Row]:
    """A batch with the roller at work, beside one without; and how old a sale is when a sum has it."""
    goals = roller["goals"]
    for name in ("all", "ticks"):
        row = roller[name]
        yield (
            f"p99 of a batch beside the roller, {name}", f"{row['with']['p99_ms']} ms",
            f"{row['without']['p99_ms']} ms without", f"{row['ratio_p99']:.2f}", f"{goals['ratio_p99']}",
        )  # fmt: skip
    for name in ("minute_sum", "shop_hour"):
        lag = roller[f"{name}_lag_s"]
        if lag["markers"]:
            yield (
                f"{name} is behind",
                f"{lag['max']} s at most",
                f"p50 {lag['p50']} s",
                "",
                f"{goals['lag_s_max']:.0f} s",
            )


def _hostile(hostile: dict[str, Any]) -> Iterator[Row]:
    for row in hostile["rows"]:
        yield (
            f"a batch of 5,000 beside {row['readers']} hostile connections", f"p99 {row['beside']['p99_ms']} ms",
            f"alone {hostile['alone']['p99_ms']} ms", f"p50 {row['ratio_p50']}, p99 {row['ratio_p99']}",
            f"{hostile['goal']}",
        )  # fmt: skip


def _rehearsal(rehearsal: dict[str, Any]) -> Iterator[Row]:
    for name, part in rehearsal["parts"].items():
        yield (
            f"rehearsal of {rehearsal['rooms']:,} rooms: {name}", f"{part['core_percent']:.0f} % of a core",
            f"{part['mb']:,} MB", "", "2 cores, 4 GB" if name == "all of it" else "",
        )  # fmt: skip
    verified = "truth and PostgreSQL agree" if rehearsal["verified"] else "THEY DIFFER"
    yield "the same, compared", verified, "", "", "no difference"


def _alerts(alerts: dict[str, Any]) -> Iterator[Row]:
    for name in ("production", "fast"):
        first, second = alerts[name], alerts[f"{name}_second_of_a_hall"]
        yield (
            f"a stream's stop to a robot, {name} settings", f"p50 {first['p50_s']} s, max {first['max_s']} s",
            f"second of its hall: p50 {second['p50_s']} s, max {second['max_s']} s", "",
            f"under {alerts['goal_s']:.0f} s" if name == "production" else "",
        )  # fmt: skip


def _quiet_day(day: dict[str, Any]) -> Iterator[Row]:
    what = f"{day['plan']}, {day['rooms']:,} rooms at --speed {day['speed']:g}"
    drops, most = day["drops"], max(group["all"] for group in day["messages"].values())
    yield f"{what}: pages", f"{sum(day['pages'].values())}", f"{day['signed_off_in_truth']:,} sign-offs", "", ""
    told = f"{drops['told']}, {drops['told_back']}"
    yield "the same: drops told, told to be back", told, f"true {drops['in_truth']}", "", ""
    yield "the same: most messages to a group", f"{most}", "", "", f"{day['messages_max']} on a quiet day"
    for name, alerts in day["alerts_a_day"].items():
        yield f"the same: {name} a day", f"{alerts['all']}", f"false {alerts['false']}", "", ""


def _boards(boards: dict[str, Any]) -> Iterator[Row]:
    """Of Prometheus; the dearest first."""
    for row in sorted(boards["boards"], key=lambda row: -row["cpu_s"]):
        yield (
            f"board {row['board']} opened on {boards['rooms']:,} rooms: its {row['queries']} PromQL",
            f"p50 {row['p50_ms']:.0f}, p95 {row['p95_ms']:.0f} ms", f"{row['cpu_s']} CPU s",
            f"{row['cores_at_5_s']} of a core at 5 s", "",
        )  # fmt: skip
    for row in boards["rules"]:
        name = f"rule {row['rule']} every {row['every_s']:g} s, for all boards"
        yield name, "", f"{row['cpu_s']} CPU s", f"{row['cores']} of a core", ""


def _boards_sql(history: dict[str, Any]) -> Iterator[Row]:
    """All SQL of a board one after another, at the largest size that was made."""
    size = history["sizes"][-1]
    sums: dict[str, list[dict[str, float]]] = {}
    for question in size["questions"]:
        if question["kind"] == "board" and question.get("warm_ms"):
            sums.setdefault(question["name"].split()[0], []).append(question["warm_ms"])
    for board, times in sums.items():
        p50, p95 = (sum(each[rank] for each in times) for rank in ("p50", "p95"))
        what = f"board {board} opened: its {len(times)} SQL, history of {size['percent']} %"
        yield what, f"p50 {p50:.0f}, p95 {p95:.0f} ms", "", f"{p50 / 5000:.3f} of a core at 5 s", ""


def _platforms(platforms: dict[str, Any]) -> Iterator[Row]:
    """Each platform by itself; what came back after every socket was cut, and what a person was told of it."""
    goals = platforms["goals"]
    for row in platforms["steady"]:
        what = f"{row['kind']}, {row['rooms']:,} rooms"
        yield (
            f"{what}: {row['ticks_per_s']:,} ticks/s", f"{row['core_percent']:.0f} % of a core",
            f"RSS {row['rss_mb']} MB", "", f"{goals['core_percent']} %, {goals['rss_mb']} MB",
        )  # fmt: skip
        if late := row["late"]:
            asked = "asked after their beats" if "wanted_per_s" in row else "taken after they were told"
            yield f"{what}: {asked}", f"p99 {late['p99_ms']} ms", f"p50 {late['p50_ms']} ms", "", ""
    if cut := platforms["cut"]:
        what, goal = f"{cut['rooms']:,} sockets cut at once", goals["connects_in_a_second"]
        most = cut["connects_in_a_second"]
        yield f"{what}: all back", f"{cut['back_s']} s", f"{most} connects in a second", "", f"{goal}"
        blind = f"{cut['blind_spans']} of the feed, {cut['blind_alone']:,} of rooms alone"
        yield f"{what}: blind spans", blind, f"{cut['blind_s']} s", "", f"1, {cut['back_s']} s"
        yield f"{what}: alerts", ", ".join(cut["alerts"]) or "none", "", "", "1"


def _servers(servers: dict[str, Any]) -> Iterator[Row]:
    for row in servers["steady"]:
        what = f"{row['servers']} {row['kind']} servers of {row['rooms'] // row['servers']} rooms"
        yield (
            f"{what}: {row['ticks_per_s']:,} ticks/s", f"{row['core_percent']:.0f} % of a core",
            f"RSS {row['rss_mb']} MB", "", f"{row['wanted_per_s']:,} ticks/s",
        )  # fmt: skip
        if late := row["late"]:
            yield (
                f"{what}: asked after their beats", f"p99 {late['p99_ms']} ms", f"p50 {late['p50_ms']} ms",
                f"answers p99 {row['answered_p99_ms']:.0f} ms", "",
            )  # fmt: skip
        if row["failed"]:
            yield f"{what}: polls that failed", f"{row['failed']}", f"{row['polls']:,} polls", "", "0"


def show_history(history: dict[str, Any]) -> None:
    """p95 of each question at each size; a board's and a view's is red over the goal."""
    sizes, goal_ms = history["sizes"], history["goal_ms"]
    heads = [f"{size['percent']} % {way}" for size in sizes for way in ("cold", "warm")]
    title = f"history: p95 in ms, goal {goal_ms} for boards and views; growth of the warm one, smallest to largest size"
    table = Table("", "question", *heads, "growth", title=title)
    for row in history["growth"]:
        times = [row.get(f"{way}_{size['percent']}") for size in sizes for way in ("cold", "warm")]
        shown = ["" if ms is None else _judged(ms, goal_ms if row["kind"] != "ready" else None) for ms in times]
        table.add_row(row["kind"], row["name"], *shown, str(row["warm_growth"] or ""))
        if row["failed"]:
            table.add_row("", f"[red]{escape(row['failed'][:90])}[/red]", *[""] * len(heads), "")
    console.print(table)
    for size in sizes:
        rows = size["rows"]
        console.print(
            f"{size['percent']} %: {size['rooms']:,} rooms, {size['days']} days, {rows['tick_raw']:,} ticks"
            f" (on air each 5 s, off air each 15 minutes), {rows['session']:,} sessions, {rows['sale']:,} sales,"
            f" {rows['session_minute']:,} minutes, {rows['bytes'] / 1e9:.1f} GB, made in {size['made_s']} s;"
            f" rolled anew on a sample, {size['not_as_rolled']} rows differ"
        )


def _judged(ms: float, goal_ms: float | None) -> str:
    return (
        f"[red]{ms:,.0f}[/red]" if goal_ms is not None and ms > goal_ms else f"{ms:,.1f}" if ms < 10 else f"{ms:,.0f}"
    )


console = Console() if sys.stdout.isatty() else Console(width=132)

if __name__ == "__main__":
    usual = [*BENCHES, *(name for name, asked in LONG.items() if os.environ.get(asked))]
    reports = {name: run(name) for name in (*BENCHES, *LONG) if name in (sys.argv[1:] or usual)}
    Path("bench.json").write_text(json.dumps(reports, indent=1) + "\n")
    show(reports)
