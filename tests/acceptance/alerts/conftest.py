"""Scenes that mostly wait are played side by side: with the first that is asked for begin all that were collected."""

import asyncio
from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """`scene(folder)` of each module whose test asks for this; called with a module's name, raises what went wrong."""
    items = [item for item in request.session.items if "played" in getattr(item, "fixturenames", ())]
    modules: dict[str, ModuleType] = {item.module.__name__: item.module for item in items}  # type: ignore[attr-defined]

    async def all_of_them() -> list[BaseException | None]:
        scenes = (module.scene(tmp_path_factory.mktemp("scene")) for module in modules.values())
        ended: list[BaseException | None] = await asyncio.gather(*scenes, return_exceptions=True)
        return ended

    ended = dict(zip(modules, asyncio.run(all_of_them()), strict=True))

    def play(name: str) -> None:
        if (error := ended[name]) is not None:
            raise error

    return play
