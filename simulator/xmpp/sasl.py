"""The elements of SASL on a stream, and the base 64 in them (RFC 6120 §6.4, §6.5, §13.9.1).

Knows their syntax. Does not know mechanisms, nor the order of an exchange.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from simulator.xmpp.errors import SASLCondition
from simulator.xmpp.namespaces import SASL

AUTH = f"{{{SASL}}}auth"
CHALLENGE = f"{{{SASL}}}challenge"
RESPONSE = f"{{{SASL}}}response"
ABORT = f"{{{SASL}}}abort"
SUCCESS = f"{{{SASL}}}success"
FAILURE = f"{{{SASL}}}failure"
MECHANISMS = f"{{{SASL}}}mechanisms"

_CONDITIONS = {condition.value: condition for condition in SASLCondition}


def mechanisms(*names: str) -> Element:
    """The feature ``<mechanisms/>``, in the order of preference."""
    feature = Element(MECHANISMS)

    for name in names:
        child = Element(f"{{{SASL}}}mechanism")
        child.text = name
        feature.append(child)

    return feature


def offered_mechanisms(features: Iterable[Element]) -> tuple[str, ...]:
    """The mechanisms that these stream features offer."""
    return tuple(
        (child.text or "").strip()
        for feature in features
        if feature.tag == MECHANISMS
        for child in feature.iterfind(f"{{{SASL}}}mechanism")
    )


def is_sasl(element: Element) -> bool:
    """Whether an element belongs to SASL."""
    return element.tag.startswith(f"{{{SASL}}}")


def failure(condition: SASLCondition) -> Element:
    """``<failure/>`` with its condition."""
    element = Element(FAILURE)
    element.append(Element(f"{{{SASL}}}{condition.value}"))

    return element


def failure_condition(element: Element) -> SASLCondition:
    """The condition of a ``<failure/>``.

    §6.5: "if an entity receives a SASL error condition that it does not understand then it MUST treat the unknown
    condition as […] equivalent to <not-authorized/>".
    """
    for child in element:
        namespace, _, name = child.tag[1:].partition("}")

        if namespace == SASL and name in _CONDITIONS:
            return _CONDITIONS[name]

    return SASLCondition.NOT_AUTHORIZED


def encode(data: str) -> str:
    """Base 64; "=" where there is nothing to be said (§6.4.2), which is not the same as saying nothing."""
    return base64.b64encode(data.encode()).decode("ascii") or "="


def decode(text: str) -> bytes | None:
    """The data in base 64; None when it is none.

    §13.9.1: "MUST reject (not ignore) any characters that are not explicitly allowed", the pad "as something other
    than the last character", and "padding bits MUST be set to zero".
    """
    if text == "=":
        return b""

    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None

    # What decodes and is not written like this has bits in its padding, or more of it than there may be.
    return data if base64.b64encode(data).decode("ascii") == text else None
