"""Deliberate defects in what the home of the users does about requests, answers, removals and blocks (RFC 6121 §2, §3).

Knows the rules of the home that it breaks, one for each defect. The tables of states are broken in `subscriptions`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulator.gateway.contacts import decisions
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp import subscription
from simulator.xmpp.address import Address
from simulator.xmpp.subscription import SUBSCRIBED, UNSUBSCRIBE, UNSUBSCRIBED, State

RIGHT = Rules()


def _home(name: str, says: str, **wrong: Any) -> Mutant:
    return Mutant(name, says, replace(RIGHT, home=replace(RIGHT.home, **wrong)))


def _on(device: str) -> Callable[[Address], Address]:
    return lambda address: Address(address.local, address.domain, device)


def _is_shown_to_asker(state: State) -> bool:
    return subscription.is_seen(state) or subscription.is_asked(state)


CONTACTS = (
    # -- addresses
    _home(
        "subscriptions-name-the-device",
        "Sends what a user says about a subscription in the name of a device.",
        subscription_address=_on("desk"),
    ),
    _home("requests-go-to-devices", "Sends it to a device of the contact.", addressee=_on("balcony")),
    _home(
        "requests-to-devices-must-find-them",
        "Drops a request to a device that is not there.",
        takes_from_resource=lambda type_, exact: exact,
    ),
    _home(
        "subscriptions-belong-to-devices",
        "Takes each device of a contact for a contact of its own.",
        subscriber=decisions.whole,
    ),
    _home(
        "devices-look-like-one", "Shows the presence of a device as that of the user.", presence_address=decisions.bare
    ),
    # -- requests of contacts
    _home("lists-whoever-asks", "Puts whoever asks on the contact list at once.", lists_requests=True),
    _home("no-request-waits", "Drops every request that needs an answer.", may_wait=lambda pending, limit: False),
    _home("any-number-of-requests-waits", "Keeps every request, however many.", may_wait=lambda pending, limit: True),
    _home("grants-every-request", "Grants every request in the name of the user.", answers_for_user=lambda *_: True),
    _home(
        "approvals-ahead-are-forgotten",
        "Asks users about contacts whom they have approved in advance.",
        answers_for_user=lambda approved, asks_user: not asks_user,
    ),
    _home("no-approval-ahead", "Keeps no approval that comes before the request.", approves_ahead=lambda _: False),
    _home(
        "grants-in-silence", "Says nothing to a contact whose request it grants itself.", answer_to_request=lambda: ""
    ),
    _home(
        "grants-show-nothing", "Shows no presence to a contact whose request it grants itself.", shows_after_grant=False
    ),
    _home("answers-bear-the-id-of-the-request", "Gives the approval the id of the request.", mirrors_request_id=True),
    _home(
        "denies-for-nobody",
        "Denies a request to a user who does not exist.",
        answer_for_nobody=lambda _: UNSUBSCRIBED,
    ),
    _home(
        "grants-for-nobody",
        "Grants a request to a user who does not exist.",
        answer_for_nobody=lambda _: SUBSCRIBED,
    ),
    _home(
        "presence-for-whoever-asks", "Shows presence to contacts who have only asked.", is_shown_to=_is_shown_to_asker
    ),
    _home("presence-for-everybody", "Shows presence to every contact, granted or not.", is_shown_to=lambda _: True),
    _home("unsubscribing-is-not-answered", "Says nothing to a contact who unsubscribes.", answers_unsubscribe=False),
    _home(
        "no-farewell-after-unsubscribing",
        "Leaves a contact who unsubscribes with the presence that was shown last.",
        hides_after_unsubscribe=False,
    ),
    _home("errors-end-nothing", "Goes on waiting when a request comes back.", error_ends_request=lambda *_: False),
    _home("every-error-ends-a-request", "Gives up at errors that pass.", error_ends_request=lambda *_: True),
    _home("anybody-ends-a-request", "Takes an error of somebody else for the contact's.", speaks_for=lambda *_: True),
    # -- what users want
    _home("approval-counts-behind-gates", "Keeps an approval that no gate let out.", grants_behind_gates=True),
    _home("approval-shows-nothing", "Sends no presence after an approval.", shows_after_accept=False),
    _home("denial-keeps-the-approval", "Keeps an approval in advance after a denial.", refusal_ends_approval=False),
    _home("cancels-before-it-hides", "Says goodbye after the subscription is over.", hides_first=False),
    _home("unsubscribing-keeps-presence", "Keeps what was seen of a contact after the end.", unsubscribe_voids=False),
    _home("removal-is-not-told", "Tells nobody that they were removed.", stanzas_of_removal=lambda _: ()),
    _home(
        "removal-leaves-them-watching",
        "Ends only what the user saw when a contact is removed.",
        stanzas_of_removal=lambda state: tuple(
            each for each in decisions.stanzas_of_removal(state) if each == UNSUBSCRIBE
        ),
    ),
    _home(
        "removal-leaves-us-watching",
        "Ends only what the contact saw when one is removed.",
        stanzas_of_removal=lambda state: tuple(
            each for each in decisions.stanzas_of_removal(state) if each == UNSUBSCRIBED
        ),
    ),
    _home(
        "removal-keeps-the-approval",
        "Ends subscriptions when a contact is removed, and keeps the entry with what it says.",
        removed=lambda contact: contact,
    ),
    _home(
        "removal-lifts-the-block",
        "Takes whom it removes from the list off the block list, too.",
        removed=lambda contact: replace(decisions.removed(contact), blocked=False),
    ),
    _home("asks-only-once", "Never sends a request again.", is_resent=lambda *_: False),
    # -- blocked contacts
    _home("blocked-are-heard", "Shows what blocked contacts send.", takes_from_blocked=True),
    _home("blocked-are-answered", "Answers the probes of blocked contacts.", answers_blocked=True),
    _home("presence-for-the-blocked", "Sends blocked contacts the presence that others get.", sends_to_blocked=True),
    _home("blocking-hides-nothing", "Does not go offline for whom it blocks.", hides_at_block=False),
    _home("blocked-cannot-unsubscribe", "Overlooks that blocked contacts unsubscribe.", heeds_end_from_blocked=False),
    _home("blocking-keeps-presence", "Keeps what was seen of a contact who is blocked.", block_voids=False),
    _home("unblocking-asks-nothing", "Does not ask how whom it unblocks is.", probes_at_unblock=False),
    _home("unblocking-shows-nothing", "Does not come back for whom it unblocks.", shows_at_unblock=False),
    # -- time, and what others have forgotten
    _home("contacts-are-not-probed", "Never asks how contacts are.", is_probed=lambda _: False),
    _home(
        "presence-is-never-refreshed", "Never asks again after SubscriptionRefreshInterval.", is_due=lambda *_: False
    ),
    _home("presence-never-goes-stale", "Believes presence that was not confirmed.", is_stale=lambda *_: False),
    _home(
        "unknown-types-are-ignored", "Says nothing to presence of an unknown type.", condition_for_type=lambda _: None
    ),
)
