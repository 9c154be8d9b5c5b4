"""A person's contact list and those who wait to be let in, as Lync's clients have them ([MS-SIP]).

Knows the packages ``vnd-microsoft-roaming-contacts`` and ``presence.wpending``, and SERVICE. Does not know presence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from simulator.sip import contact_service, watchers
from simulator.sip.body import local_name, parse_xml, text_of
from simulator.sip.contact_service import AddGroup, ListedContact, Operation
from simulator.sip.errors import SIPError
from simulator.sip.event import SubscriptionState
from simulator.sip.message import Message, Response
from simulator.world.pace import bounded
from simulator.world.users.sip.addresses import address_of, bare, uri_of
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.observed import refusal_of
from simulator.world.users.sip.person import Person
from simulator.world.users.sip.subscriptions import Subscription, Subscriptions
from simulator.world.users.user import CONTACT, REFUSAL, SUBSCRIPTION, Unable

PENDING = "presence.wpending"
#: "Contacts must be in at least one group": the one that stands for none, and how it is called.
NO_GROUP, NO_GROUP_NAME = 1, "~"
#: Seconds for a list that is on its way.
PATIENCE = 5.0
#: RFC 6121 §2.1.2.5: who of them sees us.
_SEEN_BY = {"from", "both"}


class ContactList:
    """The list as one device knows it. `arrived` takes what there is to tell, `changed` each entry that has changed, or
    None in its place when it is gone: it may have been another device."""

    def __init__(
        self,
        line: Line,
        subscriptions: Subscriptions,
        person: Person,
        arrived: Callable[..., None],
        changed: Callable[[str, ListedContact | None], None],
    ) -> None:
        self._line, self._subscriptions, self._person = line, subscriptions, person
        self._arrived, self._changed = arrived, changed
        self._entries: dict[str, ListedContact] = {}
        self._groups: dict[int, str] = {}
        self._waiting: set[str] = set()
        self._delta = 1
        self._subscription: Subscription | None = None
        self._whole = asyncio.Event()

    @property
    def contacts(self) -> list[str]:
        """Those whose presence is wanted."""
        return [contact for contact, entry in self._entries.items() if entry.subscribed]

    def subscription_of(self, contact: str) -> str:
        """What the list says of somebody: none, to, from, both; empty where it says nothing."""
        entry = self._entries.get(bare(contact))

        return entry.subscription if entry is not None else ""

    async def open(self) -> None:
        """Subscribe to the list and to those who wait, and return with the list. Raises ConnectionError."""
        subscription, code, _ = await self._subscriptions.subscribe(
            self._person.uri, contact_service.EVENT, accept=[contact_service.MEDIA_TYPE], on_notify=self._listed
        )

        # A server that keeps no lists does not know the package.
        if 200 <= code < 300:
            self._subscription = subscription
            await self._come(self._whole)

        waiting, code, _ = await self._subscriptions.subscribe(
            self._person.uri,
            PENDING,
            accept=[watchers.MEDIA_TYPE, watchers.MICROSOFT_MEDIA_TYPE],
            on_notify=self._watched,
        )

        if 200 <= code < 300:
            await self._come(waiting.first)

    async def read(self) -> dict[str, dict[str, Any]]:
        """Ask for the whole list, as `User.contact_list` has it. Raises ConnectionError, Unable."""
        if self._subscription is None:
            raise Unable("contact-lists")

        self._whole.clear()
        code, _ = await self._subscriptions.refresh(self._subscription)

        if not 200 <= code < 300:
            raise ConnectionError(f"the contact list of {self._person.address} is not told: {code}")

        await self._come(self._whole)
        found = {contact: self._fields(entry) for contact, entry in self._entries.items()}

        for contact in self._waiting:
            found.setdefault(contact, {})["pending"] = True

        return found

    async def set(self, contact: str, *, subscribed: bool, name: str | None = None, groups: Sequence[str] = ()) -> bool:
        """Add a contact or change it, and say whether their presence is wanted. Raises ConnectionError."""
        known = self._entries.get(bare(contact))
        name = name if name is not None else (known.name if known is not None else "")
        numbers = tuple([await self._group(each) for each in groups]) or (known.groups if known else (NO_GROUP,))
        wanted = contact_service.SetContact(uri_of(contact), name, numbers, subscribed, self._delta)

        return await self._serve(contact, wanted)

    async def delete(self, contact: str) -> bool:
        """Take a contact off the list. Raises ConnectionError."""
        self._decided(contact, may_see=False)

        return await self._serve(contact, contact_service.DeleteContact(uri_of(contact), self._delta))

    async def allow(self, contact: str) -> bool:
        """Let somebody see us. Raises ConnectionError."""
        self._decided(contact, may_see=True)

        return await self._serve(contact, self._rights(contact, "AA"))

    async def deny(self, contact: str) -> bool:
        """Let somebody see us no longer, or not at all. Raises ConnectionError."""
        self._decided(contact, may_see=False)

        return await self._serve(contact, self._rights(contact, "DA"))

    async def block(self, contact: str) -> bool:
        """Be unseen by somebody, and hear nothing from them. Raises ConnectionError."""
        self._waiting.discard(bare(contact))
        self._person.blocked.add(bare(contact))

        return await self._serve(contact, self._rights(contact, "BD"))

    async def unblock(self, contact: str) -> bool:
        """Take that back: what was decided before holds again. Raises ConnectionError."""
        self._person.blocked.discard(bare(contact))

        return await self._serve(contact, self._rights(contact, "PA"))

    # -- what is told

    def _listed(self, state: SubscriptionState, message: Message) -> None:
        try:
            told = contact_service.parse_contacts(message.body) if message.body else None
        except SIPError as error:
            self._line.violated(error)
            return

        if told is None:
            return

        self._delta = told.delta
        self._groups |= dict(told.groups)
        entries = {bare(address_of(entry.uri)): entry for entry in told.contacts}

        if told.full:
            self._groups, self._entries = dict(told.groups), entries
            self._whole.set()
            return

        for contact, entry in entries.items():
            before, self._entries[contact] = self._entries.get(contact), entry
            self._arrived(CONTACT, contact=contact, **self._fields(entry))
            self._withdrawn(contact, before, entry.subscription)
            self._changed(contact, entry)

        for uri in told.deleted:
            contact = bare(address_of(uri))
            before = self._entries.pop(contact, None)
            self._arrived(CONTACT, contact=contact, subscription="remove")
            self._withdrawn(contact, before, "none")
            self._changed(contact, None)

    def _withdrawn(self, contact: str, before: ListedContact | None, now: str) -> None:
        """Somebody who saw us does not any more, and it was not our doing."""
        saw = before is not None and before.subscription in _SEEN_BY

        if saw and now not in _SEEN_BY and contact not in self._person.turned_away | self._person.blocked:
            self._person.accepted.discard(contact)
            self._arrived(SUBSCRIPTION, **{"from": contact, "type": "unsubscribe"})

    def _watched(self, state: SubscriptionState, message: Message) -> None:
        try:
            told = watchers.parse_watchers(message.body) if message.body else []
        except SIPError as error:
            self._line.violated(error)
            return

        waiting = {bare(address_of(each.uri)) for each in told if each.status in ("pending", "waiting")}
        asking, silent = waiting - self._waiting, self._waiting - waiting
        self._waiting = waiting

        for contact in sorted(asking):
            self._person.turned_away.discard(contact)

            if self.subscription_of(contact) not in _SEEN_BY:
                self._person.accepted.discard(contact)

            self._arrived(SUBSCRIPTION, **{"from": contact, "type": "subscribe"})

        for contact in sorted(silent - self._person.accepted - self._person.turned_away):
            self._arrived(SUBSCRIPTION, **{"from": contact, "type": "unsubscribe"})

    # -- inside

    def _fields(self, entry: ListedContact) -> dict[str, Any]:
        groups = [self._groups.get(number, str(number)) for number in entry.groups]
        fields = {
            "subscription": entry.subscription,
            "ask": entry.ask,
            "name": entry.name,
            "groups": [name for name in groups if name != NO_GROUP_NAME],
        }

        return {key: value for key, value in fields.items() if value}

    def _rights(self, contact: str, rights: str) -> Operation:
        return contact_service.SetACE(uri_of(contact), rights, delta=self._delta)

    def _decided(self, contact: str, *, may_see: bool) -> None:
        self._waiting.discard(bare(contact))
        self._person.decide(bare(contact), may_see=may_see)

    async def _group(self, name: str) -> int:
        """The number of a group, which is made if there is none."""
        number = next((each for each, known in self._groups.items() if known == name), 0)

        if number:
            return number

        code, response = await self._send(AddGroup(name, self._delta))

        if response is None or not 200 <= code < 300:
            return NO_GROUP

        found = [text_of(each) for each in parse_xml(response.body).iter() if local_name(each) == "groupID"]
        number = int(found[0]) if found and found[0].isdigit() else NO_GROUP
        self._groups[number] = name

        return number

    async def _serve(self, contact: str, operation: Operation) -> bool:
        """Whether the system did it; a refusal is an arrival."""
        code, response = await self._send(operation)

        if 200 <= code < 300:
            return True

        self._arrived(REFUSAL, **{"from": bare(contact)}, **refusal_of(code, response))

        return False

    async def _send(self, operation: Operation) -> tuple[int, Response | None]:
        identifiers, uri = self._line.identifiers, self._person.uri
        headers = [
            ("To", f"<{uri}>"),
            ("From", f"<{uri}>;tag={identifiers.fresh()}"),
            ("Call-ID", identifiers.fresh()),
            ("CSeq", f"{self._line.next_number()} SERVICE"),
            ("Content-Type", "application/SOAP+xml"),
        ]

        return await self._line.ask("SERVICE", uri, headers, body=contact_service.write_operation(operation))

    async def _come(self, told: asyncio.Event) -> None:
        try:
            async with bounded(PATIENCE):
                await told.wait()
        except TimeoutError:
            raise ConnectionError(f"the contact list of {self._person.address} does not come") from None
