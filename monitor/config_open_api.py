"""Whether what an `[[app]]` says of its platform's open interface makes sense: secrets, addresses, names of methods."""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from collectors.hook import HookRow, OrderSocketRow
from monitor.config_shape import Complaint, Row
from monitor.config_urls import url_complaint
from monitor.problem import quoted
from monitor.toml_lines import Path as Place

NAMES_MAX = 100
NAME = re.compile(r"[!-~]{1,200}")


def complaints(
    apps: Sequence[Row], written: Sequence[Mapping[str, Any]], feeds: Sequence[Row], kinds: Mapping[str, type]
) -> Iterator[Complaint]:
    """`apps` are the sound keys of the tables that stand in `written`, in the same order."""
    for (at, app), raw in zip(apps, written, strict=True):
        if "secret_file" not in raw and not app.get("self_use"):
            todo = 'add it: secret_file = "...", or self_use = true where each shop has a key of its own'
            yield at, "secret_file is missing", todo
        for key in ("app_secret_file", "sign_secret_file"):
            files = app.get(key)
            if isinstance(files, list) and len(set(files)) < len(files):
                yield (*at, key), f"{key} names one file twice", "name the new one and the old one"
        for key in ("api_url", "auth_url"):
            yield from _url(key, app.get(key, ""), (*at, key))
        if "service_id" in app and not NAME.fullmatch(app["service_id"]):
            what = f"service_id {quoted(app['service_id'])} cannot be one"
            yield (*at, "service_id"), what, "give it as the platform shows it"
        yield from _names(app.get("name_calls_per_s", {}), (*at, "name_calls_per_s"))
    yield from _pushed(apps, written, feeds, kinds)


def _pushed(
    apps: Sequence[Row], written: Sequence[Mapping[str, Any]], feeds: Sequence[Row], kinds: Mapping[str, type]
) -> Iterator[Complaint]:
    """The keys of single shops are for asking: a push is verified with the secret of the app."""
    bare = {app.get("name") for (_, app), raw in zip(apps, written, strict=True) if "secret_file" not in raw}
    own = {app.get("name") for _, app in apps if app.get("self_use")}
    for at, feed in feeds:
        if feed.get("app") in bare & own and issubclass(kinds[feed["kind"]], HookRow | OrderSocketRow):
            what = f"app {quoted(feed['app'])} has no secret_file, and {feed['kind']} verifies with it"
            yield (*at, "app"), what, "give the app its secret_file, too"


def _url(key: str, url: str, at: Place) -> Iterator[Complaint]:
    """Tokens go there: in clear only to a machine of our own."""
    if not url:
        return
    if said := url_complaint(url):
        yield (
            at,
            f"{key} {said[0]}",
            "give the root of the platform's interface, as 'https://openapi-fxg.jinritemai.com'",
        )
    elif "?" in url:
        yield at, f"{key} holds a query", "take out the ? and what follows it"
    elif urlsplit(url).scheme == "http" and not _is_ours(urlsplit(url).hostname or ""):
        yield at, f"{key} would send tokens over the internet in clear", "write it with https://"


def _is_ours(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host  # localhost, or a container beside us
    return address.is_private


def _names(rates: Mapping[str, float], at: Place) -> Iterator[Complaint]:
    if len(rates) > NAMES_MAX:
        yield at, f"name_calls_per_s has {len(rates)} names", f"give at most {NAMES_MAX}"
    for name in rates:
        if not NAME.fullmatch(name):
            what = f"name_calls_per_s names {quoted(name)}, which is no method or path"
            yield at, what, "give the name as the platform's documentation has it"
