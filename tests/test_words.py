"""One Chinese word for one thing, wherever people read it: boards, alerts, runbooks, views."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLACES = [
    *("grafana/dashboards/**/*.json", "grafana/boards/**/*.py", "grafana/boards/**/*.sql"),
    *("prometheus/rules/*.yml", "docs/runbooks/*.md", "docs/first-hour.md", "sql/views/*.sql", "sql/queries/*.sql"),
    *("docs/drills.md", "monitor/rehearsal/drill/plans/*.toml", "monitor/rehearsal/drill/fault_words.py"),
    *("docs/operators.md", "monitor/alerts/*_words.py", "monitor/platform_words.py"),
    *("docs/sql-guide.md", "monitor/history/report/words.py", "monitor/history/report/definitions.py"),
]
FILES = sorted(path for place in PLACES for path in ROOT.glob(place))
# What people say -> the word of this house (design.md, section 2).
OTHERS = {
    "断流": ("掉线", "掉流", "断线", "断播", "掉播", "断开直播"),
    "卡流": ("卡顿流", "假死", "僵流"),
    "断流未恢复": ("丢失直播", "失踪", "丢播"),
    "看不见": ("盲区", "失明", "不可见", "致盲", "黑屏"),
    "数据源": ("信息源", "数据来源", "信号源", "采集源", "离线源", "馈送"),
    "无数据源": ("未监控", "无人监控", "未覆盖"),
    "场馆": ("会场", "展馆", "大厅", "分会场"),
    "直播间": ("频道", "房间", "直播室", "主播间"),
    "主播": ("播主", "主持人", "达人", "网红"),
    "场次": ("会话", "直播场", "一场直播"),
    "宽限期": ("缓冲期", "容忍期", "等待期"),
    "采样": ("打点", "样本"),
    "授权": ("凭证", "令牌"),
    "名册": ("花名册", "主播列表", "名单"),
    "落盘队列": ("缓冲区", "落地队列"),
    "主动丢弃": ("丢包", "抛弃"),
    "订单事件": ("交易事件", "成交事件"),
    "静默": ("屏蔽", "免打扰"),
    "接手": ("认领",),
    "未开播": ("离线", "下线", "关播"),
}


def test_the_places_are_there():
    assert {path.suffix for path in FILES} == {".json", ".py", ".sql", ".yml", ".md", ".toml"}
    assert any("断流未恢复" in path.read_text() for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_word_is_used(path: Path):
    text = path.read_text()
    for word, others in OTHERS.items():
        for other in others:
            at = text.find(other)
            assert at < 0, f"{path.name}:{text.count('\n', 0, at) + 1}: write {word}, not {other}"
