"""How a person uses what they have: what a scenario says of one user, as one value.

Knows the words of a scenario's `users`. Does not know what a user makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Habits:
    """The defaults are a person who only writes messages: nothing else is sent for them, nor shown to them."""

    uses_presence: bool = False
    devices: tuple[str, ...] = ("",)
    """Those that are signed in from the beginning; the empty name is the nameless one."""
    dialect: str = "lync"
    """How a user agent who speaks SIP subscribes and publishes: lync, as Lync's clients do, or rfc8048, by it alone."""
    sessions: bool = False
    """Whether instant messages of a user agent who speaks SIP go in sessions (INVITE); else each by itself."""
    first_message: bool = True
    """Whether the first words of a session ride in its INVITE (``ms-text-format``)."""
    silent: bool = False
    """Whether a user at a partner has a server that does nothing by itself, so that probes are shown to them."""


#: Who only writes messages.
WRITES = Habits()


def read_habits(options: Mapping[str, Any], *, uses_presence: bool) -> Habits:
    """What a scenario says of a user; `uses_presence`: its steps speak of presence."""
    return Habits(
        uses_presence=uses_presence or bool(options.get("presence")),
        devices=tuple(options.get("devices") or [""]),
        dialect=str(options.get("dialect", "lync")),
        sessions=bool(options.get("session")),
        first_message=bool(options.get("first-message", True)),
        silent=bool(options.get("silent")),
    )
