"""The four elements of STARTTLS (RFC 6120 §5.4): the feature, the command and its two answers.

Knows their syntax. Does not know TLS, nor when TLS is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from simulator.xmpp.namespaces import TLS

STARTTLS = f"{{{TLS}}}starttls"
PROCEED = f"{{{TLS}}}proceed"
FAILURE = f"{{{TLS}}}failure"
REQUIRED = f"{{{TLS}}}required"


def feature(required: bool = False) -> Element:
    """``<starttls/>`` as a stream feature, with ``<required/>`` where nothing goes on without."""
    element = Element(STARTTLS)

    if required:
        element.append(Element(REQUIRED))

    return element


def command() -> Element:
    """``<starttls/>`` as said by who wants to begin."""
    return Element(STARTTLS)


def is_well_formed(element: Element) -> bool:
    """Whether a command says what a command may: nothing but its name (the schema of appendix A.3.1, §5.4.2.1)."""
    return element.tag == STARTTLS and not len(element) and not (element.text or "").strip()


def is_offered(features: Iterable[Element]) -> bool:
    """Whether STARTTLS is among the features."""
    return any(element.tag == STARTTLS for element in features)


def is_mandatory(features: Iterable[Element]) -> bool:
    """Whether nothing goes on without TLS.

    §5.3.1: "If the receiving entity advertises only the STARTTLS feature or if the receiving entity includes the
    <required/> child element […] the parties MUST consider TLS as mandatory-to-negotiate."
    """
    features = tuple(features)
    commands = [element for element in features if element.tag == STARTTLS]
    required = any(command.find(REQUIRED) is not None for command in commands)

    return bool(commands) and (required or len(commands) == len(features))
