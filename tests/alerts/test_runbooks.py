"""Messages and the page of an alert lead to its runbook, which is a page of livemon's own, and to no other file."""

import re
import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from monitor.alerts import boards
from monitor.alerts.alert import Alert, Episode
from monitor.alerts.boards import Boards
from monitor.alerts.bundle import first
from monitor.alerts.notice import Link, Notice
from monitor.alerts.page_html import Card, render
from monitor.alerts.runbooks import FOLDER, SHARED, Runbooks
from monitor.alerts.waiting import Waiting

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
BOOKS = Runbooks()
TO = Boards(
    "https://g.cn", "https://live.cn/", lambda number: f"t{number}", {}, ZoneInfo("Asia/Shanghai"), BOOKS.page_of
)


def episode(name: str, number: int = 1, labels: dict[str, str] | None = None, **notes: str) -> Episode:
    return Episode(number, Alert(f"f{number}", name, "critical", labels or {}, notes, AT))


def room(name: str, number: int = 1, **notes: str) -> Episode:
    return episode(name, number, {"platform": "wechat", "room": str(number)}, **notes)


def told(*episodes: Episode, to: Boards = TO) -> list[tuple[str, str]]:
    return [(link.text, link.url) for link in links_of(*episodes, to=to)]


def links_of(*episodes: Episode, to: Boards = TO) -> tuple[Link, ...]:
    return boards.links(episodes, "", None, to, "zh")


# --- where links lead ------------------------------------------------------------------------------------------------


def test_every_alert_of_the_rules_leads_to_the_page_that_its_rule_names():
    paths = (ROOT / "prometheus" / "rules").glob("*.yml")
    groups = [group for path in paths for group in yaml.safe_load(path.read_text())["groups"]]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert len(alerts) > 28
    for rule in alerts:
        runbook = rule["annotations"]["runbook"]
        for notes in ({"runbook": runbook}, {}):  # what an older rule says, or nothing
            page = BOOKS.page_of(episode(rule["alert"], **notes).alert)
            assert (FOLDER / f"{page}.md").samefile(ROOT / runbook)


def test_a_message_leads_to_the_board_the_runbook_and_the_page_in_that_order():
    (_, board), (text, runbook), (_, act) = told(episode("LivemonFeedStale"))
    assert board.startswith("https://g.cn/d/")
    assert (text, runbook) == ("处置手册", "https://live.cn/runbooks/LivemonFeedBlind")
    assert act == "https://live.cn/a/t1"


def test_a_message_about_one_room_stays_a_sentence_and_its_page_has_the_runbook():
    assert [text for text, _ in told(room("LivemonRoomDropped"))] == ["看板", "我来处理"]
    many = told(room("LivemonRoomDropped"), room("LivemonRoomDropped", 2))
    assert many[1] == ("处置手册", "https://live.cn/runbooks/LivemonRoomDropped")
    page = render(Card(room("LivemonRoomDropped"), AT, TO.zone, runbook="../runbooks/LivemonRoomDropped"), "zh")
    assert '<a href="../runbooks/LivemonRoomDropped">处置手册</a>' in page


def test_what_nobody_wrote_or_nobody_can_open_is_no_link():
    assert [text for text, _ in told(episode("TheirAlert"))] == ["看板", "我来处理"]
    assert [text for text, _ in told(episode("TheirAlert", runbook="docs/runbooks/../../secrets.md"))] == [
        "看板",
        "我来处理",
    ]
    assert [text for text, _ in told(episode("LivemonFeedBlind"), to=TO._replace(public_url=None))] == ["看板"]
    assert [text for text, _ in told(room("TheirAlert", runbook_url="javascript:alert(1)"))] == ["看板", "我来处理"]


def test_a_rule_of_somebodys_own_may_say_where_its_runbook_is():
    theirs = {"runbook_url": "https://wiki.cn/值班"}
    assert ("处置手册", "https://wiki.cn/值班") in told(episode("TheirAlert", **theirs))
    assert ("处置手册", "https://wiki.cn/值班") in told(room("LivemonRoomDropped", **theirs))
    assert BOOKS.page_of(episode("TheirAlert", runbook="docs/runbooks/LivemonSpool.md").alert) == "LivemonSpool"


def test_a_digest_of_several_messages_keeps_the_page_of_each_and_not_its_runbook():
    one, two = (
        Notice("firing", "critical", f"#{number}", links=links_of(episode("LivemonFeedBlind", number)), episode=number)
        for number in (1, 2)
    )
    waiting = [Waiting(each.episode or 0, "r", each, 0, AT, "critical") for each in (one, two)]
    bundle = first(waiting, lambda critical: 1, lambda notice: True, "zh")
    assert bundle is not None
    assert [link.url for link in bundle.notice.links] == ["https://live.cn/a/t1", "https://live.cn/a/t2"]


# --- the pages -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.md").write_text("# secret: 秘密")
    pages = tmp_path / "runbooks"
    pages.mkdir()
    (pages / "LivemonSpool.md").write_text(
        "# LivemonSpool: 待写<队列>\n\n**含义.** 写不进去 `a < b`\n\n1. 一\n2. 二\n\n"
        "<script>alert(1)</script> <img src=x onerror=alert(1)> ![图](https://evil.cn/x.png)\n"
        "[坏](javascript:alert(1))\n"
    )
    return pages


@pytest.fixture
async def house(folder: Path) -> AsyncIterator[TestServer]:
    app = web.Application()
    app.add_routes(Runbooks(folder).routes())
    async with TestServer(app) as server:
        yield server


async def asked(house: TestServer, path: str) -> tuple[int, str]:
    """As it stands: nothing on the way tidies the path."""
    async with (
        ClientSession() as http,
        http.get(URL(f"{house.make_url('')}".rstrip("/") + path, encoded=True)) as answer,
    ):
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        return answer.status, await answer.text()


async def test_a_runbook_is_read_as_it_was_written(house: TestServer):
    status, text = await asked(house, "/runbooks/LivemonSpool")
    assert status == 200
    for said in ("<title>LivemonSpool: 待写&lt;队列&gt;</title>", "<h1>LivemonSpool: 待写&lt;队列&gt;</h1>",
                 "<li>一</li>",
                 "<strong>含义.</strong> 写不进去 <code>a &lt; b</code>"):  # fmt: skip
        assert said in text
    assert not re.findall(r"<(?:script|img|iframe)|javascript:[^)]*\"", text)


@pytest.mark.parametrize("alert", ["LivemonSpoolFull", "LivemonSpoolGrowing"])
async def test_alerts_that_share_a_page_lead_to_it(house: TestServer, alert: str):
    assert (await asked(house, f"/runbooks/{alert}")) == await asked(house, "/runbooks/LivemonSpool")
    assert SHARED[alert] == "LivemonSpool"


@pytest.mark.parametrize(
    "path",
    ["Nothing", "livemonspool", "LivemonSpool.md", "%E5%91%8A%E8%AD%A6", "..%2fsecret", "..%2f..%2fpyproject.toml",
     "%2e%2e%2fsecret.md", "..%5csecret", "%2fetc%2fpasswd", "LivemonSpool%00", "secret", "%3Cscript%3E"],
)  # fmt: skip
async def test_what_is_no_runbook_is_answered_with_the_list_of_them(house: TestServer, path: str):
    status, text = await asked(house, f"/runbooks/{path}")
    assert status == 404
    assert '<a href="LivemonSpool">LivemonSpool: 待写&lt;队列&gt;</a>' in text
    assert not re.search("秘密|<script|root:|\\[project\\]", text)


async def test_a_list_of_all_of_them(house: TestServer):
    status, text = await asked(house, "/runbooks")
    assert status == 200
    assert '<a href="runbooks/LivemonSpool">' in text


async def test_those_that_ship_are_whole_pages():
    app = web.Application()
    app.add_routes(BOOKS.routes())
    async with TestClient(TestServer(app)) as client:
        for path in FOLDER.glob("*.md"):
            async with client.get(f"/runbooks/{path.stem}") as answer:
                text = await answer.text()
            assert answer.status == 200
            assert len(re.findall("<h1>", text)) == 1
            assert "何时消失" in text
            assert "**" not in text, path.stem


def test_the_pages_come_with_the_package_and_with_the_image():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["force-include"]["docs/runbooks"] == FOLDER.relative_to(ROOT).as_posix()
    assert "COPY docs/runbooks ./docs/runbooks\n" in (ROOT / "Dockerfile").read_text()
    assert "!docs/runbooks\n" in (ROOT / ".dockerignore").read_text()
