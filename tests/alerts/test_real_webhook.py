"""What a real Alertmanager posts under the shipped configuration is read, and says a drop and its recovery."""

import json

import pytest

from monitor.alerts.kept import DROPPED
from monitor.alerts.sight import DROPPED as ROOM_DROPPED
from monitor.alerts.sight import LIVE
from monitor.alerts.webhook import Group, read
from tests.alerts.hall import Hall
from tests.alerts.rules.alertmanager import managing

pytestmark = pytest.mark.real

LABELS = {"alertname": DROPPED, "severity": "critical", "platform": "p", "room": "1", "hall": "3", "anchor": '王姐"\\'}


async def test_a_real_drop_and_its_end(tmp_path):
    hall, groups = Hall(), list[Group]()
    hall.stand(1, ROOM_DROPPED)
    async with managing(tmp_path) as manager:
        await manager.post(LABELS)
        await manager.until(1)
        groups.append(read(json.dumps(manager.told[0]).encode()))
        await manager.post(LABELS, over=True)
        await manager.until(2)
        groups.append(read(json.dumps(manager.told[-1]).encode()))
    (firing,), (over,) = (group.alerts for group in groups)
    assert (firing.labels, firing.firing, over.firing) == (LABELS, True, False)
    assert (firing.fingerprint, groups[0].odd) == (over.fingerprint, 0)
    assert groups[0].labels == {"alertname": DROPPED, "platform": "p", "hall": "3"}
    assert hall.post(firing) == [f"firing {DROPPED} 1"]
    hall.stand(1, LIVE)
    hall.post(over)
    hall.wait(600)
    assert hall.said == [f"firing {DROPPED} 1", f"recovered {DROPPED} 1"]
