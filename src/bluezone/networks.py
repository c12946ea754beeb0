# SPDX-License-Identifier: Apache-2.0
"""The network that a request came from, by which whatever slows somebody down counts: said once, for key server,
office, public pages and the front.
"""

import ipaddress
from collections.abc import Sequence

_IPV6_BITS = 56


def network_of(remote: str, forwarded: str | None, trusted: Sequence[str]) -> bytes:
    """The network a request came from: the whole IPv4 address, or the first 56 bits of an IPv6 address.

    remote:    address of the peer.
    forwarded: its `X-Forwarded-For`, believed only if the peer is in `trusted`; proxies append on the right,
               so the last address that is not a trusted proxy is the client.
    An IPv4 address that an IPv6 socket writes as `::ffff:a.b.c.d` counts as what it is, or the whole IPv4 internet
    would be one network.
    Returns 4 or 7 bytes; zero bytes where there is no address (a Unix socket).
    """
    if not trusted:
        forwarded = None
    networks = [ipaddress.ip_network(network) for network in trusted]
    hops = [remote, *reversed([hop.strip() for hop in (forwarded or "").split(",") if hop.strip()])]
    client = None
    for hop in hops:
        address = _address(hop)
        if address is None:
            break
        client = address
        if not any(address in network for network in networks):
            break
    if client is None:
        return bytes(4)
    return client.packed if client.version == 4 else client.packed[: _IPV6_BITS // 8]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
