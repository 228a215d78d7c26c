"""Where a visitor comes from, as far as it can be trusted."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network

from django.http import HttpRequest

from ..conf import conf

# Whoever has one IPv6 address has all of its /64.
IPV6_PREFIX = 64
# More than an address with its scope and a port may have.
LONGEST_FORWARDED = 100
WITH_PORT = re.compile(r"\[([^]]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")


def network_of(request: HttpRequest) -> str:
    """
    The visitor's IPv4 address or IPv6 network, for the limits.

    X-Forwarded-For is read only where proxies of the site's own are configured, and then
    counted from the right: what stands further left, the visitor may have written.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if proxies := conf.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "")[-4096:].split(",")]
        address = hops[-proxies] if len(hops) >= proxies and _network(hops[-proxies]) else address
    return _network(address) or "unknown"


def _network(address: str) -> str:
    if len(address) > LONGEST_FORWARDED:
        return ""
    if with_port := WITH_PORT.fullmatch(address):  # as some proxies write it
        address = with_port[1] or with_port[2]
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:  # how a socket for both kinds names IPv4 visitors
        parsed = parsed.ipv4_mapped
    return str(parsed) if parsed.version == 4 else str(ip_network((parsed, IPV6_PREFIX), strict=False))
