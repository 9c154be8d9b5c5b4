"""A real XMPP server in the seat: a child process that listens for partners and for clients on an address of its own.

Knows what such servers have in common, from their first moment to their last. Does not know any one of them: each says
how it is set up, by which command it runs, and how it gets its users.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from simulator.journal import Journal
from simulator.world.systems.child import Child, answers, free_port
from simulator.world.systems.mode import Mode, mode_of
from simulator.world.systems.system import SettingsRefused, Surroundings, SystemFailed, SystemSettings
from simulator.world.systems.tenant import Tenant
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User

#: what every user's password is
PASSWORD = "pass"
GREETING = "<stream:stream xmlns='jabber:{}' xmlns:stream='http://etherx.jabber.org/streams' to='{}' version='1.0'>"


class XMPPServer(ABC):
    """A server, started once. It has no list of partners: `settings.partners` matter by their mode only."""

    name: str
    capabilities: frozenset[str]
    shared = True

    #: what people call it
    says: ClassVar[str]
    #: the file in its folder that holds its log
    log: ClassVar[str]
    #: what it can be set up for
    modes: ClassVar[Collection[Mode]]
    #: seconds until its ports must answer
    patience: ClassVar[float]

    def __init__(self, settings: SystemSettings) -> None:
        self._settings = settings
        self._mode = mode_of(settings)
        self.tenant = Tenant(self.name, self.says, log=self.log)
        self.version = ""

    # -- what each server says of itself

    @abstractmethod
    async def _find(self) -> str:
        """The version that is installed on this machine; raises NotInstalled."""

    @abstractmethod
    def _prepare(self, folder: Path, surroundings: Surroundings) -> tuple[str, ...]:
        """Fill its folder, and return the command that runs it."""

    @abstractmethod
    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> User:
        """Make an account and return its client, not yet signed in. Raises SystemFailed."""

    # -- what they have in common

    @property
    def died(self) -> asyncio.Event:
        """Set when it ended unasked."""
        return self.tenant.died

    @property
    def cause_of_death(self) -> str:
        """What its end and its log said."""
        return self.tenant.cause_of_death

    @property
    def domains(self) -> tuple[str, ...]:
        """Its virtual hosts."""
        return self._settings.domains

    @property
    def listening(self) -> dict[str, tuple[str, int]]:
        """Its sockets: for partners, and for clients."""
        return {"xmpp-server": (self._host, self._s2s_port), "xmpp-client": (self._host, self._c2s_port)}

    def address_of(self, domain: str) -> tuple[str, int]:
        """Where partners reach it: one port for all domains."""
        return self._host, self._s2s_port

    async def start(self, surroundings: Surroundings) -> None:
        """Write its folder, start it, and return when its ports answer.

        Raises NotInstalled, SettingsRefused or SystemFailed.
        """
        self.version = await self._find()

        if self._mode not in self.modes:
            raise SettingsRefused(f"{self.says} cannot be set up for {self._mode}")

        addresses = surroundings.addresses
        child = self.tenant.move_in(addresses)
        self._host = self.tenant.host
        self._c2s_port = addresses.port(5222) or free_port(self._host)
        self._s2s_port = addresses.port(5269) or free_port(self._host)

        try:
            await child.start(*self._prepare(child.folder, surroundings))
            await self._await_ports(child)
        except BaseException:
            await self.stop()
            raise

        self.tenant.watch()

    async def stop(self) -> None:
        """End it and remove its folder; may be called at any time and again."""
        await self.tenant.stop()

    async def shut_down(self) -> None:
        """Send SIGTERM and return when it has ended."""
        await self.tenant.shut_down()

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of its log; of its console when it did not come to write one."""
        return self.tenant.log_lines(last)

    async def _await_ports(self, child: Child) -> None:
        # A port may accept connections before the server runs (and a SIGTERM until then may be lost), or belong to
        # somebody else, who does not answer like this: so wait for a word of XMPP from each.
        for port, namespace in ((self._c2s_port, "client"), (self._s2s_port, "server")):
            greeting = GREETING.format(namespace, self.domains[0]).encode()

            if not await answers(self._host, port, greeting, within=self.patience, child=child):
                why = "ended at once" if child.ended.is_set() else f"does not answer on {self._host} port {port}"
                raise SystemFailed("\n".join([f"{self.says} {why}", *self.log_lines(10)]))
