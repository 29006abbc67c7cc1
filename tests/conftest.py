"""Options of the whole suite."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

pytest_plugins = ["tests.postgres", "tests.weights"]  # the fixtures `postgres`, `database`, `empty_database`

# How fast inputs are made says how busy the machine is, and nothing of livemon.
settings.register_profile("livemon", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("livemon")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write anew what recorded frames mean")
    parser.addoption("--measured", action="store_true", help="print how soon faults of real servers were seen")


# Files that share what took minutes to set up, and scenes that are played side by side: one process has all of them.
TOGETHER = ("tests/acceptance/alerts/", "tests/boards/")
# What takes minutes in one process must not be begun last; real servers are timed when the scenes of alerts are over.
EARLY = (TOGETHER[0], "tests/platforms/test_bad_inputs.py")
IN_THE_MIDDLE, MIDDLE = "tests/servers/test_halls.py", "tests/history/"


class WholeFiles(LoadScopeScheduling):  # type: ignore[misc]
    """Whichever process is free takes the next file, or the next of these folders."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles:
    return WholeFiles(config, log)


def place(item: pytest.Item) -> int:
    if item.nodeid.startswith(EARLY):
        return 0
    if item.nodeid < MIDDLE:
        return 1
    return 2 if item.nodeid.startswith(IN_THE_MIDDLE) else 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a database starts a real server: `make check` leaves it out."""
    items.sort(key=place)
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real)
