"""Reads numbered pages from the last one to the first.

Listings by time of update put the newest first. What is updated while they are read leaves the window, and all that
stood behind it moves up: read from the front, the first entry of the next page would be passed over. Read from the
back, it is only read twice.
"""

from .collector import BadFrame

PAGE_OF_A_LOOK = 1  # the first answer is asked for its total; page 1 is read again at the end


def page_number(mark: str) -> int:
    return int(mark) if mark else PAGE_OF_A_LOOK


def page_before(mark: str, total: int | None, size: int) -> str:
    """The mark of the page to read after that of `mark`, of as many entries as the first answer said; empty: none.

    Raises BadFrame where the first answer does not say how many.
    """
    if mark:
        page = int(mark) - 1
        return str(page) if page >= PAGE_OF_A_LOOK else ""
    if total is None or total < 0:
        raise BadFrame("bad_page: it does not say how many entries there are")
    last = -(-total // size)
    return str(last) if last > PAGE_OF_A_LOOK else ""
