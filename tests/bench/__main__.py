"""`make bench`: every benchmark in a process of its own, printed as one table of ratios and written to bench.json."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

BENCHES = ("bench_rooms_page", "bench_ingest", "bench_rehearsal")


def run(name: str) -> dict[str, Any]:
    """Its last line is its report, as JSON; what it says on the way goes to the terminal."""
    console.print(f"[bold]{name}[/bold] ...")
    done = subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


def show(reports: dict[str, dict[str, Any]]) -> None:
    page, ingest = reports["bench_rooms_page"], reports["bench_ingest"]
    table = Table("what", "ours", "beside it", "ratio", "goal", title="one run, the same work side by side")
    table.add_row(
        "/metrics/rooms, 12,000 rooms",
        f"{page['ours_ms']:.1f} ms",
        f"generate_latest {page['generate_latest_ms']:.0f} ms",
        f"{page['ratio']:.0f} times faster",
        "30 times, under 40 ms",
    )
    rows = {row["name"]: row for row in ingest["rows"]}
    ours = rows.pop("end_to_end")
    goals = {"asyncpg_ready_tuples": "0.75"}
    for name, row in rows.items():
        if name != "end_to_end_nginx_rtmp":
            table.add_row(
                "frame to committed row", f"{ours['rows_per_s']:,}/s", f"{name} {row['rows_per_s']:,}/s",
                f"{ours['rows_per_s'] / row['rows_per_s']:.2f}", goals.get(name, ""),
            )  # fmt: skip
    nginx = rows["end_to_end_nginx_rtmp"]
    table.add_row("the same from nginx_rtmp's XML", f"{nginx['rows_per_s']:,}/s", "", "", "30,000/s")
    for name, row in (("JSON", ours), ("nginx_rtmp", nginx)):
        table.add_row(
            f"CPU s per million rows, {name}", f"{row['cpu_s_per_million']}", f"RSS {row['rss_mb']} MB", "", ""
        )
    rehearsal = reports["bench_rehearsal"]
    for name, part in rehearsal["parts"].items():
        table.add_row(
            f"rehearsal of {rehearsal['rooms']:,} rooms: {name}", f"{part['core_percent']:.0f} % of a core",
            f"{part['mb']:,} MB", "", "2 cores, 4 GB" if name == "all of it" else "",
        )  # fmt: skip
    verified = "truth and PostgreSQL agree" if rehearsal["verified"] else "THEY DIFFER"
    table.add_row("the same, compared", verified, "", "", "no difference")
    console.print(table)


console = Console() if sys.stdout.isatty() else Console(width=132)

if __name__ == "__main__":
    reports = {name: run(name) for name in BENCHES}
    Path("bench.json").write_text(json.dumps(reports, indent=1) + "\n")
    show(reports)
