"""Databases as earlier releases left them: their schema with their own views, and rows in every table they had."""

import shutil
import subprocess
import tarfile
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from monitor.store.migrate import SQL

type Sql = asyncpg.Connection[asyncpg.Record]

SINCE_1 = r"""
INSERT INTO room (room_id, platform, external_id, anchor, broadcaster, hall, city, category, tier, shop)
VALUES
    (1, 'wechat', 'w1', '晚风', 'b1', 'A', '沈阳', '服饰', 1, 's1'),
    (2, 'nginx_rtmp', 'live/2', '小雨', 'b2', 'B', '大连', '', 2, '');
INSERT INTO roster_change (by_whom, action, added, changed, retired) VALUES ('zhang', 'import', 2, 0, 0);
INSERT INTO roster_change_room (roster_change_id, room_id, after) VALUES (1, 1, '{"anchor": "晚风"}');
UPDATE roster_version SET version = 7;
INSERT INTO schedule VALUES (1, $at - interval '10 minutes', $at + interval '2 hours');
INSERT INTO feed (feed, kind, platform, signals) VALUES
    ('stat', 'nginx_rtmp', 'nginx_rtmp', '{live,viewers}'), ('push', 'push_json', 'wechat', '{live,viewers,sales}');
INSERT INTO feed_room VALUES ('stat', 2, $at - interval '1 day', NULL), ('push', 1, $at - interval '1 day', NULL);
INSERT INTO room_unlisted VALUES ('stat', 'nginx_rtmp', 'live/9', $at, $at);
SELECT ensure_tick_day(event_date($at));
INSERT INTO tick_raw (at, room_id, live, viewers, views_total, likes_total, kbps)
    SELECT $at + n * interval '10 seconds', 1, true, 100, 1000 + n, 5, NULL FROM generate_series(0, 59) AS n;
INSERT INTO session VALUES
    ('00000000-0000-0000-0000-000000000001', 1, $at, $at + interval '10 minutes', 'ended'),
    ('00000000-0000-0000-0000-000000000002', 2, $at, NULL, NULL);
INSERT INTO session_change VALUES
    ('00000000-0000-0000-0000-000000000001', 1, 1, $at, 'opened', 'status'),
    ('00000000-0000-0000-0000-000000000001', 2, 1, $at + interval '2 minutes', 'dropped', 'status'),
    ('00000000-0000-0000-0000-000000000001', 3, 1, $at + interval '3 minutes', 'resumed', 'status'),
    ('00000000-0000-0000-0000-000000000001', 4, 1, $at + interval '10 minutes', 'closed', 'ended'),
    ('00000000-0000-0000-0000-000000000002', 1, 2, $at, 'opened', 'status');
INSERT INTO blind VALUES ('stat', NULL, $at + interval '1 minute', $at + interval '2 minutes', 'timeout');
INSERT INTO sale (platform, event_id, at, received_at, feed, room, room_id, session_id, shop, order_id, kind,
    amount_minor, currency, units, buyer, via)
VALUES
    ('wechat', 's1:o1:paid', $at + interval '1 minute', $at + interval '1 minute', 'push', 'w1', 1,
        '00000000-0000-0000-0000-000000000001', 's1', 'o1', 'paid', 12300, 'CNY', 2, '\x01', 'push'),
    ('wechat', 's1:o2:paid', $at + interval '4 minutes', $at + interval '9 minutes', 'push', 'w1', NULL, NULL, 's1',
        'o2', 'paid', 700, 'CNY', 1, NULL, 'poll'),
    ('wechat', 's1:o1:refunded', $at + interval '5 minutes', $at + interval '5 minutes', 'push', 'w1', 1,
        '00000000-0000-0000-0000-000000000001', 's1', 'o1', 'refunded', 300, 'CNY', NULL, NULL, 'push');
INSERT INTO sale_item VALUES ('wechat', 's1:o1:paid', 'i1', '围巾', 2, 12300);
INSERT INTO applied_batch (batch_id, kind, spool_id, seq, sealed_at, applied_at, rows, written) VALUES
    ('00000000-0000-0000-0000-0000000000b1', 'ticks', '00000000-0000-0000-0000-0000000000aa', 1, $at, $at, 60, 60);
INSERT INTO quarantine (received_at, feed, kind, reason, payload, state, origin, place) VALUES
    ($at, 'push', 'frame', 'no amount', '\x4c4d46010203', 'retried', '00000000-0000-0000-0000-0000000000b1', 1),
    ($at, 'push', 'sale', 'conflict', '\x01', 'kept', '00000000-0000-0000-0000-0000000000b1', 2);
"""
SINCE_4 = """
INSERT INTO app (app, platform) VALUES ('doudian-main', 'doudian');
INSERT INTO account_state (app, shop, anchor, platform, name, contact, at, granted, refused, gone)
VALUES ('doudian-main', 's9', '', 'doudian', '店', 'li', $at, true, '', false);
"""
SINCE_6 = """
SELECT ensure_minute_day(event_date($at));
INSERT INTO day_cut VALUES (event_date($at), 'wechat', $at + interval '1 day', 'CNY', 2, 13000, 0, 1, 300, 0, 0);
INSERT INTO platform_total VALUES (1, $at, '00000000-0000-0000-0000-000000000001', 13000, 'CNY');
"""
SINCE_12 = """
INSERT INTO alert (alert_id, number, fingerprint, alertname, severity, labels, summary, starts_at) VALUES
    ('00000000-0000-0000-0000-0000000000c1', 4821, 'f', 'LivemonRoomLost', 'critical', '{"room": "w1"}', '断流', $at);
INSERT INTO alert_action (at, alert, action, by_whom, reason, until) VALUES
    ($at, '00000000-0000-0000-0000-0000000000c1', 'acknowledged', '张三', '换电缆', NULL),
    ($at, NULL, 'silenced', '李四', '', $at + interval '1 hour');
"""


def folder_of(version: int, target: Path) -> tuple[Path, bool]:
    """The sql folder with the migrations up to this one, and whether its views and grants are those of that release.

    They are where the history of the repository is; elsewhere, and of a version that never stood alone, there are none.
    """
    files = sorted((SQL / "migrations").glob("*.sql"))
    own = _from_git([path.name for path in files[: version + 1]], target)
    (target / "views").mkdir(parents=True, exist_ok=True)
    (target / "migrations").mkdir()
    for path in files[:version]:
        shutil.copy(path, target / "migrations")
    return target, own


def _from_git(names: list[str], target: Path) -> bool:
    """Views and grants as they last were before the newest of these migrations came, if all others were there."""
    *known, newer = names
    came = (
        _git("log", "--no-renames", "--diff-filter=A", "--format=%H", "--", f"sql/migrations/{newer}").decode().split()
    )
    if not came:
        return False
    before = f"{came[-1]}^"
    had = _git("ls-tree", "--name-only", before, "sql/migrations/").decode().split()
    if [Path(name).name for name in had] != known:
        return False
    with tarfile.open(fileobj=BytesIO(_git("archive", before, "sql/views", "sql/grants.sql"))) as files:
        for member in files:
            if member.isfile():
                path = target / Path(member.name).relative_to("sql")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(files.extractfile(member).read())  # type: ignore[union-attr]
    return True


def _git(*arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(SQL.parent), *arguments], capture_output=True, check=False).stdout
    except FileNotFoundError:
        return b""


async def fill(owner: Sql, version: int, at: datetime) -> None:
    """Rows in every table that this version had; the broadcast begins at `at`."""
    for since, text in ((1, SINCE_1), (4, SINCE_4), (6, SINCE_6), (12, SINCE_12)):
        if version >= since:
            await owner.execute(text.replace("$at", f"'{at.isoformat()}'::timestamptz"))


async def rows_of(owner: Sql) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables but the ledger, the marks and the roller's own."""
    tables = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'livemon'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition AND relname NOT IN ('migration', 'minute_touched', 'roll_state') ORDER BY 1"
    )
    return {
        name: [dict(row) for row in await owner.fetch(f"SELECT * FROM livemon.{name}")]
        for (name,) in map(tuple, tables)
    }


def noon_two_days_ago() -> datetime:
    """Of the event's zone; all that is filled in lies within the hour after it, or the day before."""
    noon = datetime.now(ZoneInfo("Asia/Shanghai")).replace(hour=12, minute=0, second=0, microsecond=0)
    return noon - timedelta(days=2)
