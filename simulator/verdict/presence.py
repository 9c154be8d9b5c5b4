"""Expected against seen, where it is about presence, subscriptions, contact lists and the administrator.

Knows fields of arrivals. Does not know levels, alternatives or the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.scenario.match import Mismatch, match_fields, quote
from simulator.scenario.subscription import LISTED, PENDING_IN, SEEN_BY_CONTACT

Seen = Mapping[str, Any]

#: A probe of the contact that is answered with presence; else it is refused, or nothing comes of it.
ANSWERED = "answered"


def describe(delivered: Seen) -> str:
    """What reached a user, for people."""
    what = delivered.get("what", "something")
    fields = ", ".join(f"{key}={quote(value)}" for key, value in delivered.items() if key != "what" and value)

    return f"{what} {fields}".strip()


def presence(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """Fields of presence."""
    return _fields("presence", argument, seen, captures)


def subscription(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """Fields of a request or of what was decided about one."""
    return _fields("subscription", argument, seen, captures)


def composing(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """Fields of a chat state."""
    return _fields("composing", argument, seen, captures)


def contact_list(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """Fields of the entry, or that there is none."""
    wanted = {key: value for key, value in argument.items() if key not in ("contact", "listed")}
    entry = seen.get("listed")

    if argument.get("listed") is False:
        # Whoever only asks is known beside the list (RFC 6121 §3.1.3 keeps them off it).
        on_it = entry is not None and "subscription" in entry
        return Mismatch("/contact", "nothing", describe({"what": "contact", **entry})) if on_it and entry else None

    if entry is None:
        return Mismatch("/contact", quote(argument["contact"]), "no such contact")

    return match_fields(wanted, entry, captures, "/contact")


def state_of(found: Seen) -> tuple[str, str]:
    """The state of which all that was seen is the sign, and what contradicts it; one of the two is empty.

    `found` holds ``contact_list`` (the entry, or None), ``probe`` (answered, refused, silent) and ``asked``.
    """
    entry = found.get("contact_list") or {}
    listed = str(entry.get("subscription") or "none"), str(entry.get("ask") or "")
    states = [state for state, one in LISTED.items() if one == listed and (state in PENDING_IN) == bool(found["asked"])]

    if len(states) != 1:
        asks = "the contact's request is shown again" if found["asked"] else "no request is shown"
        return "", f"the contact list says subscription={listed[0]}, ask={listed[1] or 'none'}, and {asks}"

    answered = found["probe"] == ANSWERED

    if answered != (states[0] in SEEN_BY_CONTACT):
        how = "answered with presence" if answered else f"{found['probe']}, not answered with presence"
        return "", f"the contact list says subscription={listed[0]}, and the contact's probe is {how}"

    return states[0], ""


def state(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The state that everything seen from outside agrees upon."""
    found, contradiction = state_of(seen["subscription"])
    wanted = str(argument["state"])

    if contradiction:
        return Mismatch("/subscription", wanted, contradiction)

    return None if found == wanted else Mismatch("/subscription", wanted, found)


def told(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """What the shell said holds the text."""
    wanted = argument if isinstance(argument, Mapping) else {"output": argument}
    delivered = seen.get("delivered") or {}

    for what, text in wanted.items():
        said = " ".join(str(delivered.get("text", "")).split())

        if delivered.get("what") != what or " ".join(str(text).split()) not in said:
            return Mismatch(f"/{what}", quote(text), describe(delivered))

    return None


def _fields(what: str, argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    delivered = seen.get("delivered") or {}

    if delivered.get("what") != what:
        return Mismatch(f"/{what}", f"a {what}" if what != "composing" else "a chat state", describe(delivered))

    return match_fields(argument, delivered, captures, f"/{what}")


JUDGES = {
    "presence": presence,
    "subscription": subscription,
    "composing": composing,
    "contact-list": contact_list,
    "state": state,
    "told": told,
}
