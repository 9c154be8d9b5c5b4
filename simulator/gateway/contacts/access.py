"""What the home asks before a stanza crosses: gates, and what a type of partner may do.

Knows the questions. Does not know the answers: those are `gateway.access`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from simulator.xmpp.address import Address


class Action(StrEnum):
    """What a partner's user wants of ours."""

    SUBSCRIBE = "subscribe"
    SEE = "see"


class Closed(Protocol):
    """A gate that is closed; `reason` is a sentence for the administrator."""

    @property
    def reason(self) -> str: ...


class Access(Protocol):
    """Who may reach whom. Addresses are bare."""

    def outbound(self, user: Address, contact: Address) -> Closed | None:
        """Why nothing may pass from `user` to `contact`; None: it may."""

    def inbound(self, user: Address, contact: Address, action: Any, *, added: bool) -> Closed | None:
        """Why `contact` may not do this to `user`; `added`: the user has the contact on the list."""

    def asks_user(self, contact: Address) -> bool:
        """Whether the user is asked before the contact may see the presence."""

    def shows_note(self, contact: Address) -> bool:
        """Whether the contact sees status notes."""
