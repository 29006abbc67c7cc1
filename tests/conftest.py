"""Options of the whole suite."""

import pytest

pytest_plugins = ["tests.postgres"]  # the fixtures `postgres`, `database`, `empty_database`


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write anew what recorded frames mean")


# Files that share what took minutes to set up, and scenes that are played side by side: one process has all of them.
TOGETHER = ("tests/acceptance/alerts/", "tests/boards/")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a database starts a real server: `make check` leaves it out. A process takes whole files."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real)
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(next((folder for folder in TOGETHER if file.startswith(folder)), file)))
