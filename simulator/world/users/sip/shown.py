"""What a presence document shows to a person, and the one that a person publishes (RFC 8048 Tables 1 and 2).

Knows documents and arrivals. Does not know who sent which. The tables are this side's own, on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.sip.pidf import CLOSED, OPEN, Presence, PresenceTuple, priority_of, resource_of, thousandths_of
from simulator.world.users.sip.addresses import address_of
from simulator.world.users.user import AVAILABLE, UNAVAILABLE, Unable

#: What Lync's clients publish and read: a number, and the only two activities that they know from strangers.
AVAILABILITY = {"": 3500, "chat": 3500, "away": 15000, "xa": 15500, "dnd": 9500}
ACTIVITY = {"away": "away", "xa": "away", "dnd": "busy"}
SHOW = {"away": "away", "busy": "dnd"}
OFFLINE = 18000
#: Not the id of any resource: the device that publishes is meant.
OWN_TUPLE = "device"

#: resource (or nothing, of the contact as a whole) -> the fields of the arrival
View = dict[str, dict[str, Any]]


def view_of(contact: str, document: Presence) -> View:
    """What a document shows of a contact, by resource. A tuple that says neither open nor closed shows nothing."""
    view: View = {}

    for each in document.tuples:
        if not each.basic:
            continue

        resource = address_of(each.contact).partition("/")[2] if each.contact else ""
        resource = resource or _named(each.id)
        view[resource] = {"from": f"{contact}/{resource}" if resource else contact, **_fields(each, document)}

    return view


def changes(before: View, now: View, contact: str) -> list[dict[str, Any]]:
    """The arrivals that lead from one view to the other, in the order of the document.

    A resource that is not mentioned any more is gone, like one that is closed.
    """
    news = [fields for resource, fields in now.items() if before.get(resource) != fields]

    for resource, fields in before.items():
        if resource not in now and fields["type"] == AVAILABLE:
            news.append({"from": f"{contact}/{resource}" if resource else contact, "type": UNAVAILABLE})

    return news


def document_of(
    entity: str, contact: str, *, show: str, note: str | Mapping[str, str], priority: int | None, lync: bool
) -> Presence:
    """The document of a device that is available; `lync`: with what its clients add. Raises Unable."""
    thousandths = None if priority is None else thousandths_of(priority)

    if priority is not None and thousandths is None:
        # RFC 8048 Table 1 note 6: PIDF has no priority below zero.
        raise Unable("negative-priority")

    activity = ACTIVITY.get(show)
    own = PresenceTuple(
        id=OWN_TUPLE,
        basic=OPEN,
        show=show,
        activities=(activity,) if activity else (),
        availability=AVAILABILITY[show] if lync else None,
        contact=contact if priority is not None else "",
        priority=thousandths,
        notes=_notes(note),
    )

    return Presence(entity=entity, tuples=(own,))


def closed_document(entity: str, note: str | Mapping[str, str] = "") -> Presence:
    """The document of a device that is not available."""
    return Presence(entity=entity, tuples=(PresenceTuple(id=OWN_TUPLE, basic=CLOSED, notes=_notes(note)),))


def _named(identifier: str) -> str:
    """RFC 8048 §6.2 note 2: the id is the resource behind "ID-"; another id names no resource."""
    return resource_of(identifier) if identifier.startswith("ID-") else ""


def _fields(each: PresenceTuple, document: Presence) -> dict[str, Any]:
    notes = each.notes or document.notes
    is_gone = each.basic == CLOSED or (each.availability or 0) >= OFFLINE
    activities = each.activities or document.activities
    show = each.show or next((SHOW[name] for name in activities if name in SHOW), None)
    fields = {
        "type": UNAVAILABLE if is_gone else AVAILABLE,
        "show": None if is_gone else show,
        "status": notes[0][1] if notes else None,
        "priority": None if is_gone or each.priority is None else priority_of(each.priority),
        "notes": dict(notes) if any(language for language, _ in notes) else None,
    }

    return {name: value for name, value in fields.items() if value is not None}


def _notes(note: str | Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((language, text) for language, text in ({"": note} if isinstance(note, str) else note).items() if text)
