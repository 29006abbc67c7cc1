"""Who stands behind a proxy that we trust; whatever others say of themselves is not believed."""

from collections.abc import Callable, Sequence

from .guard import Address, address_of, client_of


def caller(peer: str | None, forwarded: Sequence[str], trusts: Callable[[Address | None], bool]) -> str | None:
    """For whom a request counts: the peer itself, or behind trusted proxies the rightmost hop that is none of them.

    None where trusted proxies tell of nobody else. `forwarded` are the X-Forwarded-For lines in their order: each
    proxy appends the one it was called by, so that all to the left of an untrusted hop is hearsay.
    """
    if not trusts(address_of(peer)):
        return client_of(peer)
    hops = [hop for line in forwarded for hop in line.split(",")]
    for hop in reversed(hops):
        address = hop_address(hop)
        if address is None:
            return None
        if not trusts(address):
            return client_of(str(address))
    return None


def hop_address(hop: str) -> Address | None:
    """The address of one hop, which some proxies write with a port and IPv6 in brackets."""
    hop = hop.strip()
    if hop.startswith("["):
        return address_of(hop[1:].partition("]")[0])
    if hop.count(":") == 1:
        return address_of(hop.partition(":")[0])
    return address_of(hop)
