"""Tests for promtool of dozens of rooms that drop together: too long to be kept written out beside the others.

`python -m tests.alerts.rules.storms > prometheus/rules/tests/storms_test.yml` shows them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

Json = dict[str, Any]
LIVE, HEALED, DOWN = "1x60", "1x5 2x11 1x60", "1x5 2x60"  # down from 30 s; healed at 90 s


def rooms(platform: str, count: int, values: str, *, hall: str = "", start: int = 0, more: str = "") -> Iterator[Json]:
    """State and info of so many rooms of tier 2; `more`: another series of each with these values, `name values`."""
    for number in range(start, start + count):
        of = f'platform="{platform}", room="{hall}{number}"'
        yield {"series": f'livemon_room_state{{job="livemon-rooms", instance="a", {of}}}', "values": values}
        told = f'{of}, anchor="主播", hall="{hall}", city="大连", category="", tier="2"'
        yield {"series": f'livemon_room_info{{job="livemon-rooms", instance="a", {told}}}', "values": "1x1000"}
        if more:
            name, _, numbers = more.partition(" ")
            yield {"series": f'{name}{{job="livemon-rooms", instance="a", {of}}}', "values": numbers}


def feed(platform: str, hall: str, values: str = "1x1000") -> Json:
    of = f'feed="{platform}-{hall}", platform="{platform}", hall="{hall}"'
    return {"series": f'livemon_feed_up{{job="livemon", instance="a", {of}}}', "values": values}


def firing(name: str, at: str, *found: tuple[str, int]) -> Json:
    """So many of this name fire then; `found` is labels beside name and state, and how many have them."""
    by = "severity, platform, hall"
    return {
        "expr": f'count by ({by}) (ALERTS{{alertname="{name}", alertstate="firing"}})',
        "eval_time": at,
        "exp_samples": [{"labels": f"{{{labels}}}", "value": count} for labels, count in found],
    }


def told(name: str, at: str, labels: Json, *texts: str) -> Json:
    """What the one alert of this name says then: summary and description in Chinese, in English."""
    said = dict(zip(("summary", "description", "summary_en", "description_en"), texts, strict=True))
    found = {"exp_labels": labels, "exp_annotations": said | {"runbook": f"docs/runbooks/{name}.md"}}
    return {"eval_time": at, "alertname": name, "exp_alerts": [found]}


def case(name: str, series: Iterable[Json], *asked: Json) -> Json:
    """`asked`: what fires, and what is told."""
    return {
        "name": name,
        "interval": "5s",
        "input_series": list(series),
        "promql_expr_test": [one for one in asked if "expr" in one],
        "alert_rule_test": [one for one in asked if "alertname" in one],
    }


PLATFORM, HALL, MANY, DROPPED = (
    "LivemonPlatformOutage",
    "LivemonHallOutage",
    "LivemonRoomsDroppedMany",
    "LivemonRoomDropped",
)
OUT = ('severity="critical", platform="p"', 1)
HALL_A = ('severity="critical", platform="own", hall="A"', 1)


def platform_cases() -> Iterator[Json]:
    yield case(
        "21 of 40 rooms of a hosted platform drop: at once one outage, before any room of it; it holds for a minute",
        [
            *rooms("p", 21, HEALED, hall="1", more="livemon_room_expected 1x100"),
            *rooms("p", 19, LIVE, hall="2"),
            *rooms("q", 30, LIVE),
        ],
        firing(PLATFORM, "25s"),
        firing(PLATFORM, "30s", OUT),
        firing(DROPPED, "30s"),
        firing(DROPPED, "35s", ('severity="warning", platform="p", hall="1"', 21)),
        firing(PLATFORM, "145s", OUT),
        told(
            PLATFORM,
            "30s",
            {"severity": "critical", "platform": "p"},
            "平台大面积断流",
            "平台 p 刚才在播的直播间有 52.5% 断流：多半是平台故障。其直播间的告警已合并到这一条。",
            "An outage of a platform",
            "52.5% of the rooms of p that were live are down, most likely by a fault of the platform."
            " Alerts of its rooms are held back meanwhile.",
        ),
        firing(PLATFORM, "150s"),
    )
    yield case(
        "all rooms are down, none is live any more",
        rooms("p", 20, DOWN),
        firing(PLATFORM, "30s", OUT),
    )
    down = [f'platform_hall:livemon_rooms_{which}:count{{platform="p"}}' for which in ("stopped", "down")]
    yield case(
        "livemon goes between two rules: what was down when it was last asked is no outage of what it cannot say now",
        [{"series": series, "values": "50x60"} for series in down],
        firing(PLATFORM, "60s"),
        firing(MANY, "60s"),
    )
    yield case(
        "a small platform is no outage, nor is three in ten",
        [*rooms("small", 19, DOWN), *rooms("large", 21, DOWN), *rooms("large", 49, LIVE, start=21)],
        firing(PLATFORM, "60s"),
    )
    yield case(
        "a platform that nobody can see is no outage",
        [*rooms("p", 40, "1x5 3x60"), *rooms("q", 40, "1x5 0x60"), *rooms("r", 40, "5x60")],
        firing(PLATFORM, "60s"),
        firing(MANY, "60s"),
        firing(HALL, "60s"),
    )
    yield case(
        "a wave of planned sign-offs is no outage, whatever the source can tell",
        [
            *rooms("p", 40, DOWN, hall="1", more="livemon_room_end_near 1x60"),
            feed("own", "A"),
            *rooms("own", 12, DOWN, hall="A", more="livemon_room_end_near 1x60"),
        ],
        firing(PLATFORM, "60s"),
        firing(HALL, "60s"),
        firing(MANY, "60s"),
        firing(DROPPED, "60s"),
    )
    yield case(
        "rooms that are lost while expected keep the outage, though nobody else is down",
        [
            *rooms("p", 20, "1x5 2x24 4x900", more="livemon_room_expected 1x1000"),
            *rooms("p", 20, LIVE.replace("60", "1000"), start=20),
        ],
        firing(PLATFORM, "60s", OUT),
        firing(PLATFORM, "70m", OUT),
    )
    seen = {"labels": f'{{alertname="{PLATFORM}", alertstate="firing", {OUT[0]}}}', "value": 60}
    yield case(
        "a platform that flaps is one outage",
        rooms("p", 20, "1x5 " + "2x3 1x3 " * 12),
        {
            "expr": f'count_over_time(ALERTS{{alertname="{PLATFORM}", alertstate="firing"}}[5m])',
            "eval_time": "325s",
            "exp_samples": [seen],
        },
    )
    yield case(
        "rooms that were lost without a plan are no outage an hour later, when few are live",
        [*rooms("p", 20, "1x5 2x24 4x900"), *rooms("p", 10, "1x1000", start=20)],
        firing(PLATFORM, "30m", OUT),
        firing(PLATFORM, "65m"),
    )
    yield case(
        "livemon restarts: its series are gone for half a minute, then blind, then as they were; one outage",
        rooms("p", 40, "1x5 2x10 stale _x6 3x1 2x60"),
        firing(PLATFORM, "60s", OUT),
        firing(PLATFORM, "100s", OUT),
        firing(PLATFORM, "180s", OUT),
    )


def hall_cases() -> Iterator[Json]:
    own = [feed("own", "A"), feed("own", "B")]
    yield case(
        "a hall's server dies: one hall, not the other, and never the platform, though half of it is down",
        [*own, *rooms("own", 24, HEALED, hall="A"), *rooms("own", 10, LIVE, hall="B"),
         *rooms("own", 1, DOWN, hall="B", start=50, more="livemon_room_expected 1x100")],
        firing(HALL, "25s"),
        firing(HALL, "30s", HALL_A),
        firing(PLATFORM, "60s"),
        firing(DROPPED, "60s", ('severity="warning", platform="own", hall="B"', 1)),
        firing(HALL, "145s", HALL_A),
        told(
            HALL, "30s", {"severity": "critical", "platform": "own", "hall": "A"},
            "场馆大面积断流",
            "A 号馆（own）刚才在播的直播间有 100% 断流：多半是该馆的服务器或上行线路。该馆直播间的告警已合并到这一条。",
            "An outage of a hall",
            "100% of the rooms of hall A (own) that were live are down, most likely by its server or its uplink."
            " Alerts of its rooms are held back meanwhile.",
        ),
        firing(HALL, "150s"),
    )  # fmt: skip
    yield case(
        "five are a hall, four are not, nor is one half",
        [
            *own, *rooms("own", 5, DOWN, hall="A"), *rooms("own", 4, DOWN, hall="B"),
            feed("own", "C"), *rooms("own", 8, DOWN, hall="C"), *rooms("own", 8, LIVE, hall="C", start=8),
        ],
        firing(HALL, "60s", HALL_A),
    )  # fmt: skip
    yield case(
        "rooms of a hosted platform that sit in a hall, and rooms without one, are no outage of a hall",
        [*own, *rooms("hosted", 12, DOWN, hall="A"), *rooms("own", 12, DOWN)],
        firing(HALL, "60s"),
    )
    yield case(
        "while /metrics is not there, own servers are not taken for a hosted platform",
        [feed("own", "A", "1x7 stale"), *rooms("own", 30, "1x20 2x60", hall="A")],
        firing(PLATFORM, "150s"),
        firing(HALL, "150s", HALL_A),
    )


def count_cases() -> Iterator[Json]:
    warning, critical = (
        ('severity="warning", platform="p", hall="1"', 1),
        ('severity="critical", platform="p", hall="1"', 1),
    )
    yield case(
        "ten of sixty are many, at once, for a minute longer",
        [*rooms("p", 10, HEALED, hall="1"), *rooms("p", 50, LIVE, hall="1", start=10)],
        firing(MANY, "25s"),
        firing(MANY, "30s", warning),
        firing(MANY, "145s", warning),
        told(
            MANY,
            "30s",
            {"severity": "warning", "platform": "p", "hall": "1"},
            "多个直播间同时断流",
            "平台 p 1 号馆 有 10 个直播间同时断流，超过在播的十分之一。",
            "Many rooms dropped together",
            "10 rooms of p, hall 1, are dropped at once: more than one in ten of those that were live.",
        ),
        firing(MANY, "150s"),
    )
    yield case(
        "nine are not, nor is one in ten; in another hall they are counted apart",
        [*rooms("p", 9, DOWN, hall="1"), *rooms("p", 9, DOWN, hall="2"),
         *rooms("q", 10, DOWN), *rooms("q", 90, LIVE, start=10)],
        firing(MANY, "60s"),
    )  # fmt: skip
    yield case(
        "thirty of a hundred are critical",
        [*rooms("p", 30, DOWN, hall="1"), *rooms("p", 70, LIVE, hall="1", start=30)],
        firing(MANY, "60s", critical, warning),
        firing(PLATFORM, "60s"),
    )
    yield case(
        "29 of a hundred are not, nor is one in five",
        [*rooms("p", 29, DOWN, hall="1"), *rooms("p", 71, LIVE, hall="1", start=29),
         *rooms("q", 30, DOWN), *rooms("q", 120, LIVE, start=30)],
        firing(MANY, "60s", warning, ('severity="warning", platform="q"', 1)),
    )  # fmt: skip
    yield case(
        "what is lost is not dropped any more",
        rooms("p", 10, "1x5 2x5 4x60"),
        firing(MANY, "50s", ('severity="warning", platform="p"', 1)),
        firing(MANY, "130s"),
    )


def written() -> str:
    cases = [*platform_cases(), *hall_cases(), *count_cases()]
    body = {"rule_files": ["../rooms.yml"], "evaluation_interval": "5s", "tests": cases}
    return yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=1000)


if __name__ == "__main__":
    print(written())
