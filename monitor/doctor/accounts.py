"""The open APIs of platforms: can shops be linked, does each interface answer, how do the accounts stand?"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from collectors.apis import APIS
from collectors.collector import BadFrame
from collectors.hook import App
from collectors.open_api import NO_ACCOUNTS, Call
from monitor.accounts.failed import NotAnswered
from monitor.accounts.guarded_http import GuardedHttp
from monitor.accounts.terms import Terms, terms_of
from monitor.apps import AppTable
from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.understanding import masked

CALL = {
    "refused": "`livemon account list --refused` says whom to call, `livemon account link` makes each a new link",
    "missing": "`livemon account list --missing` says whom to call, `livemon account link` makes each a link",
    "expiring": "`livemon account list --expiring` says whom to call before they end",
}

Stand = tuple[str, str, int, Sequence[str]]
"""Platform, state, how many accounts stand so, and some of their contacts."""


def judge_accounts(stands: Sequence[Stand]) -> list[Finding]:
    """A line for each platform and each state that somebody must do something about; one where all is well."""
    findings = []
    for platform in dict.fromkeys(stand[0] for stand in stands):
        counts = {state: (count, contacts) for of, state, count, contacts in stands if of == platform}
        total = sum(count for count, _ in counts.values())
        for state, todo in CALL.items():
            if state in counts:
                count, contacts = counts[state]
                whom = f" (first of all {', '.join(contacts)})" if contacts else ""
                findings.append(wrong(f"accounts {platform}", f"{count} of {total} are {state}{whom}", todo))
        if not counts.keys() & CALL.keys():
            findings.append(fine(f"accounts {platform}", f"all {total} are ok"))
    return findings


async def check_apis(
    tables: Sequence[AppTable], apps: Mapping[str, App], hooks_url: str | None, now: datetime
) -> list[Finding]:
    """Each app of a platform whose API we know, asked at the same time."""
    terms = [
        terms_of(app, APIS[app.platform], table.api_url, table.auth_url, table.calls_per_s, table.name_calls_per_s)
        for table in tables
        if (app := apps.get(table.name)) is not None and app.platform in APIS
    ]
    if not terms:
        return []
    async with GuardedHttp(lambda: {origin for one in terms for origin in one.origins}) as http:
        answers = await asyncio.gather(*(_answers(http, one) for one in terms))
    links = [found for one in terms if (found := judge_link(one, hooks_url, now)) is not None]
    return [*answers, *links]


async def _answers(http: GuardedHttp, terms: Terms) -> Finding:
    """Whatever it says without a question: that it says anything is what counts."""
    name = f"api {terms.app.name}"
    try:
        answer = await http(Call("doctor", f"{terms.base}/"))
    except NotAnswered as error:
        todo = "check DNS and the firewall for outgoing https, and api_url if it is given"
        return wrong(name, f"{terms.base} does not answer: {error.reason}", todo)
    return fine(name, f"{terms.base} answers ({answer.status})")


def judge_link(terms: Terms, hooks_url: str | None, now: datetime) -> Finding | None:
    """Whether a shop could be linked with what the config says; None where only the platform can tell."""
    name, complaint = f"api {terms.app.name}", _link_complaint(terms, (hooks_url or "").rstrip("/"), now)
    if complaint.startswith(NO_ACCOUNTS):
        return None
    if not hooks_url:
        return note(name, "no shop can be linked: hooks_url is not set", "set it to what platforms are told")
    if complaint:
        return wrong(name, f"no shop can be linked: {masked(complaint)}", "complete this [[app]]: README, its stanza")
    return None


def _link_complaint(terms: Terms, hooks_url: str, now: datetime) -> str:
    """Why the rules make no link; empty: they do, or the platform must be asked first."""
    caller = terms.caller(None, None)
    if terms.api.before_link(caller, now) is not None:
        return ""
    try:
        terms.api.link(caller, "state", f"{hooks_url}/oauth/{terms.app.name}", b"")
    except BadFrame as error:
        return str(error)
    return ""
