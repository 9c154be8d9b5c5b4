"""The receiving server of STARTTLS: how a partner answers ``<starttls/>``, rightly or as its behaviour says.

Knows RFC 6120 §5.4.2 and §5.4.3. Does not know certificates: those are `papers`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from simulator.world.behaviour import Behaviour
from simulator.world.partner import words
from simulator.world.partner.greeting import greet, usual_header
from simulator.world.partner.papers import Papers, Terms
from simulator.world.partner.reading import ignore
from simulator.world.partner.stream import PartnerStream
from simulator.world.partner.trust_words import PROCEED, TLS_FAILURE, able_of_starttls
from simulator.xmpp.namespaces import TLS

STARTTLS = f"{{{TLS}}}starttls"

#: A fatal alert handshake_failure, as a record of its own (RFC 8446 §6).
ALERT = bytes.fromhex("15 03 03 00 02 02 28")


class TLSServer(Protocol):
    """What TLS and SASL need of their partner."""

    domains: tuple[str, ...]
    behaviour: Behaviour
    papers: Papers

    def stream_id(self) -> str:
        """The id of another stream."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside, cancelled when the partner stops."""


def answer_starttls(server: TLSServer, stream: PartnerStream) -> None:
    """Answer ``<starttls/>`` on a stream that runs by itself."""
    how = stream.behaviour.starttls

    if how == "failure" or not able_of_starttls(stream.behaviour):
        # RFC 6120 §5.4.2.2: also where it was not offered; the failure is followed by the closing tag, and the
        # connection ends.
        stream.send_xml(TLS_FAILURE)
        stream.close()
    elif how in ("proceed", "injected"):
        server.spawn(proceed(server, stream, _injected(server, stream) if how == "injected" else ""))
    elif how != "never":
        stream.send_xml(PROCEED)
        _break_off(server.domains, stream, how)


async def proceed(server: TLSServer, stream: PartnerStream, behind: str = "", terms: Terms | None = None) -> None:
    """Say ``<proceed/>``, with text in the clear `behind` it, and let the handshake begin."""
    asked = (stream.header.to if stream.header else None) or ""
    stream.send_xml(PROCEED + behind)
    await stream.sent()
    stream.secure(server.papers.as_server(terms or server.papers.terms(asked)))
    # RFC 6120 §5.4.3.3: the receiving entity MUST generate a new stream ID.
    stream.own_id = server.stream_id()


def _injected(server: TLSServer, stream: PartnerStream) -> str:
    header = usual_header(stream, server.domains)

    return header.text() + words.features(stream.behaviour, words.Footing(secured=True, trusted=True))


def _break_off(domains: Sequence[str], stream: PartnerStream, how: str) -> None:
    """What else may come behind ``<proceed/>``."""

    def on_client_hello(_: bytes) -> None:
        stream.on_bytes = ignore

        if how == "reset":
            stream.drop("reset")
        elif how == "alert":
            stream.send_bytes(ALERT)
            stream.drop()
        elif how == "garbage":
            stream.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    stream.on_bytes = on_client_hello

    if how == "close":
        stream.drop()
    elif how == "plaintext":
        greet(stream, domains)
