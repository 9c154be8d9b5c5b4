"""SIP, SIPS, IM and PRES URIs (RFC 3261 §19.1, RFC 3428 §5), and the name-addr form around them.

Knows the grammar, by way of sipmessage, and keeps every URI as it was written. Does not know what a URI maps to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote

import sipmessage

from simulator.sip.errors import SIPSyntaxError, UnsupportedScheme

_EMPTY: MappingProxyType[str, str | None] = MappingProxyType({})

_NAME_ADDR = re.compile(
    r'\s*(?P<name>"(?:[^"\\]|\\.)*"|[^<>"]*?)\s*<(?P<uri>[^<>]*)>\s*(?P<parameters>(?:;.*)?)', re.DOTALL
)
# RFC 3261 §20.10: without angle brackets, what follows a semicolon belongs to the header, not to the URI.
_ADDR_SPEC = re.compile(r"\s*(?P<uri>[^\s;<>\",?]+)\s*(?P<parameters>(?:;.*)?)", re.DOTALL)
_TAG = re.compile(r";\s*tag\s*=\s*([^;\s,]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class URI:
    """A parsed URI. `raw` is what must be put on the wire: RFC 3261 §19.1.4 compares escapes, so we never re-encode."""

    raw: str
    scheme: str
    """In lower case: ``sip``, ``sips``, ``im`` or ``pres``."""
    user: str
    """Percent-decoded; empty where there is none."""
    host: str
    """As written; an IPv6 address with its brackets."""
    port: int | None
    parameters: MappingProxyType[str, str | None]
    """Names in lower case; values percent-decoded, None for a parameter without ``=``."""


@dataclass(frozen=True, slots=True)
class NameAddress:
    """The value of a From, To or Contact header."""

    uri: str
    """As written, without brackets."""
    name: str
    """The display name, unquoted."""
    parameters: str
    """As written, from the first semicolon on."""

    @property
    def tag(self) -> str | None:
        """The ``tag`` parameter."""
        match = _TAG.search(self.parameters)

        return match[1] if match else None

    def parameter(self, name: str) -> str | None:
        """The value of a header parameter, without quotes; None when absent."""
        match = re.search(rf';\s*{re.escape(name)}\s*=\s*("[^"]*"|[^;\s,]*)', self.parameters, re.IGNORECASE)

        return match[1].strip('"') if match else None


@lru_cache(maxsize=8192)
def parse_uri(raw: str) -> URI:
    """Parse a URI; raises SIPSyntaxError, or UnsupportedScheme for ``tel:`` and the like."""
    scheme, colon, rest = raw.partition(":")
    scheme = scheme.lower()

    if not colon:
        raise SIPSyntaxError(f"not a URI: {raw[:100]!r}")

    if scheme not in ("sip", "sips", "im", "pres"):
        raise UnsupportedScheme(f"URIs of the scheme {scheme[:20]!r} are not supported")

    rest = rest.partition("?")[0] if "@" not in rest else _without_headers(rest)
    userinfo, at, host_part = rest.rpartition("@")

    try:
        # sipmessage refuses im: and pres:, whose grammar (RFC 3860, 3859) is the same as far as we use it.
        parsed = sipmessage.URI.parse(f"sip:{_escaped(userinfo)}{at}{host_part}")
        user = unquote(userinfo.partition(":")[0], errors="strict")
        parameters = _parameters(host_part)
    except ValueError:
        raise SIPSyntaxError(f"not a {scheme} URI: {raw[:100]!r}") from None

    return URI(raw, scheme, user, parsed.host, parsed.port, parameters)


@lru_cache(maxsize=8192)
def parse_name_address(value: str) -> NameAddress:
    """Parse one name-addr or addr-spec with its header parameters; raises SIPSyntaxError."""
    match = _NAME_ADDR.fullmatch(value)

    if match is None:
        match = _ADDR_SPEC.fullmatch(value)
        name = ""
    else:
        name = match["name"]

    if match is None:
        raise SIPSyntaxError(f"not an address: {value[:100]!r}")

    if name.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1], flags=re.DOTALL)

    return NameAddress(match["uri"].strip(), name, match["parameters"])


def split_list(value: str) -> list[str]:
    """Split a header's comma-separated values, minding quotes and angle brackets."""
    if "," not in value:
        return [value.strip()]

    pieces = re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^<>]*>|[^,"<])+', value)

    return [piece.strip() for piece in pieces if piece.strip()]


def _without_headers(rest: str) -> str:
    """Cut ``?name=value`` off; a question mark before the @ belongs to the user part (RFC 3261 §25.1)."""
    userinfo, at, host_part = rest.rpartition("@")

    return f"{userinfo}{at}{host_part.partition('?')[0]}"


def _escaped(userinfo: str) -> str:
    # A user part that IM URIs allow and SIP URIs must escape; sipmessage sees only whether the rest is well-formed.
    return re.sub(r"[#^`{|}]", "_", userinfo)


def _parameters(host_part: str) -> MappingProxyType[str, str | None]:
    _, semicolon, text = host_part.partition(";")

    if not semicolon:
        return _EMPTY

    found: dict[str, str | None] = {}

    for piece in text.split(";"):
        name, equals, value = piece.partition("=")
        # RFC 3261 §19.1.1: "any given parameter-name MUST NOT appear more than once".
        if not name or name.lower() in found:
            raise ValueError(piece)

        found[name.lower()] = unquote(value, errors="strict") if equals else None

    return MappingProxyType(found)
