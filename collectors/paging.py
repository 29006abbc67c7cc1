"""Goes from one page of an answer to the next, and stops where there is none, or where it would go on for ever."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from .collector import BadFrame
from .finding import Unfit, finder, goes_on
from .json_body import document, fraction
from .mapping import text

PAGED = frozenset(("cursor", "page"))  # the names that make an answer one of many
CURSOR_CHARS_MAX = 2048


class Paging(msgspec.Struct, frozen=True):
    """`cursor` and `more` are paths, empty where they are not given: then pages are counted."""

    cursor: str
    more: str
    pages_max: int
    bytes_max: int = 16 * 1024 * 1024

    def next(self, told: object, rooms: int, cursors: Sequence[str], pages: Sequence[bytes]) -> str | None:
        """The cursor of the next page (empty where pages are counted), None behind the last one.

        So many `rooms` are on the newest page, as which it was read; where pages are counted, one without rooms is
        behind the last. `cursors` are those of the pages so far. Raises BadFrame.
        """
        cursor = ""
        if self.more and not goes_on(self.more, told):
            return None
        if self.cursor:
            cursor = self._cursor(told)
            if not cursor:
                return None
            if cursor in cursors:
                raise BadFrame("page_loop: a page names one as the next that we had before")
        elif not rooms:
            return None
        elif pages[-1] in pages[:-1]:
            raise BadFrame("page_loop: the same page came twice")
        if len(pages) >= self.pages_max:
            raise BadFrame(f"page_loop: more than {self.pages_max} pages")
        return cursor

    def _cursor(self, told: object) -> str:
        try:
            return text(finder(self.cursor)(told), "cursor", CURSOR_CHARS_MAX) or ""
        except Unfit as error:
            raise BadFrame(f"unfit: {error}") from error


async def all_pages(
    paging: Paging, page: Callable[[str, int], Awaitable[bytes]], rooms_on: Callable[[object], int]
) -> tuple[list[bytes], str]:
    """All pages, and what is wrong with the last of them, for a person to see beside those before it.

    `page` asks for one by its cursor and its number from 0, `rooms_on` counts what one lists. Raises what `page` does.
    """
    pages, cursors = list[bytes](), list[str]()
    cursor: str | None = ""
    while cursor is not None:
        pages.append(await page(cursor, len(pages)))
        cursors.append(cursor)
        if sum(map(len, pages)) > paging.bytes_max:
            raise BadFrame(f"too_large: the pages are over {paging.bytes_max} bytes")
        try:
            told = document(pages[-1], fraction)
            cursor = paging.next(told, rooms_on(told), cursors, pages)
        except BadFrame as error:
            return pages, str(error)
    return pages, ""


async def all_rows(
    page: Callable[[int], Awaitable[bytes]], key: str, rows: int, pages_max: int, bytes_max: int
) -> tuple[list[bytes], str]:
    """All pages of the list that stands under `key`, of which one that is full has so many rows. As `all_pages`."""

    def rows_on(told: object) -> int:
        listed = told.get(key) if isinstance(told, dict) else None
        return len(listed) if isinstance(listed, list) else 0

    paging = Paging("", f"{key}[{rows - 1}]", pages_max, bytes_max)
    return await all_pages(paging, lambda _cursor, number: page(number), rows_on)
