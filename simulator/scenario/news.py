"""Does presence that reaches a user say anything that the user was not shown before?

Servers answer probes, requests and sign-ins with presence, each by itself, so that the same presence often arrives
twice. Knows arrivals in their order. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

Arrival = Mapping[str, Any]
Old = Literal["", "repeated", "never there", "own"]

PRESENCE, SUBSCRIPTION, CONTACT = "presence", "subscription", "contact"
#: RFC 6121 §2.1.2.5: what a list says of somebody whose presence the user sees.
_SEEN = ("to", "both")
#: What one presence must share with an earlier one to say the same.
_INFORMATION = ("type", "show", "status", "notes", "priority")


def old_news(own: str, arrivals: Iterable[tuple[int, Arrival]]) -> dict[int, Old]:
    """Which of the arrivals of a user (with their numbers, in order) say nothing new, and why.

    ``repeated`` is the presence that was the last one shown of that device, on the same device of the user's; once the
    contact has taken back what was granted, or the user sees them no longer by the list, it is news again. ``never
    there`` is the `unavailable` of a bare address of which no device was shown as available: RFC 6121 §3.1.3 allows it
    as the acknowledgement of a request, §4.3.2 as the answer to a probe. ``own`` is a reflection of what the user `own`
    has said.
    """
    shown: dict[tuple[str, str], Any] = {}
    found: dict[int, Old] = {}

    for number, arrival in arrivals:
        sender, device = str(arrival.get("from", "")), str(arrival.get("device", ""))

        if arrival.get("what") == SUBSCRIPTION and arrival.get("type") == "unsubscribed":
            _forget(shown, sender, device)
        elif arrival.get("what") == CONTACT and arrival.get("subscription") not in _SEEN:
            _forget(shown, str(arrival.get("contact", "")), device)
        elif arrival.get("what") == PRESENCE:
            old = _old(own, shown, arrival, sender, device)

            if old:
                found[number] = old
            elif arrival.get("type") == "unavailable" and "/" not in sender:
                # RFC 6121 §4.5.4: it holds for every device.
                _forget(shown, sender, device)

            shown[sender, device] = _information(arrival)

    return found


def _old(own: str, shown: Mapping[tuple[str, str], Any], arrival: Arrival, sender: str, device: str) -> Old:
    if bare(sender) == own:
        return "own"

    if shown.get((sender, device)) == _information(arrival):
        return "repeated"

    is_there = any(
        one[0] == "available" for (who, on), one in shown.items() if bare(who) == bare(sender) and on == device
    )

    return "never there" if arrival.get("type") == "unavailable" and "/" not in sender and not is_there else ""


def _forget(shown: dict[tuple[str, str], Any], sender: str, device: str) -> None:
    for key in [key for key in shown if bare(key[0]) == bare(sender) and key[1] == device]:
        del shown[key]


def _information(arrival: Arrival) -> tuple[Any, ...]:
    return tuple(arrival.get(part) for part in _INFORMATION)


def bare(address: str) -> str:
    """An address without its resource, in one spelling."""
    return address.partition("/")[0].lower()
