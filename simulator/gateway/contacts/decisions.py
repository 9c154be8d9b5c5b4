"""What the home decides about subscriptions, presence and probes: pure functions.

Knows states, types and times. Does not know who is online, nor how a decision is carried out.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from xml.etree.ElementTree import Element

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.contact import Contact
from simulator.xmpp import subscription
from simulator.xmpp.address import Address
from simulator.xmpp.element import serialize, split_name
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.namespaces import SERVER
from simulator.xmpp.subscription import SUBSCRIBED, SUBSCRIPTION_TYPES, UNSUBSCRIBE, UNSUBSCRIBED, State, Transition

#: bytes of a request that are kept whole: RFC 6120 §13.12 lets nobody refuse a stanza of 10000
REQUEST_LIMIT = 10_000
#: characters of each text in a request that is longer than that
TEXT_LIMIT = 1_000


def inbound(state: State, type_: str) -> Transition:
    """RFC 6121 §A.3."""
    return subscription.INBOUND[state, type_]


def outbound(state: State, type_: str) -> Transition:
    """RFC 6121 §A.2."""
    return subscription.OUTBOUND[state, type_]


def bare(address: Address) -> Address:
    """RFC 6121 §3: the servers "MUST stamp" the stanzas with bare addresses, and a request to a full one SHOULD be
    treated "as if the request had been directed to the contact's bare JID"."""
    return address.bare


def whole(address: Address) -> Address:
    """RFC 6121 §4.2.2: presence is sent "from the full JID <user@domainpart/resourcepart> of the user"."""
    return address


def kept_request(stanza: Element) -> Element:
    """What is kept of a ``subscribe`` (RFC 6121 §3.1.3: "a record of the complete presence stanza").

    The same section warns of those who make us keep much. A stanza larger than any must be accepted is cut to what
    a person reads: texts in our own namespace and the nickname (XEP-0172), each of a bounded length.
    """
    if len(serialize(stanza)) <= REQUEST_LIMIT:
        return stanza

    cut = Element(stanza.tag, {name: value[:TEXT_LIMIT] for name, value in list(stanza.items())[:8]})

    for child in list(stanza)[:64]:
        namespace, name = split_name(child.tag)

        if (namespace, name) in ((SERVER, "status"), ("http://jabber.org/protocol/nick", "nick")) and len(cut) < 4:
            kept = Element(child.tag, {key: value[:64] for key, value in list(child.items())[:2]})
            kept.text = (child.text or "")[:TEXT_LIMIT]
            cut.append(kept)

    return cut


def answers_for_user(approved: bool, asks_user: bool) -> bool:
    """Whether a request is granted without the user.

    RFC 6121 §3.1.3: "MUST NOT automatically approve subscription requests on the contact's behalf -- unless the
    contact has (a) pre-approved subscription requests [...] or (c) accepted an agreement with its service provider
    that allows automatic approval": the administrator's partner type is such an agreement.
    """
    return approved or not asks_user


def is_added(contact: Contact) -> bool:
    """Whether the user has vouched for a contact by adding him, which is what types of partners ask about.

    "Create or edit an XMPP partner configuration": contacts of PublicUnverified partners may do nothing before "the
    Lync user" has added them. It is the user's list that counts, whatever became of the request that adding sends.
    """
    return contact.listed


def may_wait(pending: int, limit: int) -> bool:
    """Whether one more request may wait for a user (RFC 6121 §3.1.3, security warning)."""
    return pending < limit


def delivers_at_login(contact: Contact) -> bool:
    """RFC 6121 §3.1.3: "MUST continue to deliver the subscription request whenever the contact creates an available
    resource, until the contact either approves or denies the request"."""
    return contact.waits and not contact.blocked


def stanzas_of_removal(state: State) -> tuple[str, ...]:
    """What goes to a contact who is taken off the list (RFC 6121 §2.5.2), requests that wait included."""
    types = []

    if subscription.sees(state) or subscription.asks(state):
        types.append(UNSUBSCRIBE)

    if subscription.is_seen(state) or subscription.is_asked(state):
        types.append(UNSUBSCRIBED)

    return tuple(types)


def removed(contact: Contact) -> Contact:
    """What is left of a contact who is taken off the list, before the subscriptions end.

    RFC 6121 §3.4.2, of an approval ahead: "the client can simply remove the roster item entirely". XEP-0191 §3.3: "The
    block remains in force until the user subsequently unblocks".
    """
    return replace(contact, listed=False, approved=False, name="", groups=())


def is_resent(asked_at: float | None, at: float, interval: float) -> bool:
    """Whether a request that waits is sent again (RFC 6121 §3.1.2); times in seconds since 1970."""
    # A clock that was set back must not silence us until it has caught up.
    return asked_at is None or not asked_at <= at < asked_at + interval


def error_ends_request(type_: str, condition: str) -> bool:
    """Whether a ``subscribe`` that came back with this error waits no longer.

    An error that passes ("wait", RFC 6120 §8.3.2) and a server that is not reached leave the request standing, to be
    sent again: that is what §3.1.2 of RFC 6121 wants resending for. What was refused is not asked again.
    """
    unreached = (StanzaCondition.REMOTE_SERVER_NOT_FOUND, StanzaCondition.REMOTE_SERVER_TIMEOUT)

    return type_ not in ("wait", "continue") and condition not in unreached


def speaks_for(sender: Address, contact: Address) -> bool:
    """Whether an error from `sender` is about what went to `contact` (bare).

    RFC 6120 §8.3.2 has an error come from the "intended-recipient", "the JID of the entity to which the original stanza
    was addressed". The server of the domain answers for those it does not have, some in its own name.
    """
    return sender.bare in (contact, Address("", contact.domain))


def takes_from_resource(type_: str, exact: bool) -> bool:
    """Whether a subscription stanza to a full address counts; `exact`: that resource is available.

    RFC 6121 §8.5.3.2.2, no resource matches: "For a presence stanza of type "subscribed", "unsubscribe", or
    "unsubscribed", the server MUST ignore the stanza", and a ``subscribe`` is handled as one to the bare address.
    """
    return exact or type_ not in SUBSCRIPTION_TYPES[1:]


def content_for(availability: Availability, shows_note: bool) -> Availability:
    """What of a user's availability a contact sees."""
    return availability if shows_note else replace(availability, notes=())


def is_news(before: Availability | None, after: Availability) -> bool:
    """Whether the contacts are told: a device that only repeats itself has told them nothing."""
    return before != after


def probes_at(is_first: bool) -> bool:
    """RFC 6121 §4.3.1: the server "MAY choose not to send the probe" when "the user has another available resource"."""
    return is_first


def applies_to_all(resource: str) -> bool:
    """RFC 6121 §4.5.4: an unavailable "from the bare JID of the user" applies "to all resources"."""
    return not resource


def refusal_of_presence() -> StanzaCondition | None:
    """RFC 6121 §8.5.1, §8.5.2.2.2, §8.5.3.2.2: presence to a user who does not exist, is offline, or has no such
    resource is ignored: "the server MUST silently ignore the stanza"."""
    return None


def is_due(heard_at: float, now: float, interval: float) -> bool:
    """Whether presence is asked for anew (SubscriptionRefreshInterval)."""
    return now - heard_at >= interval


def is_stale(heard_at: float, asked_at: float, now: float, answer_time: float) -> bool:
    """Whether presence is void: it was asked for, and not heard since."""
    return heard_at < asked_at and now - asked_at >= answer_time


def condition_for_type(type_: str) -> StanzaCondition | None:
    """RFC 6121 §4.7.1: for a 'type' that is none of the known, "SHOULD return a stanza error of <bad-request/>"."""
    return StanzaCondition.BAD_REQUEST


def stored(stanza: Element) -> str:
    """A stanza as text."""
    return serialize(deepcopy(stanza)).decode("utf-8")


def answer_to_stranger() -> str | None:
    """The type that answers a probe of somebody who may not see, or of a user who does not exist; None: nothing.

    RFC 6121 §4.3.2 rule 1: "SHOULD return a presence stanza of type "unsubscribed""; the same for both, so that
    nobody learns who exists.
    """
    return UNSUBSCRIBED


def answer_for_nobody(type_: str) -> str | None:
    """RFC 6121 §8.5.1: a stanza about subscriptions to a user who does not exist "MUST" be silently ignored."""
    return None


def answer_to_request() -> str:
    """The type that grants a request in the name of a user (RFC 6121 §3.1.3)."""
    return SUBSCRIBED


def approves_ahead(state: State) -> bool:
    """RFC 6121 §3.4.2: in the states "Both", "From" and "From + Pending Out" an approval ahead is ignored."""
    return not subscription.is_seen(state)
