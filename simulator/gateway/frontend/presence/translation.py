"""Presence of XMPP into documents of SIP and back (RFC 8048 Tables 1 and 2): content only, addresses are given.

Knows what of a presence crosses and how. Does not know who may see it.

What is lost, and cannot be helped. Of the four shows, SIP has words for two: clients that do not read ``<show/>`` see
``xa`` as away and ``chat`` as available. Of Lync's seven availabilities, idle and "be right back" arrive as ``away``,
and "do not disturb" as ``dnd`` like busy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.frontend.addressing import uri_of
from simulator.sip.pidf import (
    CLOSED,
    OPEN,
    Notes,
    Presence,
    PresenceTuple,
    priority_of,
    resource_of,
    thousandths_of,
    tuple_id,
)
from simulator.xmpp.address import Address

# [MS-PRES], availability: the least number of each range that is told apart here.
_IDLE, _BUSY, _BE_RIGHT_BACK, _OFFLINE = 4500, 6000, 12000, 18000
#: numbers in the middle of what Lync's own clients publish
_AVAILABLE, _IS_BUSY, _IS_AWAY, _IS_OFFLINE = 3500, 6500, 15500, 18500

_ACTIVITY_OF_SHOW = {"away": "away", "xa": "away", "dnd": "busy"}
_NUMBER_OF_SHOW = {"": _AVAILABLE, "chat": _AVAILABLE, "away": _IS_AWAY, "xa": _IS_AWAY, "dnd": _IS_BUSY}
#: activities of RPID and Lync's own tokens; those of neither kind say nothing about reachability
_SHOW_OF_ACTIVITY = (
    dict.fromkeys(("away", "be-right-back", "out-of-office", "permanent-absence", "sleeping", "vacation"), "away")
    | dict.fromkeys(("appointment", "breakfast", "dinner", "holiday", "meal", "travel"), "away")
    | dict.fromkeys(("busy", "in-a-conference", "in-a-meeting", "in-transit", "meeting", "on-the-phone"), "dnd")
    | dict.fromkeys(("performance", "presentation", "presenting", "urgent-interruptions-only"), "dnd")
)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")


def document_of(contact: Address, seen: Mapping[str, Availability], gone: Mapping[str, Notes]) -> Presence:
    """What is known of a contact: one tuple for each resource. `gone`: resources that have just left, and with what
    words; the empty one is the contact as a whole."""
    tuples = [tuple_of(contact, resource, each) for resource, each in seen.items()]
    tuples += [closed_tuple(resource, notes) for resource, notes in gone.items() if resource not in seen]

    return Presence(entity=uri_of(str(contact.bare)), tuples=tuple(tuples), activities=_activities_of_person(tuples))


def _activities_of_person(tuples: list[PresenceTuple]) -> tuple[str, ...]:
    """What all resources that are open have in common.

    User agents that read RFC 4480 look at the person alone, and shall show "the "most available" status" (§6.2).
    """
    found = [each.activities for each in tuples if each.basic == OPEN]

    return next(iter(found), ()) if len(set(found)) == 1 else ()


def tuple_of(contact: Address, resource: str, availability: Availability) -> PresenceTuple:
    """One resource that is available.

    §6.2 note 4: "the lack of a 'type' attribute" MUST become "a PIDF basic status of "open"".
    """
    activity = _ACTIVITY_OF_SHOW.get(availability.show)

    return PresenceTuple(
        id=tuple_id(resource),
        basic=OPEN,
        show=availability.show,
        activities=(activity,) if activity else (),
        availability=_NUMBER_OF_SHOW[availability.show],
        contact=uri_of(str(Address(contact.local, contact.domain, resource))),
        priority=thousandths_of(availability.priority),
        notes=availability.notes,
    )


def closed_tuple(resource: str, notes: Notes = ()) -> PresenceTuple:
    """One resource that is gone (§6.2 note 5)."""
    return PresenceTuple(id=tuple_id(resource), basic=CLOSED, availability=_IS_OFFLINE, notes=notes)


def availability_of(each: PresenceTuple, document: Presence, language: str = "") -> Availability | None:
    """What one tuple means to XMPP; None: the device is not available. `language` is the Content-Language.

    Raises ValueError for a tuple that says neither (``<basic>?</basic>``): it must not count as news of either kind.
    """
    if not each.basic:
        raise ValueError("the basic status is neither open nor closed")

    if each.basic == CLOSED or (each.availability or 0) >= _OFFLINE:
        return None

    activities = each.activities or document.activities
    priority = 0 if each.priority is None else priority_of(each.priority)

    return Availability(show_of(each, activities), notes_of(each, document, language, activities), priority)


def last_words_of(each: PresenceTuple, document: Presence, language: str = "") -> Availability | None:
    """The notes of a tuple that is closed, as an availability that bears nothing else; None where there are none."""
    notes = notes_of(each, document, language, ())

    return Availability(notes=notes) if notes else None


def show_of(each: PresenceTuple, activities: tuple[str, ...]) -> str:
    """§6.2 note 7: XMPP's own word where it is there, or else Lync's number, or else an activity."""
    if each.show:
        return each.show

    if each.availability is not None and each.availability >= _IDLE:
        return "dnd" if _BUSY <= each.availability < _BE_RIGHT_BACK else "away"

    found = [_SHOW_OF_ACTIVITY[name] for name in activities if name in _SHOW_OF_ACTIVITY]

    return "dnd" if "dnd" in found else (found[0] if found else "")


def notes_of(each: PresenceTuple, document: Presence, language: str, activities: tuple[str, ...]) -> Notes:
    """Notes of the tuple, or else of the presentity, or else an activity that no show expresses, in words."""
    if notes := each.notes or document.notes:
        # Table 2: Content-Language to xml:lang.
        return tuple((own or language_of(language), text) for own, text in notes)

    words = [name.replace("-", " ") for name in activities if name not in ("away", "busy", "unknown")]

    return (("en", ", ".join(words)),) if words else ()


def language_of(value: str) -> str:
    """One language tag of a Content-Language header, or an xml:lang; empty where it is none."""
    match = _LANGUAGE.match(value.strip())

    return match[0] if match else ""


def resources_of(document: Presence, device: str) -> list[tuple[str, PresenceTuple]]:
    """The resource of every tuple (Table 1 note 2, undone). `device` is that of the device itself.

    The id of a tuple is a resource where it was made from one, or where several must be told apart; the one tuple of a
    user agent that knows nothing of this is the device that it came from.
    """
    if len(document.tuples) == 1 and not document.tuples[0].id.startswith("ID-"):
        return [(device, document.tuples[0])]

    return [(resource_of(each.id) or device, each) for each in document.tuples]


def own_tuple(document: Presence) -> PresenceTuple | None:
    """What a device publishes about itself: the first tuple that is open, or else the first."""
    return next((each for each in document.tuples if each.basic == OPEN), next(iter(document.tuples), None))
