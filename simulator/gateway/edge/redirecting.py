"""Decisions about peers that send us elsewhere: see-other-host (RFC 6120 §4.9.3.19). Pure.

Knows what such an error says, and where one may be sent. Does not know how hosts are connected to.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from simulator.xmpp.address import AddressError, normalize_domain
from simulator.xmpp.errors import StreamCondition

#: §4.9.3.19: "at least 2 but no more than 5"
MOST_REDIRECTS = 3

_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+)(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer sends us; without a port the host is looked up like the domain of a partner."""

    host: str
    port: int | None = None


def place_of(condition: str, content: str) -> Place | None:
    """Where a stream error sends us; None when nowhere.

    "a valid domainpart or a domainpart plus port number (separated by the ':' character […])", IPv6 in brackets.
    """
    found = _PLACE.fullmatch(content.strip()) if condition == StreamCondition.SEE_OTHER_HOST else None

    if found is None:
        return None

    port = int(found[2]) if found[2] else None

    try:
        host = normalize_domain(found[1])
    except AddressError:
        return None

    if port is not None and not 0 < port < 65536:
        return None

    return Place(host.removeprefix("[").removesuffix("]"), port)


def redirect_is_followed(followed: int) -> bool:
    """Whether one more is, after so many."""
    return followed < MOST_REDIRECTS


def address_is_safe(address: str, named_by: str) -> bool:
    """Whether a redirect may lead to an address; `named_by` is that of the peer which sent us there.

    A stranger on the Internet shall not have us knock at doors that only we can reach: an address that is not global
    may be named from such an address only.
    """
    return ipaddress.ip_address(address).is_global or not ipaddress.ip_address(named_by).is_global
