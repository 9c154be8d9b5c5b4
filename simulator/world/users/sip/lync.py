"""Contacts and presence as Lync's clients have them: a list on the server, SERVICE, PUBLISH, one SUBSCRIBE for all.

Knows what is done in which order. Does not know what arrives of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from simulator.sip.agent import Incoming
from simulator.sip.contact_service import ListedContact
from simulator.world.users.sip.addresses import bare
from simulator.world.users.sip.contact_list import ContactList
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.observed import Observation, refusal_of
from simulator.world.users.sip.person import Person
from simulator.world.users.sip.publication import Publication
from simulator.world.users.sip.shown import closed_document, document_of
from simulator.world.users.sip.subscriptions import Subscriptions
from simulator.world.users.user import REFUSAL


class LyncDialect:
    """The presence of one device of a person."""

    #: Not SUBSCRIBE: who waits to be let in is told by ``presence.wpending``.
    methods: tuple[str, ...] = ("NOTIFY", "BENOTIFY")

    def __init__(self, line: Line, person: Person, contact: str, arrived: Callable[..., None]) -> None:
        """`contact` is the value of the Contact header of our requests."""
        self._line, self._person, self._arrived = line, person, arrived
        self._subscriptions = Subscriptions(line, person.uri, contact)
        self._observation = Observation(line, self._subscriptions, person, arrived, lync=True)
        self._list = ContactList(line, self._subscriptions, person, arrived, self._listed)
        self._publication = Publication(line, person.uri)
        self._contact = contact
        self._looked_at: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Read the list, hear of those who wait, and look at everybody on the list."""
        await self._list.open()

        wanted = self._list.contacts
        self._looked_at.update(wanted)

        for contact in wanted:
            self._expect(contact, self._list.subscription_of(contact))

        await self._observation.look_at_all(wanted)

    def close(self) -> None:
        """The connection is gone."""
        for task in tuple(self._work):
            task.cancel()

        self._subscriptions.forget()
        self._publication.forget()

    def serves(self, incoming: Incoming) -> bool:
        """Take notifications."""
        if incoming.request.method not in self.methods:
            return False

        self._subscriptions.notified(incoming)

        return True

    async def add(self, contact: str, name: str | None, groups: Sequence[str]) -> None:
        """Set the contact, which asks them, and look."""
        known = self._observation.known(contact)
        known.asked = known.asked or not known.granted
        self._looked_at.add(bare(contact))
        self._person.left.discard(bare(contact))

        if await self._list.set(contact, subscribed=True, name=name, groups=groups):
            await self._observation.look_at_all([contact])
        else:
            known.asked = False
            self._looked_at.discard(bare(contact))

    async def remove(self, contact: str) -> None:
        """Delete the contact, and look no longer."""
        self._leave(contact)

        await self._list.delete(contact)

    async def accept(self, contact: str) -> None:
        """Allow, in the list of rights."""
        await self._list.allow(contact)

    async def refuse(self, contact: str) -> None:
        """Deny, in the list of rights."""
        await self._list.deny(contact)

    async def unsubscribe(self, contact: str) -> None:
        """Set the contact as one whose presence is not wanted."""
        self._leave(contact)

        await self._list.set(contact, subscribed=False)

    async def block(self, contact: str) -> None:
        """Block, in the list of rights."""
        await self._list.block(contact)

    async def unblock(self, contact: str) -> None:
        """Let it be as it was before."""
        await self._list.unblock(contact)

    async def contact_list(self) -> dict[str, dict[str, Any]]:
        """Ask for the whole list."""
        return await self._list.read()

    async def show(self, show: str, note: str | Mapping[str, str], priority: int | None) -> None:
        """Publish."""
        contact = self._contact.partition("<")[2].partition(">")[0]
        await self._publish(document_of(self._person.uri, contact, show=show, note=note, priority=priority, lync=True))

    async def show_document(self, document: bytes) -> None:
        """Publish it."""
        await self._publish(document)

    async def hide(self, note: str | Mapping[str, str]) -> None:
        """Publish that the device is closed."""
        await self._publish(closed_document(self._person.uri, note))

    async def ask_once(self, contact: str) -> None:
        """Poll (RFC 8048 §7.2)."""
        await self._observation.ask_once(bare(contact))

    def _expect(self, contact: str, subscription: str) -> None:
        known = self._observation.known(contact)
        known.granted = subscription in ("to", "both")
        known.asked = not known.granted

    def _listed(self, contact: str, entry: ListedContact | None) -> None:
        """Look at whoever is wanted now, and not at those who are not: another device may have decided that."""
        wanted = entry is not None and entry.subscribed

        if entry is not None and wanted and contact not in self._looked_at:
            self._looked_at.add(contact)
            self._expect(contact, entry.subscription)
            self._spawn(self._observation.look_at_all([contact]))
        elif not wanted:
            self._looked_at.discard(contact)

            # Else the contact has decided it, which is news.
            if contact in self._person.left:
                self._spawn(self._observation.look_away(contact))

    def _leave(self, contact: str) -> None:
        self._person.left.add(bare(contact))
        self._observation.expect_nothing(contact)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_quietly(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _publish(self, document: Any) -> None:
        code, response = await self._publication.show(document)

        if not 200 <= code < 300:
            self._arrived(REFUSAL, **refusal_of(code, response))


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    """What nobody waits for fails with the connection, and that has been noticed."""
    with contextlib.suppress(ConnectionError):
        await work
