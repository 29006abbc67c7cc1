"""The clock of a test of accounts: it stands still until the test moves it."""

import pytest

from .polls import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()
