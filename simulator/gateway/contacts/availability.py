"""Availability and the presence stanza that says it (RFC 6121 §4.7).

Knows show, status and priority. Does not know subscriptions, nor what SIP calls these things.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from simulator.xmpp.element import escape_text
from simulator.xmpp.namespaces import SERVER, XML

PRESENCE = f"{{{SERVER}}}presence"
_SHOW, _STATUS, _PRIORITY = (f"{{{SERVER}}}{name}" for name in ("show", "status", "priority"))
_LANG = f"{{{XML}}}lang"

#: §4.7.2.1: "The XML character data MUST be one of the following"; without one "the entity is assumed to be online"
SHOWS = ("away", "chat", "dnd", "xa")
#: status elements that are read: more languages than anybody writes in
MOST_NOTES = 16
_INTEGER = re.compile(r"[+-]?[0-9]{1,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Availability:
    """That somebody is available, and how much. `notes` are (language, text), the language empty where unsaid."""

    show: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    priority: int = 0

    def __post_init__(self) -> None:
        if self.show not in ("", *SHOWS):
            raise ValueError(f"{self.show!r} is no show; those are {', '.join(SHOWS)}, or nothing")

        if not -128 <= self.priority <= 127:
            raise ValueError(f"priority {self.priority} is not between -128 and 127")

        for _, text in self.notes:
            escape_text(text)

    @property
    def note(self) -> str:
        """The first note, or an empty text."""
        return self.notes[0][1] if self.notes else ""


def presence_stanza(
    sender: str,
    to: str,
    availability: Availability | None,
    *,
    id: str = "",  # noqa: A002
    type: str = "",  # noqa: A002
) -> Element:
    """A presence from `sender` to `to`; `availability` is its content, `type` its type (empty: available).

    §4.5.1: "the unavailable presence stanza MUST NOT contain the <priority/> element or the <show/> element", so of
    an availability with a type only the notes are written.
    """
    stanza = Element(PRESENCE, {"from": sender, "to": to})

    if id:
        stanza.set("id", id)

    if type:
        stanza.set("type", type)

    if availability is None:
        return stanza

    if availability.show and not type:
        SubElement(stanza, _SHOW).text = availability.show

    for language, text in availability.notes:
        SubElement(stanza, _STATUS, {_LANG: language} if language else {}).text = text

    # §4.7.2.3: "If no priority is provided, [...] MUST consider the priority to be zero".
    if availability.priority and not type:
        SubElement(stanza, _PRIORITY).text = str(availability.priority)

    return stanza


def read_availability(presence: Element) -> Availability:
    """What an available presence says; whatever is malformed in it counts as not said.

    A `show` that is none of the four is "online and available", a priority that is no integer between -128 and 127 is
    zero, and of two status elements in one language the first one counts: a partner's mistake must not hide a person.
    """
    show = (presence.findtext(_SHOW) or "").strip()
    language = presence.get(_LANG, "")
    notes: dict[str, str] = {}

    for status in presence.iterfind(_STATUS):
        if len(notes) < MOST_NOTES and status.text:
            notes.setdefault(status.get(_LANG, language), status.text)

    return Availability(show if show in SHOWS else "", tuple(notes.items()), _priority(presence))


def _priority(presence: Element) -> int:
    text = (presence.findtext(_PRIORITY) or "").strip()
    value = int(text) if _INTEGER.fullmatch(text) else 0

    return value if -128 <= value <= 127 else 0
