"""Deliberate defects in presence: who is shown what, how probes are answered, what of it crosses to SIP and back.

Knows the rules of the home and of the presence agent that it breaks, one for each defect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from simulator.gateway.contacts.availability import SHOWS, Availability, read_availability
from simulator.gateway.frontend.presence import translation
from simulator.gateway.rules import Rules
from simulator.sip.pidf import OPEN, Notes, Presence, PresenceTuple
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.address import Address
from simulator.xmpp.errors import StanzaCondition

RIGHT = Rules()


def _home(**wrong: Any) -> Rules:
    return replace(RIGHT, home=replace(RIGHT.home, **wrong))


def _agent(**wrong: Any) -> Rules:
    frontend = RIGHT.frontend

    return replace(RIGHT, frontend=replace(frontend, presence=replace(frontend.presence, **wrong)))


def _only_with_priority(presence: Element) -> Availability:
    """Nothing of a presence counts whose priority is none."""
    priority = presence.findtext("{jabber:server}priority")
    right = read_availability(presence)

    return right if priority is None or priority == str(right.priority) else Availability()


def _known_shows_only(presence: Element) -> Availability:
    show = presence.findtext("{jabber:server}show")

    return Availability("away") if show is not None and show not in SHOWS else read_availability(presence)


def _inside(**lost: Any) -> Rules:
    """What contacts show reaches devices without some of it."""

    def document(contact: Address, seen: Mapping[str, Availability], gone: Mapping[str, Notes]) -> Presence:
        less = {resource: replace(each, **lost) for resource, each in seen.items()}

        return translation.document_of(contact, less, dict.fromkeys(gone, ()))

    return _agent(document_of=document)


def _outside(**lost: Any) -> Rules:
    """What devices show reaches contacts without some of it."""

    def content(shown: Availability, shows_note: bool) -> Availability:
        return replace(RIGHT.home.content_for(shown, shows_note), **lost)

    return _home(content_for=content)


def _without_numbers(each: PresenceTuple, document: Presence, language: str) -> Availability | None:
    return translation.availability_of(replace(each, availability=None, basic=each.basic), document, language)


def _always_open(each: PresenceTuple, document: Presence, language: str) -> Availability | None:
    return translation.availability_of(replace(each, basic=OPEN, availability=None), document, language)


def _open_if_unsaid(each: PresenceTuple, document: Presence, language: str) -> Availability | None:
    return translation.availability_of(replace(each, basic=each.basic or OPEN), document, language)


def _never_gone(contact: Address, seen: Mapping[str, Availability], gone: Mapping[str, Notes]) -> Presence:
    return translation.document_of(contact, {**dict.fromkeys(gone, Availability()), **seen}, {})


PRESENCE = (
    # Users' presence
    Mutant("presence-is-shown-to-nobody", "Shows users to no contact.", _home(is_shown_to=lambda state: False)),
    Mutant(
        "presence-is-shown-to-everybody",
        "Shows users to whoever they have ever had to do with, and to whoever asks.",
        _home(is_shown_to=lambda state: True),
    ),
    Mutant(
        "devices-are-not-told-apart",
        "Shows presence in the name of the user, not of the device.",
        _home(presence_address=lambda address: address.bare),
    ),
    Mutant(
        "presence-outlives-the-device",
        "Goes on showing what a device has published that is gone.",
        _agent(ends_with_device=False),
    ),
    # Probes of ours
    Mutant("contacts-are-never-probed", "Asks no contact for presence.", _home(is_probed=lambda state: False)),
    Mutant(
        "probes-name-the-device",
        "Asks in the name of a device.",
        _home(probe_address=lambda address: Address(address.local, address.domain, "desk")),
    ),
    # Probes of contacts
    Mutant(
        "probes-are-unanswered",
        "Says nothing to contacts who ask.",
        _home(is_shown_to=lambda state: False, answer_to_stranger=lambda: None),
    ),
    Mutant(
        "probe-answers-have-ids-of-their-own",
        "Answers probes with the id of the question.",
        _home(keeps_presence_id=False),
    ),
    Mutant(
        "offline-probes-are-unanswered", "Says nothing of users who are offline.", _home(answers_when_offline=False)
    ),
    Mutant("offline-answers-bear-no-time", "Does not say since when a user is offline.", _home(stamps_delay=False)),
    Mutant("probe-ids-are-not-mirrored", "Answers with an id of its own.", _home(mirrors_probe_id=False)),
    Mutant(
        "strangers-probes-are-unanswered",
        "Leaves who may not see a user in the belief that they may.",
        _home(answer_to_stranger=lambda: None),
    ),
    Mutant(
        "probe-of-a-device-shows-all",
        "Answers a probe of one device with all of them.",
        _home(answers_for_other_resources=True),
    ),
    Mutant(
        "subscribers-are-full-addresses",
        "Looks for subscriptions of devices.",
        _home(subscriber=lambda address: address),
    ),
    # Presence of contacts
    Mutant(
        "lost-presence-is-answered",
        "Answers presence that is for nobody.",
        _home(refusal_of_presence=lambda: StanzaCondition.SERVICE_UNAVAILABLE),
    ),
    Mutant(
        "presence-reaches-one-device",
        "Shows contacts on the device that comes first in the alphabet.",
        _agent(reaches=lambda user, device, told, told_device: user == told and device == "desk"),
    ),
    Mutant("presence-reaches-nobody", "Shows contacts to no device.", _agent(reaches=lambda *_: False)),
    Mutant(
        "presence-outlives-streams",
        "Believes what it knew of a domain to which all streams have broken.",
        _home(loss_voids=False, probes_when_back=False),
    ),
    Mutant(
        "bare-address-is-one-more-device",
        "Takes a bare address for a device without a name.",
        _home(applies_to_all=lambda resource: False),
    ),
    Mutant(
        "odd-priorities-void-presence",
        "Reads nothing of presence whose priority is none.",
        _home(availability_of=_only_with_priority),
    ),
    Mutant(
        "unknown-shows-are-away",
        "Takes a word that it does not know for absence.",
        _home(availability_of=_known_shows_only),
    ),
    Mutant("presence-floods-pass", "Tells every change, however fast they come.", _home(most_changes=1_000_000)),
    Mutant(
        "devices-without-end",
        "Notes every device of a contact, and tells of each.",
        _home(most_resources=1_000_000, most_changes=1_000_000),
    ),
    # Between XMPP and SIP
    Mutant("shows-are-dropped-inside", "Tells devices only that somebody is available.", _inside(show="")),
    Mutant("shows-are-dropped-outside", "Tells contacts only that somebody is available.", _outside(show="")),
    Mutant("priorities-are-dropped-outside", "Tells contacts no priority.", _outside(priority=0)),
    Mutant("notes-are-dropped-inside", "Tells devices no notes.", _inside(notes=())),
    Mutant("notes-are-dropped-outside", "Tells contacts no notes, whoever they are.", _outside(notes=())),
    Mutant("contacts-stay-open", "Takes who has gone for available.", _agent(document_of=_never_gone)),
    Mutant(
        "numbers-are-not-read",
        "Overlooks the number by which Lync's clients say how available they are.",
        _agent(availability_of=_without_numbers),
    ),
    Mutant(
        "closed-documents-are-open",
        "Takes every document for one of somebody available.",
        _agent(availability_of=_always_open),
    ),
    Mutant(
        "unknown-status-is-open",
        "Takes a status that says nothing for open.",
        _agent(availability_of=_open_if_unsaid),
    ),
)
