"""Each platform that a feed can be of has a name that people use, in messages, on boards and in the report."""

import json
import re
from pathlib import Path

import pytest

from collectors import KINDS
from collectors.collector import FeedRow
from monitor.platform_words import OWN_SERVERS, PLATFORMS, Language, platform_name

BOARDS = Path(__file__).resolve().parents[1] / "grafana" / "dashboards"
NAMES = {str(kind.__struct_config__.tag): kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_no_kind_is_without_words(kind: type[FeedRow]) -> None:
    assert kind.PLATFORM, "a kind has a platform, whatever its feed calls it"
    told = PLATFORMS[kind.PLATFORM]
    assert set(told) == {"zh", "en"}
    for name in told.values():
        assert name.strip() == name != kind.PLATFORM
        assert "_" not in name, "as people write it, not as it is configured"
        assert "'" not in name, "boards put it into SQL"


def test_own_servers_are_said_to_be_our_own_whichever_program_they_are() -> None:
    servers = {kind.PLATFORM for kind in KINDS if kind.__module__.startswith("collectors.servers.")}
    assert servers == set(OWN_SERVERS)
    assert {PLATFORMS[name]["zh"].split()[0] for name in servers} == {"自建"}
    assert {PLATFORMS[name]["en"].split()[0] for name in servers} == {"own"}


def test_two_platforms_are_not_called_the_same_but_for_two_names_of_one() -> None:
    called: dict[str, set[str]] = {}
    for name, told in PLATFORMS.items():
        called.setdefault(told["zh"], set()).add(name)
    assert [names for names in called.values() if len(names) > 1] == [
        {"doudian", "douyin"},
        {"kwaixiaodian", "kuaishou"},
    ]


@pytest.mark.parametrize(
    ("platform", "zh", "en"),
    [
        ("tencent_live", "腾讯云直播", "Tencent Cloud Live"), ("aliyun_live", "阿里云直播", "Alibaba Cloud Live"),
        ("volcengine_live", "火山引擎直播", "Volcengine Live"), ("srs", "自建 SRS", "own SRS"),
        ("zlmediakit", "自建 ZLMediaKit", "own ZLMediaKit"), ("mediamtx", "自建 MediaMTX", "own MediaMTX"),
        ("icecast", "自建 Icecast", "own Icecast"), ("hls", "自建 HLS", "own HLS"),
        ("of our own", "of our own", "of our own"),
    ],
)  # fmt: skip
def test_messages_and_the_report_say_them(platform: str, zh: str, en: str) -> None:
    assert (platform_name(platform, "zh"), platform_name(platform, "en")) == (zh, en)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_boards_that_name_platforms_name_all_of_them(language: Language) -> None:
    """Where one is named otherwise the boards are of an older list: make boards."""
    naming = 0
    for path in sorted((BOARDS / language).rglob("*.json")):
        text = json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False)
        if re.search(r'"wechat": ?\{"text"', text) or "WHEN 'wechat' THEN" in text:
            naming += 1
            assert [name[language] for name in PLATFORMS.values() if name[language] not in text] == [], path.name
    assert naming > 3
