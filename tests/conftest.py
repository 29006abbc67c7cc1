"""Options of the whole suite."""

import pytest

pytest_plugins = ["tests.postgres"]  # the fixtures `postgres`, `database`, `empty_database`


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write anew what recorded frames mean")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a database starts a real server: `make check` leaves it out."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real)
