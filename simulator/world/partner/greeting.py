"""How a partner answers the header of a stream that reached it.

Knows header and features, and how far the stream has come. Does not know what may stand in the way of an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.world.partner import words
from simulator.world.partner.shown import is_good_for
from simulator.world.partner.stream import PartnerStream


def peer_of(stream: PartnerStream) -> str:
    """The domain that the peer's header says it is."""
    return (stream.header.sender or "" if stream.header else "").lower()


def footing_of(stream: PartnerStream) -> words.Footing:
    """How far a stream has come, as far as features go."""
    return words.Footing(
        secured=stream.tls is not None,
        trusted=is_good_for(stream.tls, peer_of(stream)),
        authenticated=stream.authenticated_by_sasl,
    )


def greet(
    stream: PartnerStream, domains: Sequence[str], header: words.Header | None = None, features: str | None = None
) -> None:
    """Answer the peer's header with ours and, from version 1.0 on, with features (RFC 6120 §4.3.2).

    `features` is XML that stands instead of those of the behaviour; "" is none at all.
    """
    theirs = stream.header
    ours = header or usual_header(stream, domains)
    stream.send_header(ours)

    if ours.version and not (theirs and theirs.version is None):
        text = words.features(stream.behaviour, footing_of(stream)) if features is None else features

        if text:
            stream.send_xml(text)


def usual_header(stream: PartnerStream, domains: Sequence[str]) -> words.Header:
    """The header that answers the peer's: from the domain that it asked for, or the first of ours."""
    theirs = stream.header

    return words.header(
        stream.behaviour,
        sender=(theirs.to if theirs else None) or domains[0],
        to=theirs.sender if theirs else None,
        stream_id=stream.own_id,
    )
