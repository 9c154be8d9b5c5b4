"""Every decision of the presence agent, each a field that can be replaced to make a deliberate defect.

Knows what is decided. Does not know how it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.frontend.presence import translation
from simulator.sip.event import IntervalTooBrief, Reason, State, SubscriptionState
from simulator.sip.pidf import Notes, Presence, PresenceTuple
from simulator.xmpp import subscription
from simulator.xmpp.address import Address
from simulator.xmpp.errors import StanzaCondition

#: seconds
LONGEST = 86400


class Right(Enum):
    """What a user decides about somebody ([MS-SIP] setACE)."""

    ALLOW = auto()
    DENY = auto()
    BLOCK = auto()
    PROMPT = auto()
    """Nothing is decided any more: the next request is shown again."""


class Answer(Enum):
    """What a device's answer to our SUBSCRIBE is worth (RFC 8048 §5.2.2)."""

    TAKEN = auto()
    REFUSED = auto()
    TOO_BRIEF = auto()
    GONE = auto()
    """The dialog is not known there any more: a new one is made."""
    UNABLE = auto()
    """The device knows no presence, or cannot be reached: nothing changes."""


def expires_for(asked: int, shortest: float) -> int:
    """The seconds that are granted; raises IntervalTooBrief.

    RFC 6665 §4.2.1.1: a 423 "If and only if the expiration interval is greater than zero AND smaller than one hour AND
    less than a notifier-configured minimum".
    """
    if 0 < asked < min(shortest, 3600):
        raise IntervalTooBrief(max(1, int(shortest)))

    return min(asked, LONGEST)


def state_of(contact: Contact) -> tuple[State, Reason | None]:
    """Of a subscription to a contact, as its watcher is told (RFC 8048 §5.3.1)."""
    if contact.blocked:
        return State.TERMINATED, Reason.REJECTED

    if subscription.sees(contact.state):
        return State.ACTIVE, None

    if subscription.asks(contact.state):
        return State.PENDING, None

    return State.TERMINATED, Reason.REJECTED


def asks_contact(contact: Contact, batched: bool) -> bool:
    """Whether a SUBSCRIBE becomes a ``subscribe`` (§5.3.1).

    One that names a single contact is a request. A list is what a client sends at every sign-in, and repeats nothing
    that was refused.
    """
    if contact.blocked or subscription.sees(contact.state) or subscription.asks(contact.state):
        return False

    return not batched or not contact.shown


def probes(seen: Mapping[str, Availability]) -> bool:
    """RFC 8048 §7.2: a poll becomes a probe "if it does not already have presence information about the contact"."""
    return not seen


def state_after_end(unsubscribed: bool) -> SubscriptionState:
    """RFC 8048 §5.3.3: what a notification says that ends a subscription, by the subscriber's wish or by its time."""
    return SubscriptionState(State.TERMINATED, reason=Reason.TIMEOUT)


def end_for_error(condition: str, still_asks: bool) -> SubscriptionState:
    """What the watcher is told when the contact's ``subscribe`` came back with an error (RFC 6665 §4.1.3).

    `still_asks`: it will be sent again.
    """
    if still_asks or condition in (StanzaCondition.REMOTE_SERVER_TIMEOUT, StanzaCondition.RESOURCE_CONSTRAINT):
        # "the notifier could not obtain authorization in a timely fashion".
        return SubscriptionState(State.TERMINATED, reason=Reason.GIVEUP, retry_after=60)

    if condition in (StanzaCondition.ITEM_NOT_FOUND, StanzaCondition.REMOTE_SERVER_NOT_FOUND, StanzaCondition.GONE):
        return SubscriptionState(State.TERMINATED, reason=Reason.NORESOURCE)

    return SubscriptionState(State.TERMINATED, reason=Reason.REJECTED)


def notifies_without_answer(supported: Collection[str]) -> bool:
    """[MS-SIP] BENOTIFY, which has no response: for whoever says ``Supported: ms-benotify``."""
    return "ms-benotify" in supported


def notify_failure_ends(code: int) -> bool:
    """Whether a NOTIFY that failed with this code ends the subscription: RFC 6665 §4.2.2 leaves the list to RFC 5057.

    §5.1 there: these "destroy the subscription usage" or the dialog; whatever else goes wrong concerns one request.
    """
    ends = (404, 405, 408, 410, 416, 430, 480, 481, 482, 483, 484, 485, 489, 501, 502, 604)

    return code in ends


def reaches(user: Address, device: str, told: Address, told_device: str | None) -> bool:
    """Whether a notification for `told` goes to a watcher (RFC 8048 §8.2).

    "a gateway MUST NOT route or deliver a presence notification to any entity other than the intended recipient".
    """
    return user == told and told_device in (None, device)


def accepts(values: Collection[str], media_type: str) -> bool:
    """Whether an Accept header admits a type; without one it is the default of the package (RFC 3856 §6.7)."""
    kinds = {value.partition(";")[0].strip().lower() for value in values}

    return not kinds or bool(kinds & {media_type.lower(), f"{media_type.partition('/')[0]}/*", "*/*"})


def is_shown_waiting(contact: Contact) -> bool:
    """Whether a user is shown that the contact asks to be let in."""
    return contact.waits and not contact.blocked


def asks_on_set(before: Contact, is_new: bool) -> bool:
    """Whether a setContact with ``subscribed`` becomes a ``subscribe``.

    The operation changes a name or a group as well, which the contact need not hear of. One that changes nothing can
    only mean the request itself, again (RFC 6121 §A.2.1 routes it in every state).
    """
    return not is_new or not (subscription.sees(before.state) or subscription.asks(before.state))


def withdraws_on_set(before: Contact, is_new: bool) -> bool:
    """Whether a setContact without ``subscribed`` becomes an ``unsubscribe`` (§A.2.2, likewise)."""
    if subscription.sees(before.state) or subscription.asks(before.state):
        return True

    return not is_new or not before.listed


def right_of(rights: str) -> Right:
    """The first letter is about presence."""
    return {"A": Right.ALLOW, "D": Right.DENY, "B": Right.BLOCK}.get(rights[:1], Right.PROMPT)


def tag_matches(given: str, current: str) -> bool:
    """RFC 3903 §6 step 3: a SIP-If-Match that is not the current entity-tag is answered 412."""
    return given == current


def asks_device(methods: Collection[str], has_pending: bool) -> bool:
    """Whether a device is asked by SUBSCRIBE (RFC 8048 §5.2.1) for its user's consent and presence.

    Not one that subscribes to ``presence.wpending``, as Lync's clients do, and not one that says that it does not
    understand SUBSCRIBE (RFC 3840).
    """
    return not has_pending and (not methods or "SUBSCRIBE" in methods)


def answer_of(code: int) -> Answer:
    """§5.2.2: "MUST consider the XMPP presence authorization to be permanently cancelled [...] if it receives a SIP
    response of 403, 489, or 603. By contrast, [...] 423 or 481 [...] a transient error"."""
    if code < 300:
        return Answer.TAKEN

    if code in (403, 489, 603):
        return Answer.REFUSED

    return {423: Answer.TOO_BRIEF, 481: Answer.GONE}.get(code, Answer.UNABLE)


def ends_authorization(state: SubscriptionState) -> bool:
    """Whether a device's NOTIFY withdraws what was granted.

    RFC 6665 §4.1.3: after ``rejected`` and ``noresource`` clients "SHOULD NOT attempt to re-subscribe". A ``timeout``
    is no refusal: it ends every poll, and comes with the answer to it.
    """
    return state.state == State.TERMINATED and state.reason in (Reason.REJECTED, Reason.NORESOURCE)


def grants(state: SubscriptionState) -> bool:
    """§5.2.1: "neutral" until "a NOTIFY message with a Subscription-State header whose value is "active""."""
    return state.state == State.ACTIVE


def shows(state: SubscriptionState, polls: bool) -> bool:
    """Whether what a NOTIFY says of presence is passed on.

    §5.2.1: of one that says ``pending``, "refrain from sending any presence stanzas". RFC 6665 §4.4.3: the answer to a
    poll is "terminated" with what was asked for.
    """
    return state.state == State.ACTIVE or (state.state == State.TERMINATED and state.reason in (Reason.TIMEOUT, ""))


def refreshes(contact_is_known: bool, contact_is_online: bool) -> bool:
    """Whether a dialog with a device is refreshed: "during the XMPP user's active presence session" (§5.2.2).

    §8.1 wants the XMPP user probed before that, so that an amplification attack costs both sides alike. We need no
    probe where the user here sees the contact, and know nothing where not.
    """
    return contact_is_online or not contact_is_known


@dataclass(frozen=True)
class PresenceRules:
    """What the presence agent decides; the defaults are right."""

    # -- contents (RFC 8048 Tables 1 and 2)
    document_of: Callable[[Address, Mapping[str, Availability], Mapping[str, Notes]], Presence] = (
        translation.document_of
    )
    availability_of: Callable[[PresenceTuple, Presence, str], Availability | None] = translation.availability_of
    last_words_of: Callable[[PresenceTuple, Presence, str], Availability | None] = translation.last_words_of
    resources_of: Callable[[Presence, str], list[tuple[str, PresenceTuple]]] = translation.resources_of
    language_of: Callable[[str], str] = translation.language_of

    # -- users who watch contacts
    expires_for: Callable[[int, float], int] = expires_for
    state_of: Callable[[Contact], tuple[State, Reason | None]] = state_of
    asks_contact: Callable[[Contact, bool], bool] = asks_contact
    probes: Callable[[Mapping[str, Availability]], bool] = probes
    poll_waits: bool = True
    """Whether the answer to a poll waits for what a probe brings, as long as its client waits for it."""
    state_after_end: Callable[[bool], SubscriptionState] = state_after_end
    closed_at_end: bool = True
    """RFC 8048 §5.3.3: "a SIP NOTIFY request [...] specifying that the XMPP contact now has a basic status of
    "closed""."""
    hides_at_end: bool = True
    """RFC 8048 §5.3.3: "Sending an XMPP <presence/> stanza of type "unavailable" to the XMPP contact"."""
    end_for_error: Callable[[str, bool], SubscriptionState] = end_for_error
    notifies_without_answer: Callable[[Collection[str]], bool] = notifies_without_answer
    reaches: Callable[[Address, str, Address, str | None], bool] = reaches
    accepts: Callable[[Collection[str], str], bool] = accepts
    most_subscriptions: int = 5000
    """On one connection."""
    notify_failure_ends: Callable[[int], bool] = notify_failure_ends

    # -- what users publish and decide
    is_shown_waiting: Callable[[Contact], bool] = is_shown_waiting
    asks_on_set: Callable[[Contact, bool], bool] = asks_on_set
    withdraws_on_set: Callable[[Contact, bool], bool] = withdraws_on_set
    right_of: Callable[[str], Right] = right_of
    tag_matches: Callable[[str, str], bool] = tag_matches
    ends_with_device: bool = True
    """Whether what a device published ends with its registration."""

    # -- devices that are asked
    asks_device: Callable[[Collection[str], bool], bool] = asks_device
    answer_of: Callable[[int], Answer] = answer_of
    grants: Callable[[SubscriptionState], bool] = grants
    ends_authorization: Callable[[SubscriptionState], bool] = ends_authorization
    shows: Callable[[SubscriptionState, bool], bool] = shows
    refreshes: Callable[[bool, bool], bool] = refreshes
    expires_asked: int = 3600
    """RFC 8048 §5.2.1, Example 2; RFC 3856 §6.4."""
