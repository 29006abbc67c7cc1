"""Says whether an address that a platform gives us to move to is of the house that the config names."""

import ipaddress
import re
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

PORTS = {"ws": 80, "wss": 443}
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"{LABEL}(\.{LABEL})*", re.ASCII)
NAME_CHARS_MAX = 253


def is_of_the_house(url: str, ours: str) -> bool:
    """Whether `url` leads to the host of `ours`, or to one of those under its name, in the same manner.

    Twitch is reached at eventsub.wss.twitch.tv and moves us to cell-b.eventsub.wss.twitch.tv. Names under a name are
    given by whoever has that; all others are anybody's. An address in numbers has none under it.
    """
    try:
        told, known = urlsplit(url), urlsplit(ours)
        same_way = told.scheme == known.scheme and _port(told) == _port(known)
    except ValueError:
        return False
    if not same_way or "@" in told.netloc:
        return False
    host, house = told.hostname or "", known.hostname or ""
    return host == house or (host.endswith(f".{house}") and _is_name(house) and _is_name(host))


def _port(parts: SplitResult) -> int | None:
    return PORTS.get(parts.scheme) if parts.port is None else parts.port


def _is_name(host: str) -> bool:
    """No number, and nothing that two readers of addresses may take for two hosts."""
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return False
    return len(host) <= NAME_CHARS_MAX and NAME.fullmatch(host) is not None
