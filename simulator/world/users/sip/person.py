"""What all devices of one person who speaks SIP have in common.

Knows what the person has decided. Does not know how a device says it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.sip.message import HeaderList
from simulator.world.users.habits import Habits
from simulator.world.users.sip.addresses import uri_of
from simulator.world.users.user import Inbox


@dataclass(kw_only=True)
class Person:
    """One person; addresses in the sets are bare and in lower case."""

    address: str
    inbox: Inbox
    habits: Habits
    answer_code: int = 200
    """What is answered to a message; 0: nothing."""
    answer_phrase: str = ""
    answer_headers: HeaderList = ()
    accepted: set[str] = field(default_factory=set)
    """Who may see the person."""
    turned_away: set[str] = field(default_factory=set)
    """Whose request was refused, or whose leave was taken back, by the person."""
    blocked: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    """Whom the person wants to see no longer."""

    @property
    def uri(self) -> str:
        """The address-of-record."""
        return uri_of(self.address)

    def decide(self, contact: str, *, may_see: bool) -> None:
        """Note who may see the person."""
        allowed, denied = (self.accepted, self.turned_away) if may_see else (self.turned_away, self.accepted)
        allowed.add(contact)
        denied.discard(contact)
