"""What the gateway owes a partner's stanza that does not reach a user: pure answers (RFC 6120 §8, RFC 6121 §8.5).

Knows kinds and types of stanzas. Does not know users: whether one is there is told.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from simulator.gateway.frontend.recipients import Target
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.namespaces import SERVER

IQ = f"{{{SERVER}}}iq"
PRESENCE = f"{{{SERVER}}}presence"
PING = "{urn:xmpp:ping}ping"
DISCO_INFO = "http://jabber.org/protocol/disco#info"
DISCO_QUERY = f"{{{DISCO_INFO}}}query"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
ITEMS_QUERY = f"{{{DISCO_ITEMS}}}query"

#: what is told of a device with IM sessions
_OF_SESSIONS = ("http://jabber.org/protocol/chatstates", "http://jabber.org/protocol/xhtml-im")

DELIVER, IGNORE = "deliver", "ignore"


def fault_of_iq(iq: Element) -> StanzaCondition | None:
    """What is wrong with the form of an iq (RFC 6120 §8.2.3), or None."""
    # "An entity that receives a stanza of type "result" or "error" MUST NOT respond": not even to a malformed one.
    if iq.get("type") in ("result", "error"):
        return None

    # "The 'id' attribute is REQUIRED"; for a 'type' that is missing or unknown "MUST return a <bad-request/>".
    if iq.get("id") is None or iq.get("type") not in ("get", "set"):
        return StanzaCondition.BAD_REQUEST

    # "An IQ stanza of type 'get' or 'set' MUST contain exactly one child element".
    return None if len(iq) == 1 else StanzaCondition.BAD_REQUEST


def result_of_iq(iq: Element, *, to_domain: bool) -> Element | None:
    """The result of a well-formed get that we can serve, or None.

    XEP-0199 §4.2 (a server that supports ping answers for its domain) and XEP-0030 §3.1.
    """
    if not to_domain or iq.get("type") != "get":
        return None

    request = iq[0]

    # XEP-0030 §4.1: who has no items answers with an empty query. Users are no items: partners need not know of them.
    if request.tag == ITEMS_QUERY and not request.get("node"):
        result = _empty_result(iq)
        SubElement(result, ITEMS_QUERY)
        return result

    identity = {"category": "gateway", "type": "sip", "name": "SIP gateway"}

    return _ping_or_information(iq, identity, (DISCO_INFO, DISCO_ITEMS, "urn:xmpp:ping"))


def result_for_device(iq: Element, *, sessions: bool) -> Element | None:
    """The result of a well-formed get to a device, which has none of XMPP and so cannot answer; None: nor can we.

    `sessions`: the device takes IM sessions, and with them chat states (XEP-0085 §4 has them found by XEP-0030).
    """
    if iq.get("type") != "get":
        return None

    identity = {"category": "client", "type": "phone", "name": "SIP device"}

    return _ping_or_information(iq, identity, (DISCO_INFO, "urn:xmpp:ping", *(_OF_SESSIONS if sessions else ())))


def _ping_or_information(get: Element, identity: dict[str, str], features: tuple[str, ...]) -> Element | None:
    """The result of a ping, or of a question for the identity and features of the entity itself; None for others."""
    request, result = get[0], _empty_result(get)

    if request.tag == PING:
        return result

    if request.tag != DISCO_QUERY or request.get("node"):
        return None

    query = SubElement(result, DISCO_QUERY)
    SubElement(query, f"{{{DISCO_INFO}}}identity", identity)

    for feature in features:
        SubElement(query, f"{{{DISCO_INFO}}}feature", {"var": feature})

    return result


def _empty_result(get: Element) -> Element:
    return Element(
        IQ, {"from": get.get("to", ""), "to": get.get("from", ""), "id": get.get("id", ""), "type": "result"}
    )


def condition_for_request(known: bool) -> StanzaCondition | None:
    """The answer to a well-formed request that nobody here can serve; `known`: it is to a user who exists.

    RFC 6120 §8.2.3: an iq "get" or "set" MUST be answered; RFC 6121 §8.5.1 and §8.5.2.1.3 want the same answer for
    users that exist and for those that do not.
    """
    return StanzaCondition.SERVICE_UNAVAILABLE


def is_error(message: Element) -> bool:
    """Whether a message reports an error: RFC 6120 §8.3.1 forbids to answer such a one with an error."""
    return message.get("type") == "error"


def fate_of_message(type_: str, target: Target, *, known: bool, reachable: bool) -> str:
    """What becomes of a message that is no error: DELIVER, IGNORE, or the condition that answers it.

    `known`: the user exists. `reachable`: some device takes what is for the user. RFC 6121 §8.5.4 Table 1, with one
    choice in it: where "silently ignore" and "service-unavailable" are both allowed, we answer, which §8.1 wants for
    contacts, and alike for users who are offline and who do not exist, so that nobody learns which (RFC 6120 §13.10.2).
    """
    # §8.5.3.1: "For a message stanza, the server MUST deliver the stanza to the resource."
    if target is Target.MATCH:
        return DELIVER

    # §8.5.2.1.1: "the server MUST NOT deliver the stanza [...] but instead MUST return a stanza error to the sender,
    # which SHOULD be <service-unavailable/>".
    if type_ == "groupchat":
        return StanzaCondition.SERVICE_UNAVAILABLE

    # §8.5.2.2.1: "For a message stanza of type 'headline' or 'error', the server MUST silently ignore the message."
    if type_ == "headline" and target is Target.BARE:
        return DELIVER if reachable else IGNORE

    # §8.5.3.2.1: a chat message to a resource that is gone "MUST" go to one that is there; what is normal or a headline
    # is ignored or answered. RFC 6121 §5.2.2: an unknown type counts as normal.
    return DELIVER if reachable and (target is Target.BARE or type_ == "chat") else StanzaCondition.SERVICE_UNAVAILABLE
