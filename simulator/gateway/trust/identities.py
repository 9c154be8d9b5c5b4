"""The names in a certificate, and whether one of them is the domain that is asked for (RFC 6125, RFC 9525).

Knows identifiers and how each kind is compared. Does not know who signed the certificate, nor what it is shown for.
Rule 1: what is malformed matches nothing, and raises nothing. Rule 2: nothing is repaired before it is compared: no
space is stripped, no dot, and no text is cut at a NUL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from simulator.xmpp.address import AddressError, dns_name, normalize_domain

#: id-on-dnsSRV (RFC 4985 §2) and id-on-xmppAddr (RFC 6120 §13.7.1.4)
SRV_NAME, XMPP_ADDR = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7"), x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")
SERVICE = "_xmpp-server"

_UTF8_STRING, _IA5_STRING = 0x0C, 0x16
_IPV4 = re.compile(r"[0-9]+(\.[0-9]+){3}")
# RFC 6125 §7.2 warns of "*.co.uk": these labels under a country's are open to everybody almost everywhere.
# COMPAT: the whole list of public suffixes is data that changes weekly; authorities are bound to it (CA/Browser
# Forum Baseline Requirements §3.2.2.6), we catch what needs no list.
_OPEN_LABELS = frozenset({"ac", "co", "com", "edu", "gov", "mil", "net", "org"})
# RFC 7622 §3: the longest part of an address, in octets.
_LONGEST_ADDRESS = 1023


@dataclass(frozen=True, kw_only=True)
class Identities:
    """Every name in a certificate, as it stands there, by the kinds of RFC 6125 §1.8."""

    dns_ids: tuple[str, ...] = ()
    srv_ids: tuple[str, ...] = ()
    xmpp_addrs: tuple[str, ...] = ()
    uri_ids: tuple[str, ...] = ()
    common_names: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """What can prove a domain: common names and URIs are not among it."""
        return self.dns_ids + self.srv_ids + self.xmpp_addrs


def extensions_of(certificate: x509.Certificate) -> x509.Extensions | None:
    """The extensions, or None when one of them cannot be read or stands twice (RFC 5280 §4.2 forbids that)."""
    try:
        return certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def presented(certificate: x509.Certificate) -> Identities:
    """The names in the certificate; those that are malformed are left out."""
    common = _common_names(certificate)
    extensions = extensions_of(certificate) or ()
    names = [one.value for one in extensions if isinstance(one.value, x509.SubjectAlternativeName)]

    if not names:
        return Identities(common_names=common)

    others = names[0].get_values_for_type(x509.OtherName)

    return Identities(
        dns_ids=tuple(names[0].get_values_for_type(x509.DNSName)),
        # RFC 4985 §2: "SRVName ::= IA5String"
        srv_ids=_texts(others, SRV_NAME, _IA5_STRING),
        # RFC 6120 §13.7.1.4: "XmppAddr ::= UTF8String"
        xmpp_addrs=_texts(others, XMPP_ADDR, _UTF8_STRING),
        uri_ids=tuple(names[0].get_values_for_type(x509.UniformResourceIdentifier)),
        common_names=common,
    )


def wildcard_matches(pattern: str, name: str) -> bool:
    """Whether a name with a wildcard covers another; both are in lower case A-labels."""
    # RFC 6120 §13.7.1.2.1: names "MAY contain the wildcard character '*' as the complete left-most label". So RFC 6125
    # §6.4.3's part of a label (f*.example, xn--*.example) never counts, nor does a star in any other label.
    star, _, parent = pattern.partition(".")

    if star != "*" or "*" in parent:
        return False

    # RFC 6125 §6.4.3: not "anything but the left-most label": neither b.a.example nor example itself.
    label, _, rest = name.partition(".")

    return bool(label) and rest == parent and not is_public_suffix(parent)


def is_public_suffix(parent: str) -> bool:
    """Whether strangers share this domain, as far as its form tells: a single label, or one like ``co.uk``."""
    # RFC 6125 §7.2: "a so-called 'public suffix' (e.g., *.co.uk or *.com)"
    *before, last = parent.split(".")

    return not before or (len(before) == 1 and len(last) == 2 and before[0] in _OPEN_LABELS)


def dns_id_matches(name: str, domain: str, wildcard_matches: Callable[[str, str], bool] = wildcard_matches) -> bool:
    """Compare a DNS-ID with a domain in lower case A-labels."""
    # RFC 5280 §4.2.1.6: a dNSName is an IA5String; and Unicode has letters whose lower case is ASCII (K, the Kelvin
    # sign), so a U-label must never come as far as being lowered.
    if not name.isascii():
        return False

    # RFC 6125 §6.4.1: "a case-insensitive ASCII comparison", label by label
    name = name.lower()

    return name == domain or wildcard_matches(name, domain)


def srv_id_matches(name: str, domain: str, wildcard_matches: Callable[[str, str], bool] = wildcard_matches) -> bool:
    """Compare an SRV-ID with a domain in lower case A-labels."""
    service, _, rest = name.partition(".")

    # RFC 6125 §6.5.1: "The application service name portion of an SRV-ID […] MUST be matched in a case-insensitive
    # manner"; a certificate for _xmpp-client says nothing about servers among themselves (§6.5).
    return service.isascii() and service.lower() == SERVICE and dns_id_matches(rest, domain, wildcard_matches)


def xmpp_addr_matches(address: str, domain: str) -> bool:
    """Compare an xmppAddr with a domain in lower case A-labels."""
    if len(address) > _LONGEST_ADDRESS:
        return False

    # Most names in a certificate of many are for somebody else: those cost no normalisation.
    if address.isascii() and "xn--" not in address.lower():
        return address.lower().removesuffix(".") == domain

    try:
        # RFC 6120 §13.7.1.2.1: a server is named by a domainpart; an address with a user or a resource is a client's.
        # It is an address, thus in Unicode, and compared as RFC 7622 §3.2 has it; no wildcard is known there.
        return dns_name(normalize_domain(address)) == domain
    except AddressError:
        return False


def uri_id_matches(uri: str, domain: str) -> bool:
    """RFC 6120 §13.7.1.2.1 knows DNS-ID, SRV-ID and XmppAddr: a URI proves nothing, not even ``xmpp:domain``."""
    return False


def common_name_matches(name: str, domain: str) -> bool:
    """RFC 9525 §2: "the Common Name […] MUST NOT be used to identify a service", SANs or not."""
    # COMPAT: RFC 6125 §6.4.4 let a client look there as a last resort where no SAN stands at all.
    return False


def identities_match(
    identities: Identities,
    domain: str,
    *,
    wildcard_matches: Callable[[str, str], bool] = wildcard_matches,
    dns_id_matches: Callable[..., bool] = dns_id_matches,
    srv_id_matches: Callable[..., bool] = srv_id_matches,
    xmpp_addr_matches: Callable[[str, str], bool] = xmpp_addr_matches,
    uri_id_matches: Callable[[str, str], bool] = uri_id_matches,
    common_name_matches: Callable[[str, str], bool] = common_name_matches,
) -> bool:
    """Whether one of the names is this domain (RFC 6120 §13.7.2.1); the domain may be in any spelling."""
    wanted = reference(domain)

    if wanted is None:
        return False

    # RFC 6125 §6.2.1: the reference is what was asked for, never what DNS made of it: no SRV target comes in here.
    return (
        any(dns_id_matches(name, wanted, wildcard_matches) for name in identities.dns_ids)
        or any(srv_id_matches(name, wanted, wildcard_matches) for name in identities.srv_ids)
        or any(xmpp_addr_matches(address, wanted) for address in identities.xmpp_addrs)
        or any(uri_id_matches(uri, wanted) for uri in identities.uri_ids)
        or any(common_name_matches(name, wanted) for name in identities.common_names)
    )


def matches(certificate: x509.Certificate, domain: str) -> bool:
    """Whether the certificate names this domain; says nothing about whether it can be trusted."""
    return identities_match(presented(certificate), domain)


def reference(domain: str) -> str | None:
    """The domain as certificates have it: lower case A-labels; None for what no certificate can name for XMPP."""
    try:
        # RFC 6125 §6.4.2: "MUST convert any U-labels in the domain name to A-labels before checking the domain name"
        name = dns_name(normalize_domain(domain))
    except AddressError:
        return None

    # RFC 6120 §13.7.1.2.1 has no identifier for addresses of the Internet Protocol, and a dNSName is none.
    return None if name.startswith("[") or _IPV4.fullmatch(name) else name


def _common_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        attributes = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return ()

    return tuple(str(attribute.value) for attribute in attributes if isinstance(attribute.value, str))


def _texts(others: list[x509.OtherName], kind: x509.ObjectIdentifier, tag: int) -> tuple[str, ...]:
    texts = (string(tag, other.value) for other in others if other.type_id == kind)

    return tuple(text for text in texts if text is not None)


def string(tag: int, der: bytes) -> str | None:
    """The text of one DER string with this tag; None for any other type, length or encoding, and for more than one."""
    if len(der) < 2 or der[0] != tag:
        return None

    length, start = der[1], 2

    if length >= 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(der[2:start], "big")

        # X.690 §10.1: "the minimum number of octets"; this refuses the indefinite form (no octets), too.
        if length < 0x80 or der[2] == 0:
            return None

    if len(der) != start + length:
        return None

    try:
        return der[start:].decode("utf-8" if tag == _UTF8_STRING else "ascii")
    except UnicodeDecodeError:
        return None
