"""The boards of Grafana for a rehearsal: the same ones with the mark before their titles and with uids of their own."""

import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from monitor.purpose import BOARD_SUFFIX, marked

DASHBOARDS = (
    Path(__file__).resolve().parents[2] / "grafana" / "dashboards" / "zh"
)  # as `python -m grafana.boards` makes them
SUFFIX = BOARD_SUFFIX["rehearsal"]
LINK = re.compile(r"/d/([^/?]+)")  # /d/<uid>/<words>?<variables>, of which only the uid must be there
OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")

type Json = dict[str, Any]


def write_boards(
    into: Path, source: Path = DASHBOARDS, datasource_suffix: str = "", timezone: str | None = None
) -> list[Path]:
    """Write every board of `source`, in its folders, into `into`, to be provisioned beside the real ones; the files.

    `datasource_suffix` is put behind the uids of the data sources: a Grafana that also shows the event asks the
    rehearsal's Prometheus and PostgreSQL under names of their own. `timezone`: the rehearsal's, where it is another
    than the boards'. FileNotFoundError where there are no boards.
    """
    boards = {
        path.relative_to(source): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(source.rglob("*.json"))
    }
    if not boards:
        raise FileNotFoundError(f"there are no boards in {source}")
    uids = {board["uid"] for board in boards.values()}
    written = []
    for name, board in boards.items():
        path = into / name.with_stem(f"{name.stem}{SUFFIX}")
        path.parent.mkdir(parents=True, exist_ok=True)
        moved = of_rehearsal(board, uids, datasource_suffix)
        if timezone is not None:
            moved["timezone"] = timezone
        text = json.dumps(moved, ensure_ascii=False, indent=2)
        path.write_text(text + "\n", encoding="utf-8")
        written.append(path)
    return written


def zone_of_boards(zone: str) -> str:
    """What Grafana calls a zone of ours: it knows IANA names alone, and a rehearsal that moves midnight has an offset.

    Whole hours have a name, with the sign the other way round; other offsets have none, and are shown in UTC.
    """
    offset = OFFSET.fullmatch(zone)
    if offset is None:
        return zone
    sign, hours, minutes = offset.groups()
    name = f"Etc/GMT{'-' if sign == '+' else '+'}{int(hours)}"
    return name if minutes == "00" and name in available_timezones() else "utc"


def of_rehearsal(board: Json, uids: set[str], datasource_suffix: str = "") -> Json:
    """One board, made a rehearsal's; links to the boards of these uids lead to the rehearsal's."""
    made: Json = _moved(board, uids, datasource_suffix)
    return made | {"uid": board["uid"] + SUFFIX, "title": marked(board["title"], "rehearsal")}


def _moved(value: Any, uids: set[str], datasource_suffix: str) -> Any:
    if isinstance(value, list):
        return [_moved(each, uids, datasource_suffix) for each in value]
    if isinstance(value, str) and (link := LINK.match(value)) and link[1] in uids:
        return f"{link[0]}{SUFFIX}{value[link.end() :]}"
    if not isinstance(value, dict):
        return value
    moved = {name: _moved(each, uids, datasource_suffix) for name, each in value.items()}
    source = moved.get("datasource")
    if isinstance(source, dict) and "uid" in source:
        moved["datasource"] = source | {"uid": source["uid"] + datasource_suffix}
    return moved
