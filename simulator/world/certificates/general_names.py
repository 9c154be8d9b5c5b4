"""Subject alternative names, in DER: those that XMPP knows, and those that only look like them.

Knows encodings (RFC 5280 §4.2.1.6). Does not know which name is right for whom.
"""

from __future__ import annotations

import ipaddress

from simulator.world.certificates.der import IA5_STRING, UTF8_STRING, element, explicit, oid

DNS_NAME, URI, IP_ADDRESS = 0x82, 0x86, 0x87
#: RFC 4985 §2, RFC 6120 §13.7.1.4
ON_DNS_SRV, ON_XMPP_ADDR = "1.3.6.1.5.5.7.8.7", "1.3.6.1.5.5.7.8.5"


def dns(name: str | bytes) -> bytes:
    """A DNS-ID: an IA5String, by right; bytes go in as they are."""
    return element(DNS_NAME, name if isinstance(name, bytes) else name.encode("ascii"))


def srv(name: str) -> bytes:
    """An SRV-ID such as ``_xmpp-server.far.example`` (RFC 4985 §2: an IA5String)."""
    return _other(ON_DNS_SRV, element(IA5_STRING, name.encode("ascii")))


def xmpp_addr(address: str, tag: int = UTF8_STRING) -> bytes:
    """An XmppAddr; RFC 6120 §13.7.1.4: "a UTF8String within an otherName entity"."""
    return _other(ON_XMPP_ADDR, element(tag, address.encode("utf-8")))


def uri(text: str) -> bytes:
    """A URI-ID."""
    return element(URI, text.encode("ascii"))


def ip_address(text: str) -> bytes:
    """An IP address; raises ValueError when it is none."""
    return element(IP_ADDRESS, ipaddress.ip_address(text).packed)


def _other(type_: str, value: bytes) -> bytes:
    return explicit(0, oid(type_), explicit(0, value))
