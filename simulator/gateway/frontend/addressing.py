r"""Addresses of SIP and XMPP into each other (RFC 7247 §6).

Knows escaping. Does not know who exists.

Where we go beyond the RFC's algorithm, and why. Its steps 5 (§6.4) and 3 (§6.5) name three characters, & ' and /,
but its own Table 1 also forbids space " : < > and @ in a local part, and all of them can stand percent-encoded in a
SIP user part: by the letter of §6.4, ``sip:a%40b@x`` would become ``a@b@x``, which is no address, or another's. §6.2,
on which both algorithms rest, speaks of "each reserved character". So all of XEP-0106 applies, in both directions:
nine characters, and the backslash where it would be mistaken for an escape. That makes the mapping one to one: what
comes back is what went in. A local part that XEP-0106 would have written otherwise (``a\5cb`` for ``a\b``) is refused
as malformed, for it would share its SIP address with another person's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

from simulator.sip.errors import SIPSyntaxError
from simulator.sip.uri import parse_uri
from simulator.xmpp.address import Address, AddressError, dns_name, parse_address

_ESCAPES = {" ": "20", '"': "22", "&": "26", "'": "27", "/": "2f", ":": "3a", "<": "3c", ">": "3e", "@": "40"}
_CHARACTERS = {code: character for character, code in _ESCAPES.items()} | {"5c": "\\"}
_CODES = "|".join(_CHARACTERS)
_TO_ESCAPE = re.compile(rf"""[ "&'/:<>@]|\\(?={_CODES})""")
_TO_UNESCAPE = re.compile(rf"\\({_CODES})")

# RFC 3261 §25.1: unreserved and user-unreserved. `quote` encodes all else: a superset of the #%[\]^`{|} of §6.5 step 5,
# because the characters that come out of XEP-0106 escapes must be encoded as well.
_USER_SAFE = "-_.!~*'()&=+$,;?/"
# RFC 3261 §25.1, paramchar
_PARAMETER_SAFE = "-_.!~*'()[]/:&+$"


@lru_cache(maxsize=8192)
def address_of(uri: str) -> Address:
    """The XMPP address of a SIP, SIPS, IM or PRES URI (§6.4), normalised; raises SIPSyntaxError, UnsupportedScheme.

    Whether a message to a SIPS URI may cross at all is another question: `rules.may_cross`.
    """
    parsed = parse_uri(uri)
    local = _escape(parsed.user)
    # §6.3: "The mapping described here does not apply to temporary GRUUs", whose gr parameter has no value
    # (RFC 5627 §3.2).
    resource = parsed.parameters.get("gr")

    try:
        text = f"{local}@{parsed.host}" if local else parsed.host
        return parse_address(f"{text}/{resource}" if resource else text)
    except AddressError as error:
        raise SIPSyntaxError(str(error)) from None


@lru_cache(maxsize=8192)
def uri_of(address: str) -> str:
    """The SIP URI of an XMPP address (§6.5), its resource as ``gr``; raises AddressError."""
    parsed = parse_address(address)
    local = _unescape(parsed.local)

    if _escape_text(local) != parsed.local:
        raise AddressError(f"{address[:100]!r} is not escaped as XEP-0106 has it")

    # §6.1: "IDNs are not allowed in the SIP address format".
    user = f"{quote(local, safe=_USER_SAFE)}@" if local else ""
    resource = f";gr={quote(parsed.resource, safe=_PARAMETER_SAFE)}" if parsed.resource else ""

    return f"sip:{user}{dns_name(parsed.domain)}{resource}"


def _escape(user: str) -> str:
    # XEP-0106 §4.2: a localpart must neither begin nor end with an escaped space.
    if user != user.strip(" "):
        raise SIPSyntaxError("a user part that begins or ends with a space has no XMPP address")

    return _escape_text(user)


def _escape_text(text: str) -> str:
    return _TO_ESCAPE.sub(lambda match: "\\" + (_ESCAPES.get(match[0]) or "5c"), text)


def _unescape(local: str) -> str:
    return _TO_UNESCAPE.sub(lambda match: _CHARACTERS[match[1]], local)
