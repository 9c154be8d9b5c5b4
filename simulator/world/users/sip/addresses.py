"""Addresses of XMPP and URIs of SIP, as a user agent's owner writes and reads them (RFC 7247 §6, XEP-0106).

Knows both spellings. Does not know the gateway, which has other code for the same, on purpose: a mistake in one of them
is seen.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from simulator.sip.errors import SIPError
from simulator.sip.uri import parse_uri

_SCHEME = re.compile(r"(?:sips?|im|pres|tel):", re.IGNORECASE)
_XEP_0106 = {"20": " ", "22": '"', "26": "&", "27": "'", "2f": "/", "3a": ":", "3c": "<", "3e": ">", "40": "@"}


def target_of(to: str) -> str:
    """The URI of an address; what is one already stays as it is."""
    return to if _SCHEME.match(to) else uri_of(to)


def uri_of(address: str) -> str:
    """The SIP URI of an address, by RFC 7247 §6.5 and XEP-0106."""
    bare, _, resource = address.partition("/")
    local, _, domain = bare.rpartition("@")
    plain = re.sub(r"\\([0-9a-f]{2})", lambda match: _XEP_0106.get(match[1], match[0]), local)
    user = quote(plain.replace("\\5c", "\\"), safe="-_.!~*'()&=+$,;?/")
    suffix = f";gr={quote(resource, safe='-_.!~*()[]/:&+$')}" if resource else ""

    return f"sip:{user}@{domain}{suffix}" if user else f"sip:{domain}{suffix}"


def address_of(uri: str) -> str:
    """The address behind a SIP URI, by RFC 7247 §6.4 and XEP-0106; what is no URI is given back as it is."""
    try:
        parsed = parse_uri(uri)
    except SIPError:
        return uri

    escapes = {character: f"\\{code}" for code, character in _XEP_0106.items()}
    user = "".join(escapes.get(character, character) for character in parsed.user)
    resource = parsed.parameters.get("gr")
    bare = f"{user}@{parsed.host}" if user else parsed.host

    return f"{bare}/{resource}" if resource else bare


def bare(address: str) -> str:
    """An address without its resource, in one spelling."""
    return address.partition("/")[0].lower()


def bracketed(host: str) -> str:
    """A host as it stands in a URI."""
    return f"[{host}]" if ":" in host else host
