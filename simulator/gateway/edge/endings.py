"""Decisions about what a peer's mistakes and goodbyes are answered with (RFC 6120 §4.4, §4.8.4, §4.9). Pure.

Knows conditions and elements. Does not know streams.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from simulator.xmpp import first_level
from simulator.xmpp.errors import StreamCondition


def answer_to_violation(condition: StreamCondition) -> StreamCondition | None:
    """The stream error for a peer that broke the protocol; None would let it pass.

    §4.9.1.1: "Stream-level errors are unrecoverable", so the stream is closed with what was found.
    """
    return condition


def answer_to_error(condition: str) -> StreamCondition | None:
    """The stream error with which a peer's stream error is answered: none.

    §4.9.1.1: "The entity that receives the stream error then SHALL close the stream".
    """
    return None


def closing_is_answered() -> bool:
    """§4.4: a closing tag gets a "reciprocal closing stream tag" before the connection ends."""
    return True


def refusal_of_element(element: Element) -> StreamCondition | None:
    """The stream error for a first-level element that is no part of the protocol; None ignores it (§4.8.4)."""
    return first_level.refusal(element)


def stanza_of(element: Element) -> Element | None:
    """What of an element that only looks like a stanza may be passed on: nothing.

    §4.8.4: "an XMPP server MUST NOT route or deliver data […] if that data is (a) qualified by another namespace".
    """
    return None
