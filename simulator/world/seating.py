"""Who sits where: the ground a system stands on, and the systems that the scenarios of one run share.

Knows when a system is started and ended. Does not know partners, users or steps.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.journal import Journal
from simulator.scenario.names import entropy
from simulator.world.addresses import Addresses
from simulator.world.ca import CertificateAuthority
from simulator.world.dns import NameServer
from simulator.world.revocation import RevocationService
from simulator.world.systems.system import Seat, System, SystemSettings
from simulator.world.teardown import surely

#: Of one of several edges of a system: its priority among SRV records, host and port.
Edge = tuple[int, str, int]

#: The socket of a system on which partners begin with TLS (XEP-0368).
DIRECT_TLS = "edge-tls"


class Ground:
    """What one system stands on: a name server, an authority, addresses. Satisfies `system.Surroundings`."""

    def __init__(self, addresses: Addresses, source: random.Random) -> None:
        self.addresses, self.entropy = addresses, source
        self.names = NameServer(self._journal_for)
        self.authority = CertificateAuthority()
        self.revocation = RevocationService(self.authority, self.names, addresses, self._list_fetched)
        self._journals: dict[str, Journal] = {}
        self._default: Journal | None = None

    @property
    def name_server(self) -> tuple[str, int]:
        """Where the name server listens."""
        return self.names.host, self.names.port

    async def start(self) -> None:
        """Bring up the name server; raises OSError."""
        await self.names.start()

    async def stop(self) -> None:
        """End the name server and whatever serves lists, and remove every key."""
        self.authority.close()

        try:
            await self.revocation.stop()
        finally:
            await self.names.stop()

    def watch(self, domains: tuple[str, ...], journal: Journal, *, alone: bool = False) -> None:
        """Let `journal` know of questions about names below `domains`; `alone`: of every other question, too."""
        self._journals.update(dict.fromkeys(domains, journal))
        self._default = journal if alone else self._default

    def unwatch(self, domains: tuple[str, ...]) -> None:
        """The scenario that used these domains is over."""
        for domain in domains:
            self._journals.pop(domain, None)

    def _list_fetched(self, domain: str, list_name: str, count: int) -> None:
        journal = self._journal_for(domain)

        if journal is not None:
            journal.record("fetched", "authority", domain=domain, list=list_name, count=count)

    def _journal_for(self, name: str) -> Journal | None:
        labels = name.rstrip(".").split(".")
        found = (self._journals.get(".".join(labels[start:])) for start in range(len(labels)))

        return next((journal for journal in found if journal is not None), self._default)


@dataclass
class Seated:
    """A system and the ground it stands on."""

    system: System
    ground: Ground
    shared: bool
    settings: SystemSettings
    started: bool = False

    async def start(self) -> None:
        """Start the system and publish where its domains are. Raises SettingsRefused or SystemFailed."""
        await self.system.start(self.ground)
        self.started = True

        for domain in self.system.domains:
            first, port = self.system.address_of(domain)
            edges: Mapping[str, Edge] = getattr(self.system, "edges", {})
            places = edges if len(edges) > 1 else {f"xmpp.{domain}": (0, first, port)}
            self.ground.names.publish(f"{domain} {_kind(first)} {first}")

            # "Setting up XMPP federation": one SRV record for each Edge pool, each with a priority of its own.
            for target, (priority, host, port) in places.items():
                self.ground.names.publish(
                    f"_xmpp-server._tcp.{domain} SRV {priority} 0 {port} {target}.\n{target} {_kind(host)} {host}"
                )

            if DIRECT_TLS in self.system.listening:
                _, port = self.system.listening[DIRECT_TLS]
                self.ground.names.publish(f"_xmpps-server._tcp.{domain} SRV 0 0 {port} xmpp.{domain}.")

    async def stop(self) -> None:
        """End the system; may be called again."""
        await self.system.stop()

    def renew(self, make: Callable[[SystemSettings], System]) -> None:
        """Put another instance in the place of one that has ended."""
        self.system = make(self.settings)


@dataclass
class Seats:
    """The systems of one run: fresh for each scenario, or shared by those whose settings one instance can serve."""

    seat: Seat
    seed: int = 0
    rules: Any = None
    """A deliberate defect, for systems with the capability ``mutants``."""
    addresses: Addresses = field(default_factory=Addresses)
    _shared: dict[str, asyncio.Task[Seated]] = field(default_factory=dict)

    async def take(self, settings: SystemSettings, scenario_id: str, *, alone: bool) -> Seated:
        """A system for a scenario: already started if it is shared, else the caller starts and ends it.

        `alone` asks for one of its own, for scenarios that stop, start or harm it.
        """
        settings = replace(settings, rules=self.rules)

        if not self.seat.shared or alone:
            return await self._make(settings, scenario_id, shared=False)

        key = self.seat.sharing_key(settings)

        if key in self._shared and _is_of_no_use(self._shared[key]):
            # Taken out before it is ended: others who come meanwhile must not end it, too, nor each start a new one.
            await surely(self._end(self._shared.pop(key)))

        if key not in self._shared:
            # A task of the run's own: the scenario that asked first may be cancelled while others wait.
            self._shared[key] = asyncio.create_task(self._make_started(settings, key))

        return await asyncio.shield(self._shared[key])

    async def close(self) -> None:
        """End everything that is shared, and let go of the addresses."""
        tasks, self._shared = list(self._shared.values()), {}

        for task in tasks:
            await self._end(task)

        self.addresses.close()

    async def _make(self, settings: SystemSettings, name: str, *, shared: bool) -> Seated:
        ground = Ground(self.addresses, entropy(self.seed, name, "system"))

        try:
            await ground.start()
            return Seated(self.seat.make(settings), ground, shared, settings)
        except BaseException:
            await surely(ground.stop())
            raise

    async def _make_started(self, settings: SystemSettings, key: str) -> Seated:
        seated = await self._make(settings, key, shared=True)

        try:
            await seated.start()
        except BaseException:
            await surely(_end_all(seated))
            raise

        return seated

    async def _end(self, task: asyncio.Task[Seated]) -> None:
        if not task.done():
            task.cancel()

        await asyncio.wait([task])

        if not task.cancelled() and task.exception() is None:
            await surely(_end_all(task.result()))


def _kind(host: str) -> str:
    return "AAAA" if ":" in host else "A"


async def _end_all(seated: Seated) -> None:
    try:
        await seated.stop()
    finally:
        await seated.ground.stop()


def _is_of_no_use(task: asyncio.Task[Seated]) -> bool:
    if not task.done():
        return False

    return task.cancelled() or task.exception() is not None or task.result().system.died.is_set()
