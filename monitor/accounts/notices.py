"""What platforms tell our apps of themselves by push: a new ticket, a shop that will not have us any more."""

import logging
from collections.abc import Mapping, Sequence

import msgspec

from collectors.hook import Notice
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.terms import Terms

log = logging.getLogger(__name__)
BY_OWNER = "revoked by its owner: link again"


class Notices:
    """`terms` are the apps of the present config: what is told of another one is not for us."""

    def __init__(self, book: Book, terms: Mapping[str, Terms]) -> None:
        self.book, self.terms = book, terms

    async def take(self, app: str, notices: Sequence[Notice]) -> None:
        """On disk when it returns; the same notice twice is as once. Raises SpoolFull, SpoolDiskFailed."""
        terms = self.terms.get(app)
        if terms is None:
            return
        for notice in notices:
            if notice.what == "ticket":
                await self._ticket(app, terms.api.PLATFORM, notice.value)
            else:
                await self._revoked(app, notice.shop)

    async def _ticket(self, app: str, platform: str, ticket: str) -> None:
        """A new one comes every ten minutes; what it once authorised stays in force."""
        known = self.book.get(app, "")
        if known is None:
            await self.book.keep(Account(app, platform, "", ticket=ticket))
        elif known.ticket != ticket:
            await self.book.change(known.id, lambda it: msgspec.structs.replace(it, ticket=ticket))

    async def _revoked(self, app: str, shop: str) -> None:
        """Also of an account that we do not know: then it is nothing. Some platforms know a shop by several ids."""
        known = next((account for account in self.book.of(app) if shop in _ids(account)), None)
        if known is None or known.refused:
            return
        log.warning("account %s/%s of app %s was revoked by its owner", known.platform, known.shop, app)
        await self.book.change(
            known.id, lambda it: msgspec.structs.replace(it, tokens=None, asked_at=None, refused=BY_OWNER)
        )


def _ids(account: Account) -> set[str]:
    return {account.shop, *(account.tokens.extra.values() if account.tokens is not None else ())}
