"""Which addresses a platform may have: none that lies inside a house, a machine, or a cloud's own machinery. Pure."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

# Public by its number, and yet a cloud's own: Azure's WireServer. All the others are link-local, private or shared:
# 169.254.169.254, fd00:ec2::254, 100.100.100.200, 192.0.0.192.
METADATA = frozenset({IPv4Address("168.63.129.16")})
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052


def is_public(address: str) -> bool:
    """Whether it may be called. What is no address at all may not, and neither what carries one inside that may not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(_is_public(it) for it in (ip, *_inside(ip)))


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None or ip in NAT64:
            return True  # it is judged by what it carries
        if ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified) and ip not in METADATA


def _inside(ip: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 one stands for."""
    if isinstance(ip, IPv4Address):
        return []
    found = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in NAT64:
        found.append(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return [it for it in found if it is not None]
