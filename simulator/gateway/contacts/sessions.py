"""Which of the users' own devices are available, and how (RFC 6121 §4.1: presence sessions).

Knows sessions, and that what one shows directly is to be taken back. Does not know who may see them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.last_words import LastWords
from simulator.xmpp.address import Address

#: addresses to which one device may show presence beside its contacts; the oldest is forgotten first
MOST_DIRECTED = 1_000


@dataclass(slots=True)
class Session:
    """One device of a user. Without `availability` it has shown presence to single addresses only (§4.6.3 case 3).

    One that `listens` is told of contacts without having shown any to everybody.
    """

    availability: Availability | None = None
    id: str = ""
    """Of the presence that was last broadcast (§4.3.2.1 wants it in answers to probes)."""
    listens: bool = False
    directed: dict[Address, None] = field(default_factory=dict)
    """To whom this device has shown presence directly, bare or full (§4.6.1)."""

    def direct(self, to: Address) -> Address | None:
        """Note a directed presence; gives who is forgotten for it, if the list is full."""
        self.directed.pop(to, None)
        self.directed[to] = None

        if len(self.directed) <= MOST_DIRECTED:
            return None

        oldest = next(iter(self.directed))
        self.directed.pop(oldest)

        return oldest


class Sessions:
    """The sessions of all users, by bare address and resource."""

    def __init__(self, words: LastWords) -> None:
        self._words = words
        self._sessions: dict[Address, dict[str, Session]] = {}
        self._left_at: dict[Address, float] = {}

    def of(self, user: Address) -> dict[str, Session]:
        """All sessions of a user, those that are not available included."""
        return self._sessions.get(user, {})

    def available(self, user: Address) -> dict[str, Session]:
        """The sessions of a user that are available."""
        return {resource: each for resource, each in self.of(user).items() if each.availability is not None}

    def there(self, user: Address) -> dict[str, Session]:
        """The sessions of a user that are told of contacts: those that are available, and those that listen."""
        return {
            resource: each for resource, each in self.of(user).items() if each.availability is not None or each.listens
        }

    def is_online(self, user: Address) -> bool:
        """Whether any device of the user is available, or listens."""
        return any(each.availability is not None or each.listens for each in self.of(user).values())

    def users(self) -> list[Address]:
        """All users with a session."""
        return list(self._sessions)

    def online(self) -> list[Address]:
        """All users with a device that is available, or listens."""
        return [user for user in self._sessions if self.is_online(user)]

    def open(self, user: Address, resource: str) -> Session:
        """The session of a resource, a new one if need be."""
        return self._sessions.setdefault(user, {}).setdefault(resource, Session())

    def direct(self, user: Address, resource: str, to: Address) -> Address | None:
        """Note a directed presence of a resource; gives who is forgotten for it, if it has shown too many."""
        sender = Address(user.local, user.domain, resource)
        forgotten = self.open(user, resource).direct(to)
        self._words.show(sender, to)

        if forgotten is not None:
            self._words.hide(sender, forgotten)

        return forgotten

    def close(self, user: Address, resource: str, now: float) -> Session | None:
        """End a session; gives it, or None if there is none. A device that listens goes on listening."""
        sessions = self._sessions.get(user)
        session = sessions.pop(resource, None) if sessions else None

        for to in session.directed if session is not None else ():
            self._words.hide(Address(user.local, user.domain, resource), to)

        if sessions is not None and session is not None and session.listens:
            sessions[resource] = Session(listens=True)

        if sessions is not None and not sessions:
            self._sessions.pop(user)

        if session is not None and session.availability is not None and not self.available(user):
            self._left_at[user] = now

        return session

    def left_at(self, user: Address) -> float | None:
        """When the last device of a user who is offline became unavailable, in the terms of `now`."""
        return self._left_at.get(user)

    def shown_to(self, user: Address, to: Address) -> list[str]:
        """The resources that have shown presence to this address directly."""
        return [resource for resource, each in self.of(user).items() if to in each.directed]

    def forget_directed(self, user: Address, to: Address, resource: str | None = None) -> None:
        """Whoever this is (all his resources, if the address is bare) is shown nothing directly any more, by the
        user's `resource` or by all of them."""
        for own, session in list(self.of(user).items()):
            if resource in (None, own):
                for each in [each for each in session.directed if to in (each, each.bare)]:
                    session.directed.pop(each)
                    self._words.hide(Address(user.local, user.domain, own), each)

                # A session that was only opened for it would be in nobody's way, but for ever.
                if session.availability is None and not session.directed:
                    self.close(user, own, 0.0)
