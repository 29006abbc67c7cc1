"""Long scripts: the machine tells the same story as the slow one that starts over at each observation."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.facts import Slot
from tests.live.machine import Machine, machine
from tests.live.scripts import slot
from tests.live.slow_story import tell
from tests.live.world import LETTERS, TICKS, World

REAL = machine()
SCRIPT_LETTERS = tuple(letter for letter in LETTERS if letter != "step")  # a step of the clock has tests of its own
PLANS: tuple[tuple[Slot, ...], ...] = ((), (slot(-3600, 3600),), (slot(-3600, 60),))


def compare(script: Sequence[str], machine: Machine, rules: Any, slots: Sequence[Slot]) -> None:
    """Play the script letter by letter; after each, the machine must have told what the slow story tells."""
    world, observed = World(machine.Session()), list[tuple[Any, ...]]()
    for letter in script:
        observed += observations(letter, world)
        world = world.happen(letter, machine, rules, slots)
        if world.blind_from is None:
            observed.append(("wait", world.now))
        assert list(world.told) == tell(observed, rules, slots), " / ".join(script)


def observations(letter: str, world: World) -> list[tuple[Any, ...]]:
    if letter in TICKS:
        tick = world.tick(letter, world.progress + (TICKS[letter].get("progress") == 1))
        return [("tick", tick, tick.at)]
    if letter == "blind" and world.blind_from is None:
        return [("blind", world.now)]
    if letter == "sight" and world.blind_from is not None:
        return [("sight", world.now)]
    return []


def rules_of(machine: Machine, key_is_session: bool, tells_end: bool, refresh_s: int) -> Any:
    refresh, stall = timedelta(seconds=refresh_s), timedelta(seconds=10)
    return machine.Rules(key_is_session=key_is_session, tells_end=tells_end, refresh=refresh, stall=stall)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(
    st.lists(st.sampled_from(SCRIPT_LETTERS), max_size=30),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 2, 5]),
    st.sampled_from(PLANS),
)
def test_every_script_is_told_as_the_slow_story_tells_it(script, key_is_session, tells_end, refresh_s, slots):
    compare(script, REAL, rules_of(REAL, key_is_session, tells_end, refresh_s), slots)


def play_dice(machine: Machine, seeds: Sequence[int]) -> None:
    for seed in seeds:
        dice = random.Random(seed)
        letters = dice.sample(SCRIPT_LETTERS, dice.randint(4, len(SCRIPT_LETTERS)))
        script = dice.choices(("moving a", *letters), k=24)
        rules = rules_of(machine, dice.random() < 0.4, dice.random() < 0.5, dice.choice((0, 2, 5)))
        compare(script, machine, rules, dice.choice(PLANS))


@pytest.mark.parametrize("hundred", range(6))
def test_scripts_of_the_dice_are_told_as_the_slow_story_tells_them(hundred):
    play_dice(REAL, range(hundred * 200, hundred * 200 + 200))
