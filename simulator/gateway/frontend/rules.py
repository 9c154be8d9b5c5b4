"""Every decision of the front end, each a field that can be replaced to make a deliberate defect.

Knows what is decided. Does not know how it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from simulator.gateway.frontend.addressing import address_of, uri_of
from simulator.gateway.frontend.bounce import may_report
from simulator.gateway.frontend.delivery import best_answer
from simulator.gateway.frontend.presence.rules import PresenceRules
from simulator.gateway.frontend.recipients import Standing, matches, recipients
from simulator.gateway.frontend.sessions.rules import SessionRules
from simulator.gateway.frontend.stanzas import (
    condition_for_request,
    fate_of_message,
    fault_of_iq,
    is_error,
    result_for_device,
    result_of_iq,
)
from simulator.gateway.frontend.translation import READABLE, Content, content_of, stanza_of
from simulator.sip.errors import code_for_condition, condition_for_code
from simulator.sip.identifiers import id_in_branch
from simulator.sip.uri import URI
from simulator.xmpp.address import Address
from simulator.xmpp.element import make_error
from simulator.xmpp.errors import StanzaCondition

#: methods that exist (RFC 3261 and its extensions): those that are not served here are answered 405, and others 501
KNOWN_METHODS = frozenset(
    {"ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "PUBLISH", "REFER", "REGISTER"}
    | {"SUBSCRIBE", "UPDATE"}
)
#: methods that make no sense in a dialog that is not there (RFC 3261 §12.2.2)
METHODS_OF_DIALOGS = frozenset({"BYE", "INFO", "INVITE", "MESSAGE", "NOTIFY", "PRACK", "REFER", "SUBSCRIBE", "UPDATE"})

#: lists of contacts in one subscription, as RFC 4662 and Lync's clients have them
EXTENSIONS = frozenset({"adhoclist", "categorylist", "eventlist"})


def code_for_method(method: str, served: Collection[str]) -> int:
    """0 for a method that is served, else the refusal: 405 or 501 (RFC 3261 §8.2.1, §21.5.2).

    "This is the appropriate response when a UAS does not recognize the request method" says §21.5.2 of 501.
    """
    if method in served:
        return 0

    # §9.2: a CANCEL that matches no transaction is answered 481.
    if method == "CANCEL":
        return 481

    return 405 if method in KNOWN_METHODS else 501


def sender_is_registered(flow: object, flows: Collection[object]) -> bool:
    """Whether a user may send over the connection `flow`, having registered over `flows`.

    There are no passwords on this side of the gateway: the registration is what ties a name to a connection, and a
    message in a name that did not register on it is answered 403.
    """
    return flow in flows


def may_cross(request_uri: URI, to: URI) -> bool:
    """RFC 7247 §8: "if the To header or Request-URI of a SIP message is a SIPS URI then the SIP-to-XMPP gateway MUST
    NOT translate the SIP message into an XMPP stanza and MUST NOT route it to the destination XMPP server"."""
    return request_uri.scheme != "sips" and to.scheme != "sips"


def condition_for_answer(code: int, has_new_address: bool) -> str:
    """The XMPP condition for the final SIP error to a message of a partner's user.

    RFC 7247 Table 3 note 1: for a 301 "the <gone/> element MUST include [...] the new address". A 301 that names none
    cannot become one; it is then treated as any other 3xx.
    """
    return StanzaCondition.REDIRECT if code == 301 and not has_new_address else condition_for_code(code)


@dataclass(frozen=True)
class FrontEndRules:
    """What the front end decides; the defaults are right."""

    # -- SIP to XMPP
    code_for_method: Callable[[str, Collection[str]], int] = code_for_method
    methods_of_dialogs: Set[str] = METHODS_OF_DIALOGS
    extensions: Set[str] = EXTENSIONS
    """Option tags, in lower case, that a Require header may name."""
    sender_is_registered: Callable[[object, Collection[object]], bool] = sender_is_registered
    may_cross: Callable[[URI, URI], bool] = may_cross
    address_of: Callable[[str], Address] = address_of
    id_of: Callable[[str], str] = id_in_branch
    """RFC 7572 Table 2: transaction identifier (the branch) to id."""
    stanza_of: Callable[..., Element] = stanza_of
    """RFC 7572 Table 2; called as ``stanza_of(request, sender=..., to=..., id=..., readable=...)``."""
    readable: tuple[str, ...] = READABLE
    """Media types of a body; any other is answered 415."""
    waits_for_edge: bool = True
    """Whether a MESSAGE is answered only when the edge handed it over or bounced it."""
    success_code: int = 200
    """RFC 7572 §5 wants "a SIP 200 OK"; RFC 3428 §7, older, would have a relay into another network answer 202."""
    code_for_error: Callable[..., int] = code_for_condition
    """Called as ``code_for_error(condition, full=..., new_address=...)``."""
    answers_when_link_is_down: bool = True
    may_report: Callable[[Address | None, Address], bool] = may_report
    """Whether an error is believed, called with whom it is from and whom the message was for."""
    tells_of_late_errors: bool = True
    """Whether a device hears of an error that came after its message was accepted, where there is a way."""

    # -- XMPP to SIP
    is_error: Callable[[Element], bool] = is_error
    faces_gates: Callable[[Element], bool] = lambda message: True
    """Whether a message, which is no error, is held against the gates and whom the user has blocked.

    All are: a chat state and a receipt tell the user of somebody as words do.
    """
    fate_of_message: Callable[..., str | None] = fate_of_message
    """Called as ``fate_of_message(type, target, known=..., reachable=...)``: ``deliver``, ``ignore`` or a condition."""
    matches: Callable[[str, str], bool] = matches
    """Whether a device is the one that a full address names, called with its resource and the other's."""
    recipients: Callable[[str, Sequence[Standing]], list[int]] = recipients
    recipient_of: Callable[[Address, str], Address] = lambda to, resource: to.bare
    """Whom a message that reaches a device says it is for, called with what its sender wrote and the device's resource.

    RFC 6121 §8.5.2.1.1: "the server MUST NOT rewrite the 'to' attribute" of what is for a bare address. RFC 7572 Table
    1 makes the To header of it, where a user agent expects its address-of-record.
    """
    fault_of_iq: Callable[[Element], StanzaCondition | None] = fault_of_iq
    result_of_iq: Callable[..., Element | None] = result_of_iq
    """Called as ``result_of_iq(iq, to_domain=...)``."""
    result_for_device: Callable[..., Element | None] = result_for_device
    """Called as ``result_for_device(iq, sessions=...)``."""
    may_ask_device: Callable[[bool], bool] = lambda shares: shares
    """Whether a request reaches the device that it is for, called with whether who asks may know that it is there.

    RFC 6121 §8.5.3.1: "the server SHOULD NOT deliver the IQ stanza" else, "to prevent presence leaks".
    """
    condition_for_request: Callable[[bool], StanzaCondition | None] = condition_for_request
    """Called with whether the request is to a user who exists; None leaves it unanswered."""
    error_for: Callable[..., Element] = make_error
    content_of: Callable[[Element], Content | None] = content_of
    """RFC 7572 Table 1."""
    uri_of: Callable[[str], str] = uri_of
    condition_for_answer: Callable[[int, bool], str] = condition_for_answer
    best_answer: Callable[[Sequence[int]], int] = best_answer
    """Which of several devices' final answers counts, called with their codes as they came; the number of one."""
    returns_errors: bool = True
    """Whether a message that a SIP user refused is answered with an error stanza."""
    message_limit: int | None = None
    """Largest MESSAGE in bytes that a partner's user may cause; None: as large as a stanza may be.

    RFC 7572 §6: a gateway SHOULD return policy-violation for "an XMPP message stanza that would result in a SIP
    MESSAGE greater than 1300 bytes". The only reason that it gives is RFC 3428 §8, which forbids more "unless the UAC
    has positive knowledge that the message will not traverse a congestion-unsafe link at any hop". We have that
    knowledge: the next hop is the user's own connection, TCP or TLS, and it is the last. Users want long messages
    delivered, and RFC 6120 §13.12 lets no server refuse a stanza of 10000 bytes. So there is no limit unless one is
    set: 1300 for the letter of RFC 7572.
    """
    overlaps: bool = False
    """RFC 3428 §8: "A UAC MUST NOT initiate a new out-of-dialog MESSAGE transaction to a given URI if there is a
    previous out-of-dialog transaction pending for the same URI"."""

    # -- both ways, within sessions
    sessions: SessionRules = field(default_factory=SessionRules)

    # -- contacts and presence
    presence: PresenceRules = field(default_factory=PresenceRules)
