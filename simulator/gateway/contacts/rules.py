"""Every decision of the home that a partner or a user can see: each a field, to be replaced for a deliberate defect.

Knows what is decided, by which function. Does not know how it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.gateway.contacts import decisions
from simulator.gateway.contacts.availability import Availability, read_availability
from simulator.gateway.contacts.contact import Contact
from simulator.xmpp import subscription
from simulator.xmpp.address import Address
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.subscription import State, Transition


@dataclass(frozen=True)
class HomeRules:
    """What the home decides; the defaults are right."""

    # -- states and addresses
    inbound: Callable[[State, str], Transition] = decisions.inbound
    outbound: Callable[[State, str], Transition] = decisions.outbound
    subscription_address: Callable[[Address], Address] = decisions.bare
    """In whose name a subscription stanza leaves."""
    addressee: Callable[[Address], Address] = decisions.bare
    """To whom it goes."""
    probe_address: Callable[[Address], Address] = decisions.bare
    presence_address: Callable[[Address], Address] = decisions.whole
    subscriber: Callable[[Address], Address] = decisions.bare
    """Whose subscription is meant where a stanza comes from this address."""
    takes_from_resource: Callable[[str, bool], bool] = decisions.takes_from_resource

    # -- requests of contacts
    is_added: Callable[[Contact], bool] = decisions.is_added
    answers_for_user: Callable[[bool, bool], bool] = decisions.answers_for_user
    answer_to_request: Callable[[], str] = decisions.answer_to_request
    """Type of the answer that the server itself gives; empty: none."""
    mirrors_request_id: bool = False
    """Whether an answer bears the id of the request. RFC 6121 §3.1.4 forbids it to clients and is silent on servers;
    one rule for both is the safer one."""
    shows_after_grant: bool = True
    repeats_requests: bool = False
    """Whether a request that waits already is delivered anew when it comes again."""
    lists_requests: bool = False
    """Whether who asks is put on the list before the user has said a word."""
    answer_for_nobody: Callable[[str], str | None] = decisions.answer_for_nobody
    """The type that answers a stanza of this one to a user who does not exist; None: nothing."""
    kept_request: Callable[[Element], Element] = decisions.kept_request
    stored: Callable[[Element], str] = decisions.stored
    may_wait: Callable[[int, int], bool] = decisions.may_wait
    delivers_at_login: Callable[[Contact], bool] = decisions.delivers_at_login
    acknowledges_requests: bool = False

    # -- what else contacts say about subscriptions
    answers_unsubscribe: bool = True
    hides_after_unsubscribe: bool = True
    error_ends_request: Callable[[str, str], bool] = decisions.error_ends_request
    speaks_for: Callable[[Address, Address], bool] = decisions.speaks_for
    """Whether an error from the first address is about what went to the second."""

    # -- what users want
    shows_after_accept: bool = True
    approves_ahead: Callable[[State], bool] = decisions.approves_ahead
    refusal_ends_approval: bool = True
    hides_first: bool = True
    """Whether a contact sees the user go offline before the subscription ends, not after."""
    unsubscribe_voids: bool = True
    stanzas_of_removal: Callable[[State], tuple[str, ...]] = decisions.stanzas_of_removal
    removed: Callable[[Contact], Contact] = decisions.removed
    """What is left of a contact who is taken off the list, before the subscriptions end."""
    grants_behind_gates: bool = False
    """Whether an approval counts that cannot be told to the contact."""
    is_resent: Callable[[float | None, float, float], bool] = decisions.is_resent

    # -- blocked contacts (XEP-0191 §3)
    takes_from_blocked: bool = False
    answers_blocked: bool = False
    """Whether a blocked contact's probe is answered."""
    sends_to_blocked: bool = False
    heeds_end_from_blocked: bool = True
    """Whether it is noted that a blocked contact ends a subscription."""
    hides_at_block: bool = True
    block_voids: bool = True
    shows_at_unblock: bool = True
    probes_at_unblock: bool = True

    # -- users' presence
    is_shown_to: Callable[[State], bool] = subscription.is_seen
    content_for: Callable[[Availability, bool], Availability] = decisions.content_for
    is_news: Callable[[Availability | None, Availability], bool] = decisions.is_news
    directed_is_broadcast: bool = False
    ends_directed: bool = True

    # -- contacts' presence
    shows_presence_of: Callable[[State], bool] = subscription.sees
    applies_to_all: Callable[[str], bool] = decisions.applies_to_all
    availability_of: Callable[[Element], Availability] = read_availability
    refusal_of_presence: Callable[[], StanzaCondition | None] = decisions.refusal_of_presence
    """The error for presence that is for nobody; None: silence."""
    condition_for_type: Callable[[str], StanzaCondition | None] = decisions.condition_for_type
    most_resources: int = 50
    """Of one contact; what is above is not noted."""
    most_changes: int = 20
    """Of one contact, within a second; what is above is told later, and the last word only."""

    # -- probes
    is_probed: Callable[[State], bool] = subscription.sees
    probes_at: Callable[[bool], bool] = decisions.probes_at
    answer_to_stranger: Callable[[], str | None] = decisions.answer_to_stranger
    answers_when_offline: bool = True
    stamps_delay: bool = True
    keeps_presence_id: bool = True
    mirrors_probe_id: bool = True
    answers_for_other_resources: bool = False
    answers_directed: bool = True

    # -- time and streams
    is_due: Callable[[float, float, float], bool] = decisions.is_due
    is_stale: Callable[[float, float, float, float], bool] = decisions.is_stale
    loss_voids: bool = True
    probes_when_back: bool = True
    shows_when_back: bool = True
