"""What all devices of one person who speaks SIP have in common.

Knows what the person has decided. Does not know how a device says it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.sip.message import HeaderList
from simulator.world.users.habits import Habits
from simulator.world.users.sip.addresses import uri_of
from simulator.world.users.user import Inbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What is answered to a message."""

    code: int = 200
    """0: nothing."""
    phrase: str = ""
    headers: HeaderList = ()


@dataclass(kw_only=True)
class Person:
    """One person; addresses in the sets are bare and in lower case."""

    address: str
    inbox: Inbox
    habits: Habits
    answer: Answer = Answer()
    answers: dict[str, Answer] = field(default_factory=dict)
    """Of devices that answer otherwise, by name."""
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

    def answer_of(self, device: str) -> Answer:
        """What one device answers."""
        return self.answers.get(device, self.answer)

    def decide(self, contact: str, *, may_see: bool) -> None:
        """Note who may see the person."""
        allowed, denied = (self.accepted, self.turned_away) if may_see else (self.turned_away, self.accepted)
        allowed.add(contact)
        denied.discard(contact)
