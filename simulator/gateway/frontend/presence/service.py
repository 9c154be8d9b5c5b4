"""SERVICE: what a user decides about contacts ([MS-SIP] §3.7).

Knows which intent of the home an operation is. Does not know what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.home import Home
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.parties import Parties
from simulator.gateway.frontend.presence.lists import PendingList, RoamingContacts
from simulator.gateway.frontend.presence.rules import PresenceRules, Right
from simulator.gateway.frontend.refusal import Refused
from simulator.sip.agent import Incoming
from simulator.sip.contact_service import (
    SOAP_TYPE,
    AddGroup,
    DeleteContact,
    DeleteGroup,
    ModifyGroup,
    Operation,
    SetACE,
    SetContact,
    parse_operation,
    write_answer,
)
from simulator.xmpp.address import Address


class ContactService:
    """Serves SERVICE. `contact_of` gives the contact outside that a URI means, or raises SIPError."""

    def __init__(
        self,
        rules: PresenceRules,
        *,
        home: Home,
        parties: Parties,
        contacts: RoamingContacts,
        pending: PendingList,
        contact_of: Callable[[str], Address],
        clock: Callable[[], float],
    ) -> None:
        self._rules, self._home, self._parties = rules, home, parties
        self._contacts, self._pending, self._contact_of, self._clock = contacts, pending, contact_of, clock

    def serve(self, flow: Flow, incoming: Incoming, user: Address) -> None:
        """Carry out an operation; raises SIPError, and then nothing has changed."""
        media_type, _ = incoming.request.content_type

        if media_type != SOAP_TYPE:
            raise Refused(415, f"{media_type} is not understood", [("Accept", SOAP_TYPE)])

        body = self._carry_out(user, parse_operation(incoming.request.body))
        headers = [("Content-Type", SOAP_TYPE)] if body else []
        flow.answer(incoming, 200, headers=headers, body=body)
        self._pending.changed(user)

    def _carry_out(self, user: Address, operation: Operation) -> bytes:
        match operation:
            case SetContact(uri=uri):
                self._set_contact(user, self._contact_of(uri), operation)
            case DeleteContact(uri=uri):
                self._home.remove(user, self._contact_of(uri), self._clock())
            case SetACE(mask=mask, rights=rights):
                self._decide(user, self._contact_of(mask), self._rules.right_of(rights))
            case AddGroup(name=name):
                number = self._contacts.groups(user).number(name)
                self._contacts.regrouped(user)

                return write_answer("addGroup", [("groupID", str(number))])
            case ModifyGroup(number=number, name=name):
                self._regroup(user, number, name)
            case DeleteGroup(number=number):
                self._regroup(user, number, "")

        return b""

    def _set_contact(self, user: Address, contact: Address, wanted: SetContact) -> None:
        before, now = self._home.contact(user, contact), self._clock()
        groups = self._contacts.groups(user).names(wanted.groups)
        is_new = not before.listed or (before.name, before.groups) != (wanted.name, groups)

        if wanted.subscribed and self._rules.asks_on_set(before, is_new):
            self._parties.admit(user, contact)
            self._home.add(user, contact, now, name=wanted.name, groups=groups)
            return

        if is_new and (wanted.subscribed or before.listed):
            self._home.edit(user, contact, name=wanted.name, groups=groups)

        if not wanted.subscribed and self._rules.withdraws_on_set(before, is_new):
            self._home.unsubscribe(user, contact, now)

    def _decide(self, user: Address, contact: Address, right: Right) -> None:
        before, now = self._home.contact(user, contact), self._clock()

        if before.blocked and right is not Right.BLOCK:
            self._home.unblock(user, contact, now)

        match right:
            case Right.ALLOW:
                self._allow(user, contact, before)
            case Right.DENY:
                self._home.refuse(user, contact, now)
            case Right.BLOCK:
                self._home.block(user, contact, now)
            case Right.PROMPT:
                return

    def _allow(self, user: Address, contact: Address, before: Contact) -> None:
        """Grant what was asked for, or will be; what is granted already the home knows."""
        self._parties.admit(user, contact)

        if before.waits:
            self._home.accept(user, contact, self._clock())
        else:
            self._home.approve(user, contact, self._clock())

    def _regroup(self, user: Address, number: int, name: str) -> None:
        groups = self._contacts.groups(user)
        old = groups.names([number])

        if not old:
            raise Refused(404, "There is no such group")

        if name:
            groups.rename(number, name)
        else:
            groups.forget(number)

        for contact in self._home.contacts(user):
            if old[0] in contact.groups:
                kept = [name if each == old[0] else each for each in contact.groups]
                self._home.edit(user, contact.address, name=contact.name, groups=[each for each in kept if each])

        self._contacts.regrouped(user)
