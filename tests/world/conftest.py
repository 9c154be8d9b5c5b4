"""A name server and partners on loopback, for the tests of this room."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.journal import Entry, Journal
from simulator.world.addresses import Addresses
from simulator.world.dns import NameServer
from simulator.world.partner.partner import Partner
from simulator.world.profiles import load_profile


class Town:
    """A name server and the partners of one test, with everything they wrote down."""

    def __init__(self) -> None:
        self.journal = Journal(time.monotonic)
        self.names = NameServer()
        self.addresses = Addresses()
        self.partners: list[Partner] = []
        self.mail: asyncio.Queue[Element] = asyncio.Queue()

    async def partner(self, name: str, *quirks: str, profile: str = "xmpp-server", **options: Any) -> Partner:
        """A partner that is up."""
        partner = Partner(
            name,
            load_profile(profile),
            quirks,
            journal=self.journal,
            names=self.names,
            addresses=self.addresses,
            entropy=random.Random(name),
            **options,
        )
        self.partners.append(partner)
        await partner.start()

        return partner

    async def pair(self, *quirks: str, profile: str = "xmpp-server") -> tuple[Partner, Partner]:
        """A partner gmail.com with juliet and these quirks, and a well-behaved contoso.com with alice."""
        gmail, contoso = await self.partner("gmail.com", *quirks, profile=profile), await self.partner("contoso.com")
        gmail.add_user("juliet@gmail.com", self.mail.put_nowait)
        contoso.add_user("alice@contoso.com", self.mail.put_nowait)

        return gmail, contoso

    def entries(self, kind: str, actor: str) -> list[Entry]:
        """What one partner has put on record."""
        return [entry for entry in self.journal if entry.kind == kind and entry.actor == actor]

    async def stop(self) -> None:
        """End everything."""
        for partner in self.partners:
            await partner.stop()

        self.addresses.close()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    town = Town()

    async with asyncio.timeout(10):
        yield town
        await town.stop()
