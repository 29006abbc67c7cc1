"""Work on the book goes on after its disk refused, and what is wrong otherwise ends it."""

import pytest

from monitor.alerts.book_file import BookRefused
from monitor.alerts.patience import patiently


async def test_a_disk_that_refuses_is_tried_again_and_said_once(caplog):
    tries = []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise BookRefused("disk full")

    await patiently("handovers", work, again_s=0.0)
    assert (len(tries), caplog.text.count("disk full")) == (4, 1)


async def test_a_bug_is_not_hidden():
    async def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await patiently("handovers", work, again_s=0.0)
