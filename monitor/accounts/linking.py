"""How a shop lets us in: its owner opens our link, the platform asks, and calls us back with a code for tokens.

A link is a signed text of ours and nothing that we keep. It names the shop, so that it links that shop alone: whoever
finds it in a chat cannot put another in its place.
"""

import logging
from collections.abc import Mapping

import msgspec

from collectors.collector import Now
from collectors.open_api import Call, Caller, Completing, Grant, OpenApi
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.door import Lead, Linked, NotLinked
from monitor.accounts.failed import AccountRefused, CallFailed, NotUnderstood, understood
from monitor.accounts.link_text import BadLink, Link, read_link

log = logging.getLogger(__name__)


class Linking:
    """`key` signs links. `hooks_url` is what platforms are told, without a slash at its end."""

    def __init__(self, key: bytes, hooks_url: str, book: Book, client: Client, now: Now) -> None:
        self._key, self._hooks_url, self._book, self._client, self._now = key, hooks_url, book, client, now

    async def begin(self, app: str, text: str) -> Lead:
        """The platform's page for this link. Raises NotLinked."""
        api = self._api(app)
        link = self._read(app, text)
        account = self._account(link)
        before = b""
        try:
            caller = self._client.caller_of(app, account)
            if understood(lambda: api.before_link(caller, self._now())) is not None:
                before = await self._client.send(app, lambda caller: _some(api.before_link(caller, self._now())))
            caller = self._client.caller_of(app, account)
            url = understood(lambda: api.link(caller, text, self.callback(app), before))
            return Lead(url, account.platform, account.shop or account.anchor, account.name)
        except CallFailed as failed:
            raise _failed(failed) from failed
        except AccountRefused as refused:
            raise NotLinked("busy", "no_ticket") from refused
        except NotUnderstood as error:
            raise self._bad(app, error) from error

    async def finish(self, app: str, params: Mapping[str, str]) -> Linked:
        """The platform called back: the code for tokens, which are on disk when this returns. Raises NotLinked."""
        api = self._api(app)
        link = self._read(app, params.get("state", ""))
        code = params.get(api.CODE_IS, "")
        if not code:
            raise NotLinked("declined")
        try:
            body = await self._client.send(
                app, lambda caller: api.exchange(caller, code, self.callback(app), self._now())
            )
            grant = await self._whole(app, api, understood(lambda: api.granted(body, None, self._now())))
        except CallFailed as failed:
            raise _failed(failed) from failed
        except AccountRefused as refused:
            raise NotLinked("busy", "no_ticket") from refused
        except NotUnderstood as error:
            raise self._bad(app, error) from error
        return await self._take(link, grant)

    async def _whole(self, app: str, api: OpenApi, grant: Grant) -> Grant:
        """With what some platforms say only when they are asked once more. Raises CallFailed, NotUnderstood."""
        if not isinstance(api, Completing):
            return grant

        def caller_with(caller: Caller) -> Caller:
            return msgspec.structs.replace(caller, tokens=grant.tokens)

        terms = self._client.terms_of(app)
        if understood(lambda: api.complete(caller_with(terms.caller(None, None)), self._now())) is None:
            return grant
        body = await self._client.send(app, lambda caller: _some(api.complete(caller_with(caller), self._now())))
        found = understood(lambda: api.completed(caller_with(terms.caller(None, None)), body))
        return msgspec.structs.replace(found, name=found.name or grant.name)

    def _bad(self, app: str, error: NotUnderstood) -> NotLinked:
        """What is missing is for whoever runs this, in the log; the owner of the shop reads its name."""
        log.error("app %s: a shop could not be linked: %s", app, error)
        return NotLinked("platform", str(error))

    def callback(self, app: str) -> str:
        return f"{self._hooks_url}/oauth/{app}"

    def _api(self, app: str) -> OpenApi:
        terms = self._client.terms.get(app)
        if terms is None:
            raise NotLinked("unknown_app")
        return terms.api

    def _read(self, app: str, text: str) -> Link:
        try:
            link = read_link(self._key, text, self._now())
        except BadLink as error:
            raise NotLinked("expired_link" if error.expired else "bad_link") from error
        if link.app != app:
            raise NotLinked("bad_link")
        known = self._book.get(link.app, link.shop, link.anchor)
        if known is not None and known.link == link.nonce and known.tokens is not None and not known.refused:
            raise NotLinked("used_link")
        return link

    def _account(self, link: Link) -> Account:
        platform = self._client.terms[link.app].api.PLATFORM
        known = self._book.get(link.app, link.shop, link.anchor)
        return known or Account(link.app, platform, link.shop, link.anchor)

    async def _take(self, link: Link, grant: Grant) -> Linked:
        if grant.shop not in ("", link.shop) or (link.anchor and grant.anchor not in ("", link.anchor)):
            raise NotLinked("other_shop", grant.name or grant.shop)
        account = self._account(link)
        now = self._now()
        await self._book.keep(
            msgspec.structs.replace(
                account,
                tokens=grant.tokens,
                name=grant.name or account.name,
                refused="",
                asked_at=None,
                refreshed_at=now,
                link=link.nonce,
                permitted=False,
            )
        )
        log.info("account %s/%s of app %s is linked", account.platform, account.shop or account.anchor, account.app)
        return Linked(account.platform, account.shop or account.anchor, grant.name or account.name)


def _some(call: Call | None) -> Call:
    assert call is not None  # noqa: S101 - the rules said a moment ago that there is one
    return call


def _failed(failed: CallFailed) -> NotLinked:
    return NotLinked("busy" if failed.verdict in ("rate", "broken") else "platform", failed.detail)
