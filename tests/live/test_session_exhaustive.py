"""All short scripts: whatever happens to a room, in whatever order, these things hold."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from monitor.facts import Slot
from tests.live.machine import Machine, machine
from tests.live.scripts import slot
from tests.live.world import LETTERS, World

REAL = machine()
SLOTS = {"unplanned": (), "planned": (slot(-3600, 3600),)}
RULES = {
    "connections": REAL.Rules(),
    "sessions": REAL.Rules(key_is_session=True),
    "lagging": REAL.Rules(refresh=timedelta(seconds=3), tells_end=True),
}
FEW = ("moving a", "still a", "live b", "gone", "event gone a", "stall", "grace", "blind", "sight")


def scripts(
    length: int,
    letters: Sequence[str],
    machine: Machine,
    rules: Any,
    slots: Sequence[Slot] = (),
    before: Sequence[str] = (),
) -> Iterator[tuple[str, ...]]:
    """Play every script of this length; what they have in common is played once."""

    def follow(world: World, script: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if len(script) == length:
            yield script
            return
        for letter in letters:
            try:
                after = world.happen(letter, machine, rules, slots)
            except AssertionError as error:
                error.add_note(" / ".join((*script, letter)))
                raise
            yield from follow(after, (*script, letter))

    start = World(machine.Session())
    for letter in before:
        start = start.happen(letter, machine, rules, slots)
    yield from follow(start, ())


@pytest.mark.parametrize("rules", RULES)
def test_all_scripts_of_four_letters_keep_the_laws(rules):
    assert sum(1 for _ in scripts(4, LETTERS, REAL, RULES[rules])) == len(LETTERS) ** 4


@pytest.mark.parametrize("slots", SLOTS)
def test_all_scripts_of_six_letters_after_an_opening_keep_the_laws(slots):
    found = scripts(6, FEW, REAL, RULES["connections"], SLOTS[slots], before=("moving a",))
    assert sum(1 for _ in found) == len(FEW) ** 6
