"""What the users know of their contacts' presence: the last word of every resource, bounded and shaped.

Knows resources and times. Does not know who may see whom: who is not to be known is not noted.

Two bounds, for a partner is not to be trusted with our memory nor with our users' attention. Of one contact so many
resources are kept and no more; and of one contact so many changes are told within a second, and what comes faster is
told as the last word only, when the second is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.notices import Notice, Seen
from simulator.xmpp.address import Address

#: seconds for which changes are counted
WINDOW = 1.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """The presence of one resource, and when it was heard last."""

    availability: Availability
    heard_at: float


@dataclass(slots=True)
class Watch:
    """What one user knows of one contact."""

    resources: dict[str, Sighting] = field(default_factory=dict)
    heard_at: float = 0.0
    """When anything was heard of the contact, or he was first asked for."""
    probed_at: float | None = None
    """When the contact was asked for presence, while the answer may still come."""
    shown: set[str] = field(default_factory=set)
    """The resources that the user was told are available."""
    window: float = 0.0
    """When the second began in which `told` changes were told."""
    told: int = 0
    held: dict[tuple[str, str | None], Seen] = field(default_factory=dict)
    """What a flood has kept from being told: the last word for each resource (and device)."""


class Sightings:
    """Everything that is known of contacts who are not users here."""

    def __init__(self, tell: Callable[[Notice], None], *, most_resources: int, most_changes: int) -> None:
        self._tell, self._most_resources, self._most_changes = tell, most_resources, most_changes
        self._watches: dict[Address, dict[Address, Watch]] = {}
        self._flooded: dict[tuple[Address, Address], None] = {}

    def of(self, user: Address, contact: Address) -> dict[str, Availability]:
        """What is known of a contact, by resource."""
        watch = self._watches.get(user, {}).get(contact)

        return {resource: each.availability for resource, each in watch.resources.items()} if watch else {}

    def watch(self, user: Address, contact: Address) -> Watch | None:
        """What is noted about a contact, or None."""
        return self._watches.get(user, {}).get(contact)

    def all(self) -> Iterator[tuple[Address, Address, Watch]]:
        """Everything noted, as it is now."""
        for user, watches in list(self._watches.items()):
            for contact, watch in list(watches.items()):
                yield user, contact, watch

    def probed(self, user: Address, contact: Address, now: float) -> None:
        """The contact was asked."""
        watch = self._open(user, contact, now)
        watch.probed_at = now

    def note(
        self,
        user: Address,
        contact: Address,
        resource: str,
        availability: Availability,
        stanza: Element,
        device: str | None,
        now: float,
    ) -> None:
        """A resource is available. One resource too many is not noted and not told."""
        watch = self._open(user, contact, now)
        watch.heard_at = now

        if resource not in watch.resources and len(watch.resources) >= self._most_resources:
            return

        watch.resources[resource] = Sighting(availability, now)
        self._shape(watch, Seen(user, contact, resource, availability, stanza, device), now)

    def gone(
        self, user: Address, contact: Address, resource: str, stanza: Element, device: str | None, now: float
    ) -> None:
        """A resource says that it is gone; or, with an empty `resource`, the contact is: then all of them are."""
        watch = self._open(user, contact, now)
        watch.heard_at = now

        if not resource:
            for each in list(watch.resources):
                watch.resources.pop(each)
                self._shape(watch, Seen(user, contact, each, None, stanza, device), now)

        # That a resource is gone which was not known is no news, but for the first word about a contact.
        elif watch.resources.pop(resource, None) is None and (watch.resources or watch.shown):
            return

        self._shape(watch, Seen(user, contact, resource, None, stanza, device), now)

    def void(self, user: Address, contact: Address, resources: list[str] | None = None) -> None:
        """What was known of a contact (or of these resources) counts no longer; the user is told."""
        watch = self.watch(user, contact)

        if watch is None:
            return

        for resource in list(watch.resources) if resources is None else resources:
            watch.resources.pop(resource, None)

            for key in [key for key in watch.held if key[0] == resource]:
                watch.held.pop(key)

            self._say(watch, Seen(user, contact, resource, None))

    def forget(self, user: Address, contact: Address | None = None) -> None:
        """Note nothing any more of a contact, or of all of a user's; nobody is told."""
        if contact is None:
            self._watches.pop(user, None)
            self._flooded = {pair: None for pair in self._flooded if pair[0] != user}
            return

        watches = self._watches.get(user, {})
        watches.pop(contact, None)
        self._flooded.pop((user, contact), None)

        if not watches:
            self._watches.pop(user, None)

    def forget_unwelcome(self, contact: Contact, welcome: bool) -> None:
        """Nothing is told any more of a contact who is not welcome, so what is known of him would grow old."""
        if not welcome:
            self.void(contact.user, contact.address)
            self.forget(contact.user, contact.address)

    def release(self, now: float) -> None:
        """Tell what floods have held back, where the second is over."""
        for user, contact in list(self._flooded):
            watch = self._watches[user][contact]

            if now - watch.window >= WINDOW:
                self._flooded.pop((user, contact))
                held, watch.held = watch.held, {}
                watch.window, watch.told = now, len(held)

                for seen in held.values():
                    self._say(watch, seen)

    def _open(self, user: Address, contact: Address, now: float) -> Watch:
        return self._watches.setdefault(user, {}).setdefault(contact, Watch(heard_at=now))

    def _shape(self, watch: Watch, seen: Seen, now: float) -> None:
        if now - watch.window >= WINDOW and not watch.held:
            watch.window, watch.told = now, 0

        watch.told += 1

        if watch.told <= self._most_changes and not watch.held:
            self._say(watch, seen)
            return

        # The last word for a resource goes to the end: "all are gone" must not overtake what came before it.
        key = (seen.resource, seen.device)
        watch.held.pop(key, None)
        self._flooded[seen.user, seen.contact] = None

        # Whoever came and went unnoticed is not worth a word, and must not fill the memory.
        if seen.availability is not None or not seen.resource or seen.resource in watch.shown:
            watch.held[key] = seen

    def _say(self, watch: Watch, seen: Seen) -> None:
        if seen.availability is not None:
            watch.shown.add(seen.resource)
        elif seen.resource:
            watch.shown.discard(seen.resource)
        else:
            watch.shown.clear()

        self._tell(seen)
