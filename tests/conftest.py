"""Options of the whole suite."""

import pytest

pytest_plugins = ["tests.postgres"]  # the fixtures `postgres`, `database`, `empty_database`


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write anew what recorded frames mean")
