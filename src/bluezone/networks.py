# SPDX-License-Identifier: Apache-2.0
"""The network that a request came from, by which rate limits count, and the origin under which people reach a host of
the city. Key server, office, public pages and the front share this module.
"""

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

_IPV6_BITS = 56
# Whether TLS ends in this program ("self", "own") or in front of it ("1"); "0" without TLS.
TLS_VARIABLE = "BLUEZONE_TLS"
WITH_TLS = frozenset({"1", "self", "own"})


def origin_of(host: str, *, tls: bool) -> str:
    """The origin under which people reach a host of the city: `https://host`, or `http://host` if that is served.

    host: `host` or `host:port`. tls: whether TLS ends in this program or in front of it.
    A public name is always https: printed matter with the name lasts longer than a day of service without TLS, and must
    not teach people to open the name without it.
    """
    scheme = "https" if tls or not is_local(host) else "http"
    return f"{scheme}://{host}"


def is_local(host: str) -> bool:
    """Whether a host is meaningful only locally: this machine, a private address, a name without a domain."""
    bare = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    address = _address(bare)
    if address is not None:
        return address.is_private
    return "." not in bare or bare.endswith((".localhost", ".local"))


def speaks_tls(data_dir: Path) -> bool:
    """Whether the city's hosts speak TLS, for code without Django's settings.

    Only processes of `serve` have the variable. Other commands check for the local authority, which `serve --tls self`
    makes.
    """
    mode = os.environ.get(TLS_VARIABLE)
    if mode:
        return mode in WITH_TLS
    return (data_dir / "keys" / "tls" / "authority.pem").exists()


def network_of(remote: str, forwarded: str | None, trusted: Sequence[str]) -> bytes:
    """The network that a request came from: the whole IPv4 address, or the first 56 bits of an IPv6 address.

    remote:    address of the peer.
    forwarded: its `X-Forwarded-For`, used only if the peer is in `trusted`; proxies append on the right, so the last
               address that is not a trusted proxy is the client.
    An IPv4 address that an IPv6 socket writes as `::ffff:a.b.c.d` counts as IPv4, or the whole IPv4 internet would be
    one network.
    Returns 4 or 7 bytes; zero bytes without an address (a Unix socket).
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
