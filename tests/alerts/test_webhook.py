"""Alertmanager's webhook: what it posts is read, what is none is refused by name, and one odd alert costs itself."""

import json
from datetime import UTC, datetime

import pytest

from monitor.alerts.webhook import ALERTS_MAX, BYTES_MAX, Unacceptable, read

FIRING = {
    "status": "firing",
    "labels": {"alertname": "LivemonRoomDropped", "severity": "warning", "platform": "视频号", "room": "1"},
    "annotations": {"summary": "断流"},
    "startsAt": "2026-11-19T20:14:05.739266876+08:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "5ef77f1f8a3ecfa4",
}
POSTED = {
    "receiver": "livemon", "status": "firing", "alerts": [FIRING], "groupLabels": {"alertname": "LivemonRoomDropped"},
    "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager", "version": "4",
    "groupKey": '{}:{alertname="LivemonRoomDropped"}', "truncatedAlerts": 7, "notification_reason": "firstNotification",
}  # fmt: skip
AT = datetime(2026, 11, 19, 12, 14, 5, 739000, UTC)


def body(**changes: object) -> bytes:
    return json.dumps(POSTED | changes).encode()


def test_what_is_posted_is_read():
    group = read(body())
    (alert,) = group.alerts
    assert (group.key, group.labels, group.truncated, group.odd) == (
        '{}:{alertname="LivemonRoomDropped"}', {"alertname": "LivemonRoomDropped"}, 7, 0,
    )  # fmt: skip
    assert (alert.fingerprint, alert.name, alert.severity, alert.room, alert.starts_at, alert.ends_at) == (
        "5ef77f1f8a3ecfa4", "LivemonRoomDropped", "warning", ("视频号", "1"), AT, None,
    )  # fmt: skip
    assert alert.annotations == {"summary": "断流"}


@pytest.mark.parametrize(
    ("ends_at", "known"), [("2026-11-19T12:20:00Z", datetime(2026, 11, 19, 12, 20, tzinfo=UTC)), (FIRING["endsAt"], AT)]
)
def test_a_resolved_one_has_an_end(ends_at, known):
    (alert,) = read(body(alerts=[FIRING | {"status": "resolved", "endsAt": ends_at}])).alerts
    assert (alert.ends_at, alert.firing) == (known, False)


def test_an_end_in_the_future_of_one_that_fires_is_none():
    """Prometheus says until when its word is good."""
    (alert,) = read(body(alerts=[FIRING | {"endsAt": "2026-11-19T12:20:00Z"}])).alerts
    assert alert.firing


@pytest.mark.parametrize(
    ("posted", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff", "not_json"),
        (b'{"version": "4", "alerts": [], "groupKey": "\xff"}', "not_json"),
        (b"[" * 100_000, "shape"),
        (b"[]", "shape"),
        (b"{}", "shape"),
        (body(version="3"), "version"),
        (body(version=4), "shape"),
        (body(alerts={}), "shape"),
        (body(truncatedAlerts=-1), "shape"),
        (body(groupKey="g" * 5_000), "shape"),
        (body(alerts=[{}] * (ALERTS_MAX + 1)), "alerts"),
        (b" " * (BYTES_MAX + 1), "too_large"),
    ],
)
def test_what_is_none_is_refused(posted, reason):
    with pytest.raises(Unacceptable) as refused:
        read(posted)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "change",
    [
        {"status": "maybe"},
        {"labels": {}},
        {"labels": {"alertname": "x" * 5_000}},
        {"labels": {"alertname": "x"} | {str(number): "" for number in range(64)}},
        {"labels": {"alertname": 7}},
        {"startsAt": "yesterday"},
        {"startsAt": "0001-01-01T00:00:00Z"},
        {"startsAt": "2026-11-19T12:14:05"},
        {"startsAt": None},
        {"fingerprint": ""},
        {"fingerprint": "f" * 65},
    ],
)
def test_an_odd_alert_costs_only_itself(change):
    group = read(body(alerts=[FIRING | change, FIRING]))
    assert (len(group.alerts), group.odd) == (1, 1)


def test_one_without_severity_is_a_warning():
    (alert,) = read(body(alerts=[FIRING | {"labels": {"alertname": "x"}}])).alerts
    assert (alert.severity, alert.room) == ("warning", None)
