"""A person inside who speaks SIP, on one device or several.

Knows which device does what. Does not know the gateway: addresses are translated here by other code, on purpose.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Mapping, Sequence
from typing import Any

from simulator.journal import Journal
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList
from simulator.wire.tls import TLSContext
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.sip.device import Device, Place
from simulator.world.users.sip.dialect import Dialect
from simulator.world.users.sip.person import Answer, Person
from simulator.world.users.user import Inbox, Unable


class SIPUser:
    """One person; `address` is bare (``user@domain``). Raises PermissionError off loopback.

    They answer 200 to a message unless told otherwise. What they refuse they do not show: nothing reaches the inbox
    then.
    """

    def __init__(
        self,
        address: str,
        host: str,
        port: int,
        journal: Journal,
        *,
        tls: TLSContext | None = None,
        server_name: str | None = None,
        timeout: float = 32.0,
        entropy: random.Random | None = None,
        habits: Habits = WRITES,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise PermissionError(f"{host} is not on loopback: users contact nobody else")

        self.address = address
        self.inbox = Inbox(journal, address)
        self._person = Person(address=address, inbox=self.inbox, habits=habits)
        self._place = Place(host=host, port=port, tls=tls, server_name=server_name, timeout=timeout)
        self._journal, self._identifiers = journal, Identifiers(entropy)
        self._devices: dict[str, Device] = {}

    def answer_messages(self, code: int, phrase: str = "", headers: HeaderList = (), *, device: str = "") -> None:
        """Answer every message so from now on, on one device or on all; `code` 0: not at all."""
        answer = Answer(code=code, phrase=phrase, headers=headers)

        if device:
            self._person.answers[device] = answer
        else:
            self._person.answer = answer
            self._person.answers.clear()

    # -- being there

    async def sign_in(
        self,
        device: str = "",
        *,
        available: bool = True,
        show: str = "",
        note: str | Mapping[str, str] = "",
        priority: int | None = None,
    ) -> None:
        """Connect and register. Raises ConnectionError."""
        if device in self._devices:
            await self._devices.pop(device).sign_out()

        one = Device(device, self._person, self._place, self._journal, self._identifiers)
        self._devices[device] = one

        try:
            await one.sign_in(available=available, show=show, note=note, priority=priority)
        except BaseException:
            await self._devices.pop(device).sign_out()
            raise

    async def sign_out(self, device: str = "") -> None:
        """Remove the registration and disconnect; never raises."""
        for name in [device] if device else list(self._devices):
            if name in self._devices:
                await self._devices.pop(name).sign_out()

    def vanish(self, device: str = "") -> None:
        """Lose the connection (RST) without a word."""
        for name in [device] if device else list(self._devices):
            if name in self._devices:
                self._devices[name].vanish()

    # -- messages

    async def send_message(
        self,
        to: str,
        body: str,
        *,
        id: str,  # noqa: A002
        type: str | None = None,  # noqa: A002
        subject: str | None = None,
        thread: str | None = None,
        language: str | None = None,
        extra: str = "",
        device: str = "",
        content_type: str = "text/plain;charset=UTF-8",
        sender: str | None = None,
        method: str = "MESSAGE",
    ) -> None:
        """Send a MESSAGE; its answer reaches the inbox as ``accepted`` or ``refusal`` with the same `id`.

        `to` is an address, or a URI that is used as it is. `sender` is another From than our own, `method` another
        request: for those who test what is refused. `type` and `extra` have no place in SIP. Raises ConnectionError.
        """
        one = self._device(device)

        if one.talks is not None:
            await one.talks.send(to, body.encode("utf-8"), carried=id, content_type=content_type, subject=subject)
            return

        one.pager.send(
            to,
            body.encode("utf-8"),
            carried=id,
            subject=subject,
            thread=thread,
            language=language,
            content_type=content_type,
            sender=sender,
            method=method,
        )

    async def send_state(self, to: str, state: str, *, device: str = "") -> None:
        """Say how far a conversation is (RFC 3994), which only sessions do; ``gone`` ends one."""
        talks = self._device(device).talks

        if talks is None:
            raise Unable("im-sessions")

        await talks.send_state(to, state)

    # -- contacts

    async def add_contact(
        self, contact: str, *, name: str | None = None, groups: Sequence[str] = (), device: str = ""
    ) -> None:
        """Put somebody on the list, and ask to see them."""
        await self._presence(device).add(contact, name, groups)

    async def remove_contact(self, contact: str, *, device: str = "") -> None:
        """Take somebody off the list."""
        await self._presence(device).remove(contact)

    async def accept(self, contact: str, *, device: str = "") -> None:
        """Let somebody see us."""
        await self._presence(device).accept(contact)

    async def refuse(self, contact: str, *, device: str = "") -> None:
        """Answer a request with no."""
        await self._presence(device).refuse(contact)

    async def unsubscribe(self, contact: str, *, device: str = "") -> None:
        """See somebody no longer."""
        await self._presence(device).unsubscribe(contact)

    async def cancel(self, contact: str, *, device: str = "") -> None:
        """Take back what was granted."""
        await self._presence(device).refuse(contact)

    async def block(self, contact: str, *, device: str = "") -> None:
        """Be unseen by somebody."""
        await self._presence(device).block(contact)

    async def unblock(self, contact: str, *, device: str = "") -> None:
        """Take that back."""
        await self._presence(device).unblock(contact)

    async def contact_list(self, *, device: str = "") -> dict[str, dict[str, Any]]:
        """Ask the system for the list."""
        return await self._presence(device).contact_list()

    # -- presence

    async def set_presence(
        self,
        *,
        show: str = "",
        note: str | Mapping[str, str] = "",
        priority: int | None = None,
        extra: str = "",
        device: str = "",
    ) -> None:
        """Be seen as available, or as `extra` says, which is a whole presence document (PIDF)."""
        if extra:
            await self._presence(device).show_document(extra.encode())
        else:
            await self._presence(device).show(show, note, priority)

    async def set_unavailable(self, *, note: str | Mapping[str, str] = "", device: str = "") -> None:
        """Be seen as unavailable, and stay signed in."""
        await self._presence(device).hide(note)

    async def direct_presence(
        self, to: str, *, show: str | None = "", note: str | Mapping[str, str] = "", device: str = ""
    ) -> None:
        """SIP has nothing of the kind: presence is told to those who have subscribed (RFC 6665 §4.2)."""
        raise Unable("directed-presence")

    async def probe(self, contact: str, *, device: str = "") -> None:
        """A SUBSCRIBE that expires at once (RFC 8048 §7.2)."""
        await self._presence(device).ask_once(contact)

    # -- inside

    def _device(self, name: str) -> Device:
        name = name or next(iter(self._devices), "")

        if name not in self._devices:
            raise ConnectionError(f"{self.address}{'/' if name else ''}{name} is not signed in")

        return self._devices[name]

    def _presence(self, device: str) -> Dialect:
        return self._device(device).presence
