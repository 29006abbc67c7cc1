"""Whether what lets platforms call us makes sense: addresses, proxies, apps, rates, and the feeds they serve."""

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from collectors.hook import CalledRow
from monitor.config_shape import Complaint, Row
from monitor.config_urls import url_complaint
from monitor.problem import quoted

EXAMPLE_PROXY = 'give networks, as "127.0.0.1/32" or "fd00:7::/64"'
WIDEST = {4: 8, 6: 16}
COIN_CHARS_MAX = 128


def complaints(
    sound: dict[str, Any], feeds: list[Row], apps: list[Row], rates: list[Row], kinds: Mapping[str, type]
) -> Iterator[Complaint]:
    """What of these is wrong, beside what is wrong of each key alone."""
    if "hooks_listen" in sound and sound["hooks_listen"] == sound.get("listen", "127.0.0.1:8790"):
        todo = "give it a port of its own: platforms shall reach nothing else"
        yield ("hooks_listen",), "hooks_listen is the address of listen", todo
    if "hooks_url" in sound:
        yield from _hooks_url(sound)
    for number, written in enumerate(sound.get("trusted_proxies", ())):
        yield from _proxy(written, number)
    yield from _apps(apps)
    yield from _rates(rates)
    platforms = {row["name"]: row["platform"] for _, row in apps if "name" in row and "platform" in row}
    for at, row in feeds:
        yield from _called(at, row, kinds[row["kind"]], platforms, "hooks_listen" in sound)


def _hooks_url(sound: dict[str, Any]) -> Iterator[Complaint]:
    url = sound["hooks_url"]
    if said := url_complaint(url):
        yield ("hooks_url",), f"hooks_url {said[0]}", 'give what platforms are told, as "https://hooks.example.cn"'
    elif "?" in url:
        yield ("hooks_url",), "hooks_url holds a query", "take out the ? and what follows it"
    elif "hooks_listen" not in sound:
        yield (
            ("hooks_url",),
            "hooks_url without hooks_listen",
            'give hooks_listen = "127.0.0.1:8791", too, or remove it',
        )


def _proxy(written: str, number: int) -> Iterator[Complaint]:
    at = ("trusted_proxies", number)
    try:
        network = ipaddress.ip_network(written)
    except ValueError:
        try:
            near = ipaddress.ip_network(written, strict=False)
        except ValueError:
            yield at, f"trusted_proxies holds {quoted(written)}, which is no network", EXAMPLE_PROXY
        else:
            yield at, f"{quoted(written)} has bits set beyond its prefix", f'write "{near}", or a longer prefix'
        return
    if network.prefixlen < WIDEST[network.version]:
        todo = "name your proxies alone: whoever stands in it may claim to be anybody"
        yield at, f"trusted_proxies holds {quoted(written)}, which is far too wide", todo


def _apps(apps: list[Row]) -> Iterator[Complaint]:
    names: set[str] = set()
    for at, row in apps:
        name, files = row.get("name", "?"), row.get("secret_file")
        if not re.fullmatch(r"[\w-]{1,64}", name) and "name" in row:
            yield (*at, "name"), f"name {quoted(name)} cannot name an app", "give 1 to 64 letters, digits, - or _"
        elif "name" in row and name in names:
            yield (*at, "name"), f"an app named {quoted(name)} is there already", "give each app a name of its own"
        names.add(name)
        if "platform" in row and not re.fullmatch(r"[a-z0-9_]{1,64}", row["platform"]):
            todo = "give small letters, digits and _ only"
            yield (*at, "platform"), f"platform {quoted(row['platform'])} cannot be a label", todo
        if isinstance(files, list) and len(set(files)) < len(files):
            yield (*at, "secret_file"), "secret_file names one file twice", "name the new one and the old one"


def _rates(rates: list[Row]) -> Iterator[Complaint]:
    known: set[tuple[str, datetime]] = set()
    for at, row in rates:
        coin, currency = row.get("coin", "?"), row.get("currency", "CNY")
        if not coin.strip() or not coin.isprintable() or len(coin) > COIN_CHARS_MAX:
            yield (*at, "coin"), f"coin {quoted(coin)} cannot name a coin", "give its name as the feed's stanza has it"
        if not re.fullmatch(r"[A-Z]{3}", currency):
            todo = "give its three capital letters, as CNY"
            yield (*at, "currency"), f"currency {quoted(currency)} is no currency code", todo
        if "coin" in row and "from" in row:
            since = msgspec.convert(row["from"], datetime).astimezone(UTC)
            if (coin, since) in known:
                what = f"a rate of {quoted(coin)} from this instant is there already"
                yield (*at, "from"), what, "keep one, or give another time"
            known.add((coin, since))


def _called(
    at: tuple[str | int, ...], row: dict[str, Any], kind: type, platforms: Mapping[str, str], listens: bool
) -> Iterator[Complaint]:
    """A feed of a kind that calls us, or that names an application."""
    is_hook = issubclass(kind, CalledRow)
    if is_hook and not listens:
        what = f"kind {quoted(row['kind'])} is called by its platform, and hooks_listen is not set"
        yield (*at, "kind"), what, 'add hooks_listen = "127.0.0.1:8791" above the first [table]'
    app = row.get("app", "")
    if is_hook and not app and getattr(kind, "NEEDS_APP", True):
        yield at, "app is missing", 'add app = "...", the name of an [[app]] that holds its secret'
    if not app:
        return
    own = str(getattr(kind, "PLATFORM", ""))
    fitting = {own, str(row.get("platform") or own)}
    if app not in platforms:
        near = difflib.get_close_matches(app, sorted(platforms), 1)
        todo = f"did you mean {quoted(near[0])}?" if near else f'add [[app]] with name = "{app}", or correct the name'
        yield (*at, "app"), f"there is no app named {quoted(app)}", todo
    elif platforms[app] not in fitting:
        what = f"app {quoted(app)} is of platform {quoted(platforms[app])}"
        yield (*at, "app"), what, f"name an app of platform {' or '.join(map(quoted, sorted(fitting)))}"
