"""A work of alerts that fails begins again, ends nobody else, and is an alarm elsewhere for as long as it fails."""

import asyncio

import pytest

from monitor.alerts.book_file import BookRefused
from monitor.alerts.patience import WELL_AFTER_S, Patience


@pytest.mark.parametrize("error", [BookRefused("disk full"), KeyError("a bug")])
async def test_it_begins_again_and_is_not_well_for_a_while(caplog, error):
    tries, passed_s = [], 0.0
    patience = Patience(lambda: passed_s, again_s=0.0)

    async def work() -> None:
        tries.append(patience.well)
        if len(tries) < 4:
            raise error

    await patience.go_on("handovers", work)
    assert tries == [True, False, False, False]
    assert "handovers" in caplog.text
    assert caplog.text.count("disk full") == (1 if isinstance(error, BookRefused) else 0)
    passed_s = WELL_AFTER_S - 1
    assert not patience.well
    passed_s += 1
    assert patience.well


async def test_it_ends_when_it_is_told_to():
    patience = Patience()
    task = asyncio.create_task(patience.go_on("x", lambda: asyncio.sleep(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert patience.well
