"""What a partner says, as text: headers, features, dialback, errors.

Knows how each behaviour spells it, rightly or wrongly on purpose. Does not know when it is said. Text and not the
engine of `xmpp`, so that a partner can say what no engine would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from simulator.world.behaviour import Behaviour
from simulator.world.partner.trust_words import able_of_starttls, mechanisms, qualified_element, starttls
from simulator.xmpp.namespaces import DIALBACK, DIALBACK_FEATURE, STANZA_ERRORS, STREAM_ERRORS

#: The names by which a scenario overrides parts of a header, and the fields they set.
HEADER_KEYS = {
    "from": "sender",
    "to": "to",
    "id": "id",
    "version": "version",
    "xml:lang": "lang",
    "lang": "lang",
    "xmlns": "content_namespace",
    "xmlns:stream": "stream_namespace",
    "xmlns:db": "dialback_namespace",
    "declaration": "declaration",
    "raw": "raw",
}


@dataclass(frozen=True, kw_only=True)
class Header:
    """One opening tag as it will stand on the wire; None leaves an attribute out."""

    sender: str | None = None
    to: str | None = None
    id: str | None = None
    version: str | None = "1.0"
    lang: str | None = None
    content_namespace: str | None = "jabber:server"
    stream_namespace: str = "http://etherx.jabber.org/streams"
    dialback_namespace: str | None = DIALBACK
    dialback_prefix: str = "db"
    prefix_free: bool = False
    declaration: str | None = "<?xml version='1.0'?>"
    raw: str | None = None
    """Stands instead of everything."""

    def text(self) -> str:
        """The declaration and the opening tag."""
        if self.raw is not None:
            return self.raw

        # RFC 6120 §4.8.2: the content namespace may be declared as the default on the stream header, or the stream
        # namespace may be the default and the content namespace stands on each stanza (the example of §9.2.1).
        name = "stream" if self.prefix_free else "stream:stream"
        attributes = {
            "xmlns": self.stream_namespace if self.prefix_free else self.content_namespace,
            "xmlns:stream": None if self.prefix_free else self.stream_namespace,
            f"xmlns:{self.dialback_prefix}": self.dialback_namespace,
            "from": self.sender,
            "to": self.to,
            "id": self.id,
            "version": self.version,
            "xml:lang": self.lang,
        }

        return f"{self.declaration or ''}{_tag(name, attributes)[:-2]}>"

    def overridden(self, given: Mapping[str, Any]) -> Header:
        """With what a scenario gives (keys of HEADER_KEYS; null leaves out); raises ValueError for other keys."""
        unknown = set(given) - set(HEADER_KEYS)

        if unknown:
            raise ValueError(f"a header has no {', '.join(sorted(unknown))}: there are {', '.join(HEADER_KEYS)}")

        changes: dict[str, Any] = {
            HEADER_KEYS[key]: None if value is None else str(value) for key, value in given.items()
        }

        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class Footing:
    """How far a stream has come, as far as it decides which features are offered."""

    secured: bool = False
    """TLS is there."""
    trusted: bool = False
    """The peer's certificate is good for the domain in its header."""
    authenticated: bool = False
    """SASL has succeeded."""


def header(behaviour: Behaviour, *, sender: str, to: str | None, stream_id: str | None) -> Header:
    """The header that this behaviour sends; `stream_id` is for the answer to somebody else's (RFC 6120 §4.7.3)."""
    return Header(
        sender=sender if behaviour.sends_from else None,
        to=to if behaviour.sends_to else None,
        id=stream_id if behaviour.sends_id else None,
        version=behaviour.version,
        content_namespace=behaviour.content_namespace,
        stream_namespace=behaviour.stream_namespace,
        # XEP-0220 §2.4.1: the declaration in the header is what announces dialback.
        dialback_namespace=DIALBACK if behaviour.announces_dialback else None,
        dialback_prefix=behaviour.dialback_prefix,
        prefix_free=behaviour.prefix_free,
    )


def features(behaviour: Behaviour, footing: Footing = Footing()) -> str:
    """The stream features of the receiving server at this point, or "" when none are sent."""
    if behaviour.features == "none":
        return ""

    usual = {"errors", "dialback"}
    given = "" if behaviour.features == "empty" else behaviour.features

    return element(behaviour, "features", _offered(behaviour, footing) if given in usual else given)


def _offered(behaviour: Behaviour, footing: Footing) -> str:
    required = behaviour.tls == "required" and behaviour.offers_starttls and not footing.secured
    inside = ""

    # RFC 6120 §5.4.3.3: over TLS, STARTTLS MUST NOT be offered again.
    if (
        behaviour.offers_starttls_again
        if footing.secured
        else behaviour.offers_starttls and able_of_starttls(behaviour)
    ):
        inside += starttls(required=required)

    offered = offered_mechanisms(behaviour, footing)
    inside += "" if offered is None else mechanisms(*offered)

    # RFC 6120 §5.3.1: where TLS is mandatory to negotiate, nothing else is offered before it.
    if behaviour.dialback and not required:
        # XEP-0220 §2.4.2
        inside += qualified_element("dialback", DIALBACK_FEATURE, "<errors/>" if behaviour.features == "errors" else "")

    return inside


def offered_mechanisms(behaviour: Behaviour, footing: Footing) -> list[str] | None:
    """The SASL mechanisms that are offered at this point; None: not even the feature."""
    if not footing.secured:
        return ["EXTERNAL"] if behaviour.mechanisms_before_tls else None

    if footing.authenticated or behaviour.mechanisms == "stripped":
        return None

    if behaviour.mechanisms == "right":
        # XEP-0178 §3: EXTERNAL is offered when the certificate of the peer could be verified.
        return ["EXTERNAL"] if behaviour.external and footing.trusted else None

    return [] if behaviour.mechanisms == "empty" else behaviour.mechanisms.split()


def element(behaviour: Behaviour, name: str, inside: str = "") -> str:
    """An element of the stream namespace."""
    prefix = "" if behaviour.prefix_free else "stream:"

    return f"<{prefix}{name}>{inside}</{prefix}{name}>" if inside else f"<{prefix}{name}/>"


def closing(behaviour: Behaviour) -> str:
    """The closing tag of the stream."""
    return "</stream>" if behaviour.prefix_free else "</stream:stream>"


def stream_error(behaviour: Behaviour, condition: str, text: str = "") -> str:
    """RFC 6120 §4.9.2."""
    said = f"<text xmlns='{STREAM_ERRORS}' xml:lang='en'>{escape(text)}</text>" if text else ""

    return element(behaviour, "error", f"<{condition} xmlns='{STREAM_ERRORS}'/>{said}")


def dialback(
    behaviour: Behaviour,
    name: str,
    *,
    sender: str,
    to: str,
    stream_id: str | None = None,
    type_: str | None = None,
    key: str = "",
    condition: str = "",
) -> str:
    """``<db:result/>`` or ``<db:verify/>``: a request with a key, or an answer with a type (XEP-0220 §2)."""
    prefix = behaviour.dialback_prefix
    attributes = {"from": sender, "to": to, "id": stream_id, "type": type_}

    if not behaviour.announces_dialback:
        attributes = {f"xmlns:{prefix}": DIALBACK, **attributes}

    inside = escape(key)

    if condition:
        # XEP-0220 §2.5: the error element is qualified by the content namespace.
        content = f" xmlns='{behaviour.content_namespace}'" if behaviour.prefix_free else ""
        inside = f"<error{content} type='cancel'><{condition} xmlns='{STANZA_ERRORS}'/></error>"

    opening = _tag(f"{prefix}:{name}", attributes)

    return f"{opening[:-2]}>{inside}</{prefix}:{name}>" if inside else opening


def qualified(behaviour: Behaviour, xml: str) -> str:
    """A stanza given as text, with its namespace declared where the header does not do it."""
    if not behaviour.prefix_free:
        return xml

    return re.sub(
        r"^(\s*<(?!(?:features|error)\b)[A-Za-z_][\w.-]*)(?=[\s/>])(?![^>]*\sxmlns=)",
        rf"\1 xmlns='{behaviour.content_namespace}'",
        xml,
    )


def _tag(name: str, attributes: Mapping[str, str | None]) -> str:
    return f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in attributes.items() if value is not None)}/>"
