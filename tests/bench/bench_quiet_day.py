"""A rehearsed day before the shipped Prometheus and Alertmanager: what three chat groups were told of it.

Left as it is: 12,000 rooms at `--speed 24`, the ready plan `quiet-day`, 63 minutes. `QUIET_PLAN=thirty-drops` is the
same day with 30 true drops; QUIET_ROOMS, QUIET_SPEED and QUIET_FOR_S make it smaller. QUIET_FOLDER, an empty folder,
keeps what was said (messages.json), the database and Prometheus' own. The last line is the report, as JSON.
"""

import asyncio
import json
import os
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path

from monitor.rehearsal.drill import plan_file
from tests.acceptance.alerts.heard import BACK, DAY_S, INFO, MESSAGES_MAX, NOT_STARTED, STOP_TAGS, Asked, Heard
from tests.acceptance.alerts.quiet_day import played


def asked() -> Asked:
    plan = os.environ.get("QUIET_PLAN", "quiet-day")
    head = plan_file.load(plan).head
    rooms, speed, for_s = (
        os.environ.get(f"QUIET_{name}", usual)
        for name, usual in (("ROOMS", head.rooms or 12_000), ("SPEED", head.speed or 24.0), ("FOR_S", head.for_s or 0))
    )
    return Asked(int(rooms), float(speed), float(for_s), plan)


def report(heard: Heard) -> dict[str, object]:
    """Days are the play's."""
    days = heard.asked.for_s * heard.asked.speed / DAY_S
    counts, told, hit = Counter(one.name for one in heard.alerts), heard.told("duty"), heard.hit()
    return {
        "plan": heard.asked.plan, "rooms": heard.asked.rooms, "speed": heard.asked.speed, "seconds": heard.asked.for_s,
        "days": round(days, 2), "signed_off": heard.signed_off, "signed_off_in_truth": heard.signed_off_in_truth(),
        "sessions": dict(heard.ends),
        "pages": Counter(f"{one.severity} {one.name}" for one in heard.pages),
        "likely_over": sum(one.likely_over for one in heard.alerts),
        "messages": {name: {"all": len(texts)} | heard.tags(name) for name, texts in heard.messages.items()},
        "messages_max": MESSAGES_MAX,
        "alerts_a_day": {
            name: {"all": round(counts[name] / days, 1), "false": round(heard.false_alarms(name) / days, 1)}
            for name in (*INFO, NOT_STARTED)
        },
        "drops": {
            "in_truth": len(hit), "in_drop_log": sum(heard.drops.values()),
            "told": sum(times for (tag, anchor), times in told.items() if tag in STOP_TAGS and anchor in hit),
            "told_back": sum(times for (tag, anchor), times in told.items() if tag == BACK and anchor in hit),
        },
        "wrong": heard.wrong(),
        "usage": heard.usage(),
    }  # fmt: skip


def main() -> None:
    began_s, day = time.monotonic(), asked()
    print(f"{day.rooms:,} rooms at --speed {day.speed:g} for {day.for_s:,.0f} s: {day.plan}", flush=True)
    kept = os.environ.get("QUIET_FOLDER")
    with tempfile.TemporaryDirectory(prefix="livemon-bench-") as name:
        os.chmod(name, 0o711)  # noqa: S103 - root's PostgreSQL runs as another user
        folder = Path(kept or name).absolute()
        heard = asyncio.run(played(folder, day))
        said = json.dumps(heard.messages, ensure_ascii=False, indent=1)
        (folder / "messages.json").write_text(said, encoding="utf-8")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = time.monotonic() - began_s
    whole = {"took_s": round(took_s), "cores": round((used.ru_utime + used.ru_stime) / took_s, 2)}
    print(json.dumps(report(heard) | whole, ensure_ascii=False))


if __name__ == "__main__":
    main()
