"""Reads what Alertmanager posts (its webhook, version 4): a group of alerts, within bounds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from monitor.alerts.alert import Alert, instant

BYTES_MAX = 8 * 1024 * 1024
ALERTS_MAX = 5_000
LABELS_MAX = 64
Text = Annotated[str, msgspec.Meta(max_length=4_096)]
Pairs = Annotated[dict[Annotated[str, msgspec.Meta(max_length=128)], Text], msgspec.Meta(max_length=LABELS_MAX)]


class Unacceptable(Exception):
    """Not what Alertmanager posts; the reason is one of few, and repeats nothing of what was sent."""

    def __init__(self, reason: Literal["too_large", "not_json", "version", "shape", "alerts"]) -> None:
        super().__init__(reason)
        self.reason = reason


class Group(msgspec.Struct, frozen=True):
    """What one notification tells: alerts of one group, and how many more there are that were cut off.

    `odd`: alerts that are none we could speak of (no name, no instant, a label too long); they cost only themselves.
    """

    key: str
    labels: Mapping[str, str]
    alerts: tuple[Alert, ...]
    truncated: int = 0
    odd: int = 0


class _Told(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    status: Literal["firing", "resolved"]
    labels: Pairs
    starts_at: datetime
    annotations: Pairs = {}
    ends_at: datetime | None = None
    fingerprint: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class _Posted(msgspec.Struct, frozen=True, rename="camel"):
    alerts: list[msgspec.Raw]
    group_key: Text = ""
    group_labels: Pairs = {}
    truncated_alerts: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0


class _Version(msgspec.Struct):
    version: str


def read(body: bytes) -> Group:
    """Raises Unacceptable."""
    if len(body) > BYTES_MAX:
        raise Unacceptable("too_large")
    try:
        if msgspec.json.decode(body, type=_Version).version != "4":
            raise Unacceptable("version")
        posted = msgspec.json.decode(body, type=_Posted)
    except msgspec.ValidationError:
        raise Unacceptable("shape") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unacceptable("not_json") from None
    if len(posted.alerts) > ALERTS_MAX:
        raise Unacceptable("alerts")
    alerts = [alert for raw in posted.alerts if (alert := _alert(raw)) is not None]
    odd = len(posted.alerts) - len(alerts)
    return Group(posted.group_key, posted.group_labels, tuple(alerts), posted.truncated_alerts, odd)


def _alert(raw: msgspec.Raw) -> Alert | None:
    try:
        told = msgspec.json.decode(raw, type=_Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    name, starts_at = told.labels.get("alertname", ""), instant(told.starts_at)
    if not name or starts_at is None:
        return None
    ends_at = None
    if told.status == "resolved":
        ends_at = instant(told.ends_at or told.starts_at) or starts_at
    severity = told.labels.get("severity", "") or "warning"
    return Alert(
        told.fingerprint, name, severity, told.labels, told.annotations, starts_at, ends_at
    )  # fmt: skip
