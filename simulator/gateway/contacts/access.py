"""What the home asks before a stanza crosses: gates, and what a type of partner may do.

Knows the questions. Does not know the answers: those are `gateway.access.point.AccessPoint`'s.
"""

from __future__ import annotations

from typing import Protocol

from simulator.gateway.access.authorization import Refusal
from simulator.gateway.access.gates import Closed
from simulator.gateway.access.partner_types import Action
from simulator.xmpp.address import Address
from simulator.xmpp.errors import StanzaCondition


class Access(Protocol):
    """Who may reach whom. Addresses are bare; a user need not exist."""

    def outbound(self, user: Address, contact: Address) -> Closed | None:
        """Why nothing may pass from `user` to `contact`; None: it may."""

    def inbound(self, user: Address, contact: Address, action: Action, *, added: bool) -> Closed | None:
        """Why `contact` may not do this to `user`; `added`: the user has the contact on the list."""

    def asks_user(self, contact: Address) -> bool:
        """Whether the user is asked before the contact may see the presence."""

    def shows_note(self, contact: Address) -> bool:
        """Whether the contact sees status notes."""

    def answer_to_request(self, closed: Closed) -> Refusal:
        """How a ``subscribe`` is refused that a gate stopped."""

    def condition(self, closed: Closed) -> StanzaCondition:
        """The error for it, where it is one."""
