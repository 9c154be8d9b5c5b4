"""Deliberate defects in what the type of a partner lets its users do: write, ask, see, and see notes.

Knows the table of types and the rules of the home that go by it, one for each defect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from simulator.gateway.access.authorization import AuthorizationSettings
from simulator.gateway.access.partner_types import Action, asks_user, is_allowed
from simulator.gateway.configuration import Configuration
from simulator.gateway.contacts.availability import Availability
from simulator.gateway.frontend.presence.translation import document_of
from simulator.gateway.frontend.translation import content_of
from simulator.gateway.partner import PartnerType
from simulator.gateway.rules import Rules
from simulator.sip.pidf import Notes, Presence
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.address import Address
from simulator.xmpp.subscription import UNSUBSCRIBE

RIGHT = Rules()

FEDERATED, VERIFIED, UNVERIFIED = PartnerType.FEDERATED, PartnerType.PUBLIC_VERIFIED, PartnerType.PUBLIC_UNVERIFIED
#: as the names of mutants have them
WORDS = {FEDERATED: "federated", VERIFIED: "verified", UNVERIFIED: "unverified"}


def _access(**rules: Any) -> Rules:
    return replace(RIGHT, access=replace(RIGHT.access, **rules))


def _home(**rules: Any) -> Rules:
    return replace(RIGHT, home=replace(RIGHT.home, **rules))


def _types(decide: Callable[[PartnerType, Action, bool], bool | None]) -> Rules:
    """The table, but where `decide` says otherwise."""

    def decided(type_: PartnerType, action: Action, added: bool) -> bool:
        otherwise = decide(type_, action, added)

        return is_allowed(type_, action, added) if otherwise is None else otherwise

    return _access(is_allowed=decided)


def _always(type_: PartnerType, action: Action, allowed: bool) -> Rules:
    return _types(lambda given, wanted, added: allowed if (given, wanted) == (type_, action) else None)


def _never(action: Action) -> Rules:
    return _types(lambda type_, wanted, added: False if wanted is action else None)


def _only_before(type_: PartnerType, action: Action, added: bool) -> bool | None:
    return not added if action is Action.MESSAGE and type_ is not UNVERIFIED else None


def _as_unverified(type_: PartnerType, action: Action) -> Rules:
    """Users of that partner may do this only when they were added."""
    return _types(
        lambda given, wanted, added: (
            is_allowed(UNVERIFIED, action, added) if (given, wanted) == (type_, action) else None
        )
    )


def _asks(type_: PartnerType, asked: bool) -> Rules:
    """Requests of users of that partner are always, or never, put before the user."""

    def decided(given: PartnerType, settings: AuthorizationSettings) -> bool:
        return asked if given is type_ else asks_user(given, settings)

    return _access(asks_user=decided)


def _closed(type_: PartnerType) -> Rules:
    def partner_is_closed(configuration: Configuration, contact: Address, *, allowed: bool) -> str | None:
        partner = configuration.partner_for(contact.domain)

        return "of the wrong type" if partner is None or partner.partner_type is type_ else None

    return _access(partner_is_closed=partner_is_closed)


def _without_notes(contact: Address, seen: Mapping[str, Availability], gone: Mapping[str, Notes]) -> Presence:
    bare = {resource: replace(availability, notes=()) for resource, availability in seen.items()}

    return document_of(contact, bare, gone)


PARTNER_TYPES: tuple[Mutant, ...] = (
    # What adding is worth
    Mutant("added-counts-for-nothing", "Knows nobody whom a user has added.", _home(is_added=lambda contact: False)),
    Mutant("everybody-is-added", "Takes everybody for added.", _home(is_added=lambda contact: True)),
    # Who may write
    Mutant("nobody-may-write", "Lets no partner's user write.", _never(Action.MESSAGE)),
    Mutant("write-only-before", "Takes being added for the end of all trust.", _types(_only_before)),
    # Who may ask, and who is asked
    Mutant("nobody-may-ask", "Passes over every request of a partner's user.", _never(Action.SUBSCRIBE)),
    *(
        Mutant(
            f"{WORDS[type_]}-may-not-ask",
            f"Takes requests from users of a {WORDS[type_]} partner only when they were added.",
            _as_unverified(type_, Action.SUBSCRIBE),
        )
        for type_ in (FEDERATED, VERIFIED)
    ),
    Mutant(
        "unverified-may-ask",
        "Takes requests from users of an unverified partner before they are added.",
        _always(UNVERIFIED, Action.SUBSCRIBE, True),
    ),
    *(
        Mutant(
            f"{word}-is-put-to-the-user",
            f"Puts every request from a {word} partner before the user.",
            _asks(type_, True),
        )
        for type_, word in WORDS.items()
    ),
    Mutant(
        "verified-is-never-put-to-the-user",
        "Grants requests from a verified partner although the user shall be asked.",
        _asks(VERIFIED, False),
    ),
    # Who may see
    Mutant("nobody-may-see", "Shows presence to no partner's user.", _never(Action.SEE)),
    Mutant(
        "unverified-may-see",
        "Shows presence to users of an unverified partner who were granted it, added or not.",
        _always(UNVERIFIED, Action.SEE, True),
    ),
    Mutant(
        "removed-still-see",
        "Ends only the user's own subscription when a contact is removed.",
        _home(stanzas_of_removal=lambda state: (UNSUBSCRIBE,)),
    ),
    # Notes
    Mutant("notes-for-nobody", "Shows notes to no partner.", _never(Action.NOTE)),
    *(
        Mutant(
            f"{WORDS[type_]}-sees-notes",
            f"Shows notes to users of a {WORDS[type_]} partner.",
            _always(type_, Action.NOTE, True),
        )
        for type_ in (VERIFIED, UNVERIFIED)
    ),
    Mutant(
        "contacts-notes-are-hidden",
        "Keeps from users the notes of their contacts.",
        replace(
            RIGHT,
            frontend=replace(RIGHT.frontend, presence=replace(RIGHT.frontend.presence, document_of=_without_notes)),
        ),
    ),
    # Blocks
    Mutant("blocked-may-write", "Shows messages of blocked contacts.", _home(takes_from_blocked=True)),
    Mutant(
        "states-pass-every-gate",
        "Holds messages without words, such as chat states, against no gate and no block.",
        replace(RIGHT, frontend=replace(RIGHT.frontend, faces_gates=lambda message: content_of(message) is not None)),
    ),
    Mutant("blocked-are-written-to", "Sends messages to blocked contacts.", _home(sends_to_blocked=True)),
    Mutant(
        "blocks-are-overlooked",
        "Keeps blocks, and goes by none.",
        _home(takes_from_blocked=True, sends_to_blocked=True),
    ),
    Mutant("blocked-still-see", "Tells contacts nothing when they are blocked.", _home(hides_at_block=False)),
    # A type is no gate
    *(
        Mutant(
            f"{word}-partners-are-closed",
            f"Lets nothing through to or from a {word} partner.",
            _closed(type_),
        )
        for type_, word in WORDS.items()
    ),
)
