"""What a system finds around it, a partner outside, and a journal; all on loopback and torn down."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.journal import Journal
from simulator.world.addresses import Addresses
from simulator.world.ca import CertificateAuthority
from simulator.world.dns import NameServer
from simulator.world.partner.partner import Partner
from simulator.world.profiles import load_profile
from simulator.world.systems.system import System, SystemSettings
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User
from simulator.xmpp.element import parse_element

GOOGLE_TALK = {"tls": "not-supported", "sasl": "not-supported", "dialback": True, "keepalive": False}


class Town:
    """The surroundings of one system, and whatever a test adds to them."""

    def __init__(self) -> None:
        self.addresses = Addresses()
        self.authority = CertificateAuthority()
        self.names = NameServer()
        self.entropy = random.Random(7)
        self.journal = Journal(time.monotonic)
        self.mail: asyncio.Queue[Element] = asyncio.Queue()
        self._ends: list[Callable[[], Any]] = []

    @property
    def name_server(self) -> tuple[str, int]:
        return self.names.host, self.names.port

    async def seat(self, make: Callable[[SystemSettings], System], **settings: Any) -> System:
        """Start a system that allows gmail.com, and publish its domains."""
        given = {"users": ("alice@contoso.com",), "partners": {"gmail.com": GOOGLE_TALK}, **settings}
        system = make(SystemSettings(**given))
        self._ends.append(system.stop)
        await system.start(self)

        for domain in system.domains:
            host, port = system.address_of(domain)
            self.names.publish(f"_xmpp-server._tcp.{domain}. 60 IN SRV 0 0 {port} host.{domain}.")
            self.names.publish(f"host.{domain}. 60 IN A {host}")

        return system

    async def partner(self, domain: str = "gmail.com") -> Partner:
        """A well-behaved partner with a user juliet, whose mail is in `mail`."""
        partner = Partner(
            domain,
            load_profile("xmpp-server"),
            (),
            journal=self.journal,
            names=self.names,
            addresses=self.addresses,
            entropy=random.Random(domain),
        )
        self._ends.append(partner.stop)
        await partner.start()
        partner.add_user(f"juliet@{domain}", self.mail.put_nowait)

        return partner

    async def user(self, system: System, address: str = "alice@contoso.com", habits: Habits = WRITES) -> User:
        """A user of the system who has signed in, on every device of theirs."""
        user = await system.user(address, self.journal, habits)
        self._ends.append(user.sign_out)

        for device in habits.devices:
            await user.sign_in(device)

        return user

    async def exchange(self, user: User, partner: Partner) -> None:
        """One message each way; raises TimeoutError when one does not arrive."""
        juliet = f"juliet@{partner.domain}"
        partner.send_stanza(
            parse_element(f"<message from='{juliet}' to='{user.address}' id='in' type='chat'><body>Hi</body></message>")
        )

        async with asyncio.timeout(10):
            arrival = await user.inbox.next(lambda arrival: arrival.what == "message")
            assert arrival.fields["body"] == "Hi"
            await user.send_message(juliet, "Hello", id="out")
            assert (await self.mail.get()).findtext("{jabber:server}body") == "Hello"

    async def stop(self) -> None:
        """End everything, the last first."""
        for end in reversed(self._ends):
            await end()

        await self.names.stop()
        self.authority.close()
        self.addresses.close()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    town = Town()
    await town.names.start(town.addresses.take("dns"))

    try:
        yield town
    finally:
        await town.stop()
