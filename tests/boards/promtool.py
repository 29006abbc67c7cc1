"""What the numbers of a board say of series that a test made up, by promtool itself."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.boards.stage import ROOT, panels, title, with_values

NOTHING = None  # the query has no answer


def told_by(
    folder: Path, board: str, series: Mapping[str, str], wanted: Sequence[tuple[str, Any]], *, at_s: int,
    values: Mapping[str, str] | None = None, rules: Sequence[str] = (),
) -> str:  # fmt: skip
    """`series` in promtool's words, a value each second. `wanted`: title, or "title legend", of a panel's query ->
    its number, or {labels: number}, or NOTHING. What promtool complains of; empty when all is so."""
    asked = {}
    for _, panel in panels(board=board):
        for target in panel.get("targets", []):
            if "expr" in target:
                asked[f"{title(panel)} {target.get('legendFormat', '')}".strip()] = target["expr"]
                asked.setdefault(title(panel), target["expr"])
    checks = [
        {"expr": with_values(asked[name], values or {}), "eval_time": f"{at_s}s", "exp_samples": _samples(number)}
        for name, number in wanted
    ]
    story: dict[str, Any] = {"interval": "1s", "promql_expr_test": checks}
    story["input_series"] = [{"series": name, "values": steps} for name, steps in series.items()]
    file = folder / "board_test.yml"
    files = [str(ROOT / "prometheus" / "rules" / f"{name}.yml") for name in rules]
    told = {"rule_files": files, "evaluation_interval": "15s", "tests": [story]}
    file.write_text(yaml.safe_dump(told, allow_unicode=True))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _samples(number: Any) -> list[dict[str, Any]]:
    if number is NOTHING:
        return []
    told = number if isinstance(number, dict) else {"{}": number}
    return [{"labels": labels, "value": value} for labels, value in told.items()]
