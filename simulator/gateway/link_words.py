"""What the two halves of the gateway say to each other on the link besides stanzas. Pure.

Knows the elements, in both directions. Does not know what follows from them.

    edge → front end    handed-over     ids of messages that the TCP of a partner has acknowledged
                        domain-lost     a partner's domain whose streams broke, or that cannot be reached
                        domain-back     one of these that can be reached again
    front end → edge    settled         numbers of stanzas whose fate is known: the edge need not answer for them
                        route           whether this edge is the site's XMPP federation route
                        replica         what the edge is to know of partners and domains (see `replica`)

A stanza has for its number its place among the stanzas that this end of the link has sent since the link came up, from
1 on. Numbers are settled in any order: a message may wait half a minute for its reader, and those behind it do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

LINK = "urn:s2sim:link"
HANDED_OVER = f"{{{LINK}}}handed-over"
SETTLED = f"{{{LINK}}}settled"
ROUTE = f"{{{LINK}}}route"
REPLICA = f"{{{LINK}}}replica"
DOMAIN_LOST = f"{{{LINK}}}domain-lost"
DOMAIN_BACK = f"{{{LINK}}}domain-back"


def handed_over(ids: Iterable[str]) -> Element:
    """Of the ids those that can be told: ids that the front end made hold no space, and it waits for no other."""
    return _with_text(HANDED_OVER, " ".join(name for name in ids if name and not any(map(str.isspace, name))))


def settled(numbers: Iterable[int]) -> Element:
    """These stanzas need no answer from the edge."""
    return _with_text(SETTLED, " ".join(map(str, numbers)))


def route(serves: bool) -> Element:
    """Whether the edge at the other end carries stanzas for us."""
    return Element(ROUTE, {"serves": "true" if serves else "false"})


def replica(text: str) -> Element:
    """What the edge is to know."""
    return _with_text(REPLICA, text)


def domain(domain: str, *, lost: bool) -> Element:
    """A partner's domain was lost, or is back."""
    return _with_text(DOMAIN_LOST if lost else DOMAIN_BACK, domain)


def words(element: Element) -> list[str]:
    """The words in an element."""
    return (element.text or "").split()


def numbers(element: Element) -> list[int]:
    """The numbers in an element; whatever is none is passed over."""
    return [int(word) for word in words(element) if word.isascii() and word.isdigit()]


def serves(element: Element) -> bool:
    """What ``<route/>`` says."""
    return element.get("serves") == "true"


def _with_text(tag: str, text: str) -> Element:
    element = Element(tag)
    element.text = text

    return element
