"""Boards as files: made from their source, the same bytes each time, whole, and alike in both languages."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.__main__ import DASHBOARDS, made
from grafana.boards.every import BOARDS
from tests.boards.stage import NAMES, ROOT, every, panels, variables
from tests.boards.stage import made as boards
from tests.postgres import FreshDatabase

CHINESE = re.compile("[一-鿿]")
FOLDERS = {"Leaders", "Duty", "Halls", "Analysts"}


@pytest.mark.parametrize("path", made())
def test_committed_json_is_what_the_source_makes(path: str):
    assert (DASHBOARDS / path).read_text() == made()[path], "run `make boards`"


def test_every_dashboard_has_its_source():
    assert {path.relative_to(DASHBOARDS).as_posix() for path in DASHBOARDS.rglob("*.json")} == set(made())
    assert {board.folder for board in BOARDS} <= FOLDERS


@pytest.mark.parametrize("path", made())
def test_grafanas_own_model_reads_it_and_writes_the_same(path: str):
    """Nothing in it that the SDK's classes do not know by name."""
    written = json.loads((DASHBOARDS / path).read_text())
    read = json.loads(json.dumps(Dashboard.from_json(written), cls=JSONEncoder))
    assert _without_nulls(read) == _without_nulls(written)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return value


def test_uids_are_their_own_and_short():
    uids = [board["uid"] for board in boards("zh").values()]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"livemon-[a-z-]{1,32}", uid) for uid in uids)


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_are_the_same_board(name: str):
    """They differ in words alone: the shape, the PromQL and the links are one."""
    zh, en = boards("zh")[name], boards("en")[name]
    assert zh["uid"] == en["uid"]
    assert [p["gridPos"] for p in zh["panels"]] == [p["gridPos"] for p in en["panels"]]
    for one, other in zip(zh["panels"], en["panels"], strict=True):
        assert [t.get("expr") for t in one.get("targets", [])] == [t.get("expr") for t in other.get("targets", [])]
        assert CHINESE.search(one["title"]), one["title"]
        assert not CHINESE.search(other["title"].replace("${purpose_mark}", "")), other["title"]
        assert not CHINESE.search(other["description"]), other["description"]


def test_the_datasources_are_the_provisioned_ones():
    text = (ROOT / "grafana/provisioning/datasources/livemon.yaml").read_text()
    provisioned = {(source["uid"], source["type"]) for source in yaml.safe_load(text)["datasources"]}
    used = {(p["datasource"]["uid"], p["datasource"]["type"]) for _, p in panels() if p.get("targets")}
    assert used <= provisioned
    for _, panel in panels():
        for target in panel.get("targets", []):
            assert target["datasource"] == panel["datasource"], panel["title"]


def test_boards_of_halls_ask_as_a_hall():
    for board in BOARDS:
        text = json.dumps(boards("zh")[board.name])
        assert ('"livemon-postgres-hall"' in text) == (board.folder == "Halls"), board.name
        assert ('"livemon-postgres"' in text) == (board.folder != "Halls"), board.name


def test_columns_that_are_dressed_up_are_asked_for():
    for _, name, board in every():
        for panel in board["panels"]:
            if panel["type"] == "table":
                asked = " ".join(target.get("rawSql", target.get("expr", "")) for target in panel["targets"])
                for override in panel["fieldConfig"]["overrides"]:
                    column = override["matcher"]["options"]
                    if column == "/.*/":  # whichever there are
                        continue
                    assert re.search(rf"\b{re.escape(column)}\b", asked) or "rawSql" not in panel["targets"][0], (
                        name, panel["title"], column,
                    )  # fmt: skip


def test_ids_in_tables_are_text():
    """Another unit makes a number of an id of 19 digits, and JavaScript does not keep its last ones."""
    ids = {"external_id", "item_id", "shop", "account", "name"}
    for _, name, board in every():
        for panel in board["panels"]:
            if panel["type"] == "table":
                assert panel["fieldConfig"]["defaults"]["unit"] == "string", (name, panel["title"])
                for override in panel["fieldConfig"]["overrides"]:
                    units = {each["value"] for each in override["properties"] if each["id"] == "unit"}
                    assert override["matcher"]["options"] not in ids or units <= {"string"}, (name, panel["title"])


def test_no_file_names_a_host():
    for path in DASHBOARDS.rglob("*.json"):
        assert not re.search(r"https?://", path.read_text())


@pytest.mark.real
@pytest.mark.parametrize(("purpose", "mark"), [("event", ""), ("rehearsal", "【演练】")])
async def test_the_first_panel_of_every_board_tells_a_rehearsal(database: FreshDatabase, purpose: str, mark: str):
    owner = await database.connect("owner")
    await owner.execute("UPDATE livemon.setting SET purpose = $1", purpose)
    await owner.close()
    for board in BOARDS:
        reader = await database.connect("hall" if board.folder == "Halls" else "reader")
        assert boards("zh")[board.name]["panels"][0]["title"].startswith("${purpose_mark}")
        (variable,) = variables(board.name, "purpose_mark")
        assert (variable["hide"], variable["skipUrlSync"]) == (2, True)  # nobody can switch it off by an address
        assert [tuple(row) for row in await reader.fetch(variable["query"])] == [(mark,)]
        await reader.close()


def test_the_source_of_a_board_is_small_enough_to_be_read():
    for path in (ROOT / "grafana/boards").glob("*.py"):
        assert len(Path(path).read_text().splitlines()) <= 320, path.name


def test_what_is_said_of_an_empty_table_is_not_said_in_its_empty_cells():
    told = [panel["fieldConfig"] for _, panel in panels() if panel["type"] == "table"]
    sentences = [each for each in told if each["defaults"]["noValue"] != "—"]
    assert sentences
    for each in sentences:
        (of_cells,) = [one["properties"] for one in each["overrides"] if one["matcher"]["options"] == "/.*/"]
        assert of_cells == [{"id": "noValue", "value": "—"}]
