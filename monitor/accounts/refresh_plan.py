"""When each account is refreshed: spread over its tokens' life, as the platform allows, none too late. Pure."""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec

from collectors.open_api import OpenApi
from monitor.accounts.account import Account, AccountKey

MARGIN = timedelta(minutes=15)  # so long before its end, at the latest: there must be time to try again
EARLY = timedelta(seconds=30)  # so far into a platform's window, at the earliest: its clock may be behind ours
PACE = 0.7  # of the rate: answers take their time, and others call, too
AT_ONCE = datetime.min.replace(tzinfo=UTC)


class Due(msgspec.Struct, frozen=True, order=True):
    """One account to be refreshed: most urgent first. `from_at` is its own place, `by_at` when it is nearly too late,
    `not_before` what the platform allows."""

    by_at: datetime
    from_at: datetime
    not_before: datetime
    key: AccountKey


def refresh_due_at(account: Account, api: OpenApi, now: datetime, renewable: bool = False) -> datetime | None:
    """When this account is to be refreshed, if it has the platform to itself; None: there is nothing to refresh."""
    due = refresh_due(account, api, now, renewable)
    return None if due is None else max(due.from_at, due.not_before)


def refresh_due(account: Account, api: OpenApi, now: datetime, renewable: bool = False) -> Due | None:
    """Between half of the access token's life and a margin before its end, at a place that its id gives.

    What is to be granted for the first time, and what was asked for without an answer before a crash, is due at once.
    Where nothing can be extended it is due when it ends: then a person must know. `renewable`: new tokens need no old
    ones (a key of its own, a ticket).
    """
    tokens = account.tokens
    if account.refused or (tokens is None and not renewable):
        return None
    if tokens is None:
        return Due(AT_ONCE, AT_ONCE, AT_ONCE, account.id)
    until = tokens.access_until
    if until is None:
        return None
    if not renewable and not tokens.refresh:
        return Due(until, until, until, account.id)
    life = max(until - tokens.granted_at, timedelta(0))
    begin, limit = tokens.granted_at + life / 2, until
    refresh_until = None if renewable else tokens.refresh_until
    if refresh_until is not None and refresh_until < until:
        # A pair that inherits its end gains nothing by being refreshed ever faster towards it.
        begin = max(
            min(begin, tokens.granted_at + (refresh_until - tokens.granted_at) / 2), tokens.granted_at + life / 8
        )
        if begin >= refresh_until or refresh_until <= now:
            return Due(until, until, until, account.id)
        limit = refresh_until
    if api.REFRESH_WINDOW_S is not None and not renewable:
        window = timedelta(seconds=api.REFRESH_WINDOW_S)
        begin = max(begin, until - window + min(EARLY, window / 20))
    span = max(limit - begin, timedelta(0))
    by_at = limit - min(MARGIN, span / 4)
    if account.asked_at is not None:
        return Due(AT_ONCE, AT_ONCE, AT_ONCE, account.id)
    return Due(by_at, begin + (by_at - begin) * place_of(account.id), begin, account.id)


def place_of(key: AccountKey) -> float:
    """From 0 to 1, the same for the same account for ever, evenly spread over many."""
    digest = hashlib.sha256("\n".join(key).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def soon(dues: Collection[Due], per_s: float, now: datetime, within: timedelta) -> list[Due]:
    """Those whose time comes by then, the most urgent first: each so early that all are through in time at this rate.

    From the last one backwards: who must be through by an instant starts before those that must be through later. Who
    would still be in time if all the others went first needs no place in that row.
    """
    step, by = timedelta(seconds=1.0 / (per_s * PACE)), now + within
    horizon = by + step * len(dues)
    ordered = sorted(due for due in dues if due.from_at <= by or due.by_at <= horizon)
    latest, found = horizon + step, list[Due]()
    for due in reversed(ordered):
        if due.by_at != AT_ONCE:
            latest = min(due.by_at, latest - step)
            if latest < due.from_at:
                due = msgspec.structs.replace(due, from_at=max(latest, due.not_before))
        if due.from_at <= by:
            found.append(due)
    found.reverse()
    return found
