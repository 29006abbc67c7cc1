"""Scenes that mostly wait are played side by side: with the first that is asked for begin all that were collected."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """`scene(folder)` of each module whose test asks for this; called with a module's name, raises what went wrong."""
    items = [item for item in request.session.items if "played" in getattr(item, "fixturenames", ())]
    modules: dict[str, ModuleType] = {item.module.__name__: item.module for item in items}  # type: ignore[attr-defined]

    # A thread each: where one of them waits for a program to end, or reckons, the servers of the others answer.
    with ThreadPoolExecutor(len(modules)) as pool:
        running = {
            name: pool.submit(asyncio.run, module.scene(tmp_path_factory.mktemp("scene")))
            for name, module in modules.items()
        }
    ended = {name: scene.exception() for name, scene in running.items()}

    def play(name: str) -> None:
        if (error := ended[name]) is not None:
            raise error

    return play
