"""A whole livemon: what Alertmanager posts is told in words, once, and people act on it, whatever PostgreSQL does."""

import time

import pytest

from tests.alerts.chat import Chat, served
from tests.alerts.desk_ground import configured, dropped, playing, post, robot_table, shut, stands, until

pytestmark = pytest.mark.real


@pytest.fixture
async def stat():
    async with playing() as stat:
        yield stat


@pytest.fixture
async def chat():
    chat = Chat("wecom", time.time)
    async with served(chat):
        yield chat


async def test_a_drop_is_told_in_words_though_postgresql_is_away(tmp_path, stat, chat, database):
    async with configured(tmp_path, stat, database, robot_table(tmp_path, "hall", chat)) as livemon:
        await stands(livemon, "live/1", 1)
        await shut(database, tmp_path)
        del stat.live["1"]
        await stands(livemon, "live/1", 2)
        assert await post(livemon, dropped()) == 200
        await until(lambda: chat.texts, why=livemon.last_words)
        [text] = chat.texts
        for piece in ("【停播】#1 大连·王姐海鲜", "停前在线 12,340", "3 号馆", "张三", "我来处理", f"{livemon.url}/a/"):
            assert piece in text, text
        assert await livemon.stop() == 0
