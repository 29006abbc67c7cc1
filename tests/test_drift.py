"""Fails when code, docs and the names that others rely on part."""

import re
from pathlib import Path

import msgspec
import pytest

from collectors import KINDS, Feed
from collectors.mapping import Fields
from monitor import cli, config_shape
from monitor.apps import AppTable
from monitor.config import Config, Event
from monitor.config_alerts import Match, Robot, Shift
from monitor.config_retention import Retention
from monitor.rates import Rate
from monitor.rehearsal.drill import faults
from monitor.rehearsal.drill.plan import Head

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "livemon.example.toml").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def keys_of(struct: type[msgspec.Struct]) -> set[str]:
    return set(struct.__struct_encode_fields__)


def test_the_example_shows_exactly_the_keys_there_are() -> None:
    shown = set(re.findall(r"^(?:# )?([a-z_]+) = ", EXAMPLE, re.MULTILINE))
    feeds = set().union(*(keys_of(kind) for kind in KINDS)) | {"kind"}
    tables = set().union(*map(keys_of, (Event, AppTable, Rate, Retention, Robot, Shift)))
    assert shown == (keys_of(Config) - {"event", "feed", "app", "rate", "retention", "robot", "shift"}) | tables | feeds


@pytest.mark.parametrize("kind", config_shape.kinds_of(Feed))
def test_the_example_shows_every_kind(kind: str) -> None:
    assert f'kind = "{kind}"' in EXAMPLE


def test_what_is_said_to_come_later_has_not_come_yet() -> None:
    assert not config_shape.LATER_KINDS & set(config_shape.kinds_of(Feed))


def test_every_command_is_offered_and_every_offer_is_a_command() -> None:
    folder = ROOT / "monitor" / "commands"
    declaring = {path.stem for path in folder.glob("*.py") if "\ndef add(commands" in path.read_text(encoding="utf-8")}
    assert declaring == set(cli.command_names())


def test_the_readme_names_every_command_once_it_names_any() -> None:
    named = set(re.findall(r"\blivemon ([a-z]+)", README)) & set(cli.command_names())
    assert named in (set(), set(cli.command_names()))


def test_the_docs_name_no_command_that_is_not_there() -> None:
    pages = [
        ROOT / "livemon.example.toml",
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("collectors/*.md"),
    ]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|\$ )livemon ([a-z][a-z-]*)", text))
        for block in re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL):  # a line of prose may begin with our name
            named |= set(re.findall(r"^livemon ([a-z][a-z-]*)", block, re.MULTILINE))
        assert named <= set(cli.command_names()), page.name


def test_the_docs_name_no_option_of_the_config_that_is_not_there() -> None:
    known = (
        keys_of(Config)
        | keys_of(Event)
        | keys_of(AppTable)
        | keys_of(Rate)
        | keys_of(Retention)
        | keys_of(Robot)
        | keys_of(Shift)
        | keys_of(Match)
        | keys_of(Fields)
        | {"kind"}
        | set().union(*(keys_of(kind) for kind in KINDS))
    )
    drills = keys_of(Head) | keys_of(faults.See) | {"what"} | set().union(*map(keys_of, faults.KINDS.values()))
    for page in ROOT.glob("docs/**/*.md"):
        for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            named = set(re.findall(r"^(?:# )?([a-z_]+) = ", block, re.MULTILINE))
            assert named <= (drills if page.name == "drills.md" else known), page.name
