"""How a partner compares names of domains: as DNS has them, in lower case A-labels.

Knows both spellings of an internationalized domain. Refuses nothing: what is no name is compared as it stands.
"""

from __future__ import annotations

from simulator.xmpp.address import AddressError, dns_name, normalize_domain


def as_in_dns(domain: str) -> str:
    """The domain in A-labels: RFC 7622 §3.2 lets peers write them as U-labels."""
    # What the specifications would refuse is told apart from what they allow by its own letters.
    try:
        name = dns_name(normalize_domain(domain))
    except AddressError:
        return domain.lower()

    return name if not domain.isascii() or "xn--" in domain.lower() else domain.lower()


def bare_as_in_dns(address: str) -> str:
    """The bare address, in lower case, with its domain in A-labels."""
    user, at, domain = address.split("/", 1)[0].lower().rpartition("@")

    return f"{user}{at}{as_in_dns(domain)}"
