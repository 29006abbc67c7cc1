"""Whether a URL in the config file may be called: own servers may stand anywhere, but nothing may pose as another."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from monitor.problem import quoted

CHARS_MAX = 2048
NEVER_WEB_PORTS = frozenset({0, 7, 9, 19, 21, 22, 23, 25, 53, 110, 143, 465, 587, 993, 995, 3306, 5432, 6379})
EXAMPLE = "http://10.0.0.7:8080/stat"


def url_complaint(
    url: str, schemes: tuple[str, ...] = ("http", "https"), example: str = EXAMPLE
) -> tuple[str, str] | None:
    """What is wrong with it and what to do, or None. The URL itself is not shown: it may hold a password."""
    todo = f"write it as '{example}'"
    if len(url) > CHARS_MAX:
        return f"is longer than {CHARS_MAX} characters", "shorten it"
    if not url.isprintable() or " " in url or "\\" in url:
        return "holds a space, a backslash or a control character", todo
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no URL", todo
    if parts.scheme not in schemes:
        todo = todo if "http" in schemes else todo.replace("http", schemes[0])
        return f"has the scheme {quoted(parts.scheme)}" if parts.scheme else "has no scheme", todo
    return _of_host(parts, todo) or _of_port(port) or _of_rest(parts, url)


def _of_host(parts: SplitResult, todo: str) -> tuple[str, str] | None:
    if "@" in parts.netloc:
        return "holds a user name or password", "take out everything before the @"
    host = parts.hostname
    if not host:
        return "names no host", todo
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", host):
            return f"has a number as its host, {quoted(host)}", "write the address as four numbers with dots"
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return f"names an address that is no server's, {quoted(host)}", "give the server's own address"
    return None


def _of_port(port: int | None) -> tuple[str, str] | None:
    if port in NEVER_WEB_PORTS:
        return f"names port {port}, where no web server is", "give the port of the server's web page"
    return None


def _of_rest(parts: SplitResult, url: str) -> tuple[str, str] | None:
    if parts.fragment or "#" in url:
        return "holds a # and what follows it", "take that out: it never reaches a server"
    return None
