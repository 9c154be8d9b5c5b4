"""The receiving server of SASL EXTERNAL: how a partner answers ``<auth/>``, rightly or as its behaviour says.

Knows RFC 6120 §6.4 and XEP-0178 §3. Does not know how the peer came by its certificate.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from xml.etree.ElementTree import Element

from simulator.world.partner import words
from simulator.world.partner.greeting import footing_of, peer_of
from simulator.world.partner.securing import TLSServer
from simulator.world.partner.stream import EXTERNAL_METHOD, PartnerStream
from simulator.world.partner.trust_words import challenge, encoded, sasl_failure, success
from simulator.xmpp.namespaces import SASL

AUTH, RESPONSE, ABORT = f"{{{SASL}}}auth", f"{{{SASL}}}response", f"{{{SASL}}}abort"

#: Seconds that what was written gets to leave before a reset throws the rest away.
BEFORE_RESET = 0.02


def answer_auth(server: TLSServer, stream: PartnerStream, asked: Element) -> None:
    """Answer ``<auth/>``, ``<response/>`` or ``<abort/>`` on a stream that runs by itself."""
    how, _, condition = stream.behaviour.sasl.partition(" ")

    if how in ("success", "data", "equals"):
        _succeed(server, stream, {"data": encoded("welcome"), "equals": "="}.get(how, ""))
    elif how in ("failure", "closing"):
        stream.send_xml(sasl_failure(condition))

        if how == "closing":
            stream.close()
    elif how == "challenge" and asked.tag == AUTH:
        stream.send_xml(challenge())
    elif how == "close":
        stream.close()
    elif how == "reset":
        asyncio.get_running_loop().call_later(BEFORE_RESET, stream.drop, "reset")
    elif how != "never":
        _answer_honestly(server, stream, asked)


def _answer_honestly(server: TLSServer, stream: PartnerStream, asked: Element) -> None:
    text = (asked.text or "").strip()
    condition = _objection(stream, asked)

    if condition:
        stream.send_xml(sasl_failure(condition))
    elif asked.tag == AUTH and not text:
        # RFC 6120 §6.4.2: without an initial response the mechanism asks for one, which EXTERNAL does in vain words.
        stream.send_xml(challenge())
    else:
        _succeed(server, stream)


def _objection(stream: PartnerStream, asked: Element) -> str:
    """The condition of RFC 6120 §6.5 that stands against it; empty: none."""
    footing = footing_of(stream)
    text = (asked.text or "").strip()

    if asked.tag == ABORT:
        return "aborted"

    if not footing.secured:
        return "encryption-required"

    if asked.tag == AUTH and asked.get("mechanism") not in (words.offered_mechanisms(stream.behaviour, footing) or ()):
        return "invalid-mechanism"

    try:
        identity = "" if text in ("", "=") else base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "incorrect-encoding"

    # XEP-0178 §3: an authorization identity that is not the 'from' of the header is refused.
    if identity and identity.lower() != peer_of(stream):
        return "invalid-authzid"

    return "" if footing.trusted else "not-authorized"


def _succeed(server: TLSServer, stream: PartnerStream, data: str = "") -> None:
    asked = (stream.header.to if stream.header else None) or server.domains[0]
    stream.authenticated(EXTERNAL_METHOD, peer_of(stream), asked)
    stream.send_xml(success(data))
    stream.own_id = server.stream_id()
