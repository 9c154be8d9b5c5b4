"""Addresses of XMPP (RFC 7622, with the stringprep profiles of RFC 6122 that servers still compare by).

The only file of this room that knows slixmpp, and it asks it only about text that is not ASCII: loading slixmpp costs
a fifth of a second, and addresses on the wire are nearly always ASCII.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Literal

# RFC 6122 appendix A.5: ASCII that no localpart may hold, beside space, controls and DEL.
_ASCII_LOCAL = re.compile(r"[!#$%()*+,\-.0-9;=?A-Z\[\\\]^_`a-z{|}~]+")
_ASCII_RESOURCE = re.compile(r"[ -~]+")
# LDH labels (RFC 1123 §2.1), and the underscore that some intranets use.
_ASCII_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# RFC 3490 §3.1: these count as dots, too.
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")


class AddressError(ValueError):
    """The text is no XMPP address."""


@dataclass(frozen=True, slots=True)
class Address:
    """A normalised address; `local` and `resource` are empty where absent, `domain` is in Unicode."""

    local: str
    domain: str
    resource: str = ""

    @property
    def bare(self) -> Address:
        """The address without its resource."""
        return Address(self.local, self.domain) if self.resource else self

    def __str__(self) -> str:
        local = f"{self.local}@" if self.local else ""

        return f"{local}{self.domain}/{self.resource}" if self.resource else f"{local}{self.domain}"


@lru_cache(maxsize=8192)
def parse_address(text: str) -> Address:
    """Parse and normalise ``local@domain/resource``; raises AddressError.

    RFC 7622 §3.1: the resource is what follows the first ``/``; before that, the local part precedes the first ``@``.
    """
    before, slash, resource = text.partition("/")
    local, at, domain = before.rpartition("@")

    if "@" in local:
        raise _refusal(text, "has two @ signs")

    if (slash and not resource) or (at and not local):
        raise _refusal(text, "has an empty part")

    return Address(_local(local), normalize_domain(domain), _resource(resource))


@lru_cache(maxsize=8192)
def normalize_domain(text: str) -> str:
    """Normalise a domain for comparison: case folded, no trailing dot, U-labels; raises AddressError.

    RFC 7622 §3.2: "If the domainpart includes a final character considered to be a label separator (dot) [...], this
    character MUST be stripped", and A-labels are compared as the U-labels that they stand for.
    """
    domain = text.translate(_DOTS).removesuffix(".")

    if domain.startswith("["):
        return _ipv6(domain, text)

    if "@" in domain or "/" in domain:
        raise _refusal(text, "has a local part or a resource where a domain is wanted")

    if not domain.isascii():
        domain = _prepared(domain, text, "domain")

    domain = ".".join([_unicode_label(label, text) for label in domain.lower().split(".")])

    # A name that DNS cannot carry (RFC 1035 §2.3.4) cannot be the domain of a server.
    if len(dns_name(domain)) > 253:
        raise _refusal(text, "is longer than 253 characters")

    return domain


@lru_cache(maxsize=8192)
def domain_of(text: str) -> str:
    """The normalised domain of an address; raises AddressError when the address is none."""
    return parse_address(text).domain


@lru_cache(maxsize=8192)
def dns_name(domain: str) -> str:
    """The A-label form of a normalised domain, as DNS and certificates have it; raises AddressError."""
    if domain.isascii():
        return domain

    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise _refusal(domain, "has no form that DNS can carry") from None


def _refusal(text: str, why: str) -> AddressError:
    return AddressError(f"{text[:100]!r} is no address: {why}")


def _local(text: str) -> str:
    if not text or _ASCII_LOCAL.fullmatch(text):
        return _bounded(text.lower(), text)

    return _bounded(_prepared(f"{text}@a", text, "user"), text)


def _resource(text: str) -> str:
    if not text or _ASCII_RESOURCE.fullmatch(text):
        return _bounded(text, text)

    return _bounded(_prepared(f"a/{text}", text, "resource"), text)


def _bounded(part: str, text: str) -> str:
    # RFC 7622 §3.3.1, §3.4.1: not more than 1023 octets.
    if len(part.encode("utf-8")) > 1023:
        raise _refusal(text, "has a part longer than 1023 octets")

    return part


def _ipv6(domain: str, text: str) -> str:
    # RFC 7622 §3.2: an IPv6 address stands in brackets.
    try:
        return f"[{IPv6Address(domain[1:-1] if domain.endswith(']') else '')}]"
    except AddressValueError:
        raise _refusal(text, "has brackets around what is no IPv6 address") from None


def _unicode_label(label: str, text: str) -> str:
    if label.startswith("xn--"):
        try:
            # Refuses, too, what would not come back as the same A-label.
            return label.encode("ascii").decode("idna")
        except UnicodeError:
            raise _refusal(text, f"has a label that is no A-label: {label!r}") from None

    if label.isascii() and not _ASCII_LABEL.fullmatch(label):
        raise _refusal(text, f"has a label that is none of a domain: {label!r}")

    return label


def _prepared(address: str, text: str, part: Literal["user", "domain", "resource"]) -> str:
    # Loaded late, see above.
    from slixmpp.jid import JID, InvalidJID

    try:
        prepared: str = getattr(JID(address), part)
    except InvalidJID as error:
        raise _refusal(text, str(error)) from None

    return prepared
