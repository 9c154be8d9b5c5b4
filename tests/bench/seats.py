"""The two systems that are measured side by side, each a process of its own, and what the kernel says of them.

Knows how each is started and who its users are. Does not know what is measured.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import yaml

from simulator.world.addresses import Addresses
from simulator.world.ca import CertificateAuthority
from simulator.world.systems.child import Child
from simulator.world.systems.gateway_settings import configuration_words
from simulator.world.systems.prosody import Prosody
from simulator.world.systems.system import Surroundings, SystemSettings
from tests.bench.names import RawNames
from tests.bench.partner import RawPartner
from tests.bench.users import (
    PARTNER,
    PASSWORD,
    SYSTEM,
    SIPUsers,
    Users,
    XMPPUsers,
    client_message,
    sip_message,
)

#: who has an account
NAMES = [f"u{number}" for number in range(16)]
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Ground:
    """What both stand on: one name server, one raw partner, one authority."""

    addresses: Addresses = field(default_factory=Addresses)
    authority: CertificateAuthority = field(default_factory=CertificateAuthority)
    names: RawNames = field(default_factory=RawNames)
    partner: RawPartner = field(default_factory=RawPartner)
    entropy: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def name_server(self) -> tuple[str, int]:
        """Where the name server listens."""
        return self.names.address

    async def start(self) -> None:
        """Bring everything up."""
        await self.names.start()
        await self.partner.start()
        self.names.elsewhere = self.partner.address

    def stop(self) -> None:
        """Take everything down."""
        self.names.stop()
        self.partner.stop()
        self.authority.close()
        self.addresses.close()


class Seated(Protocol):
    """A system that runs."""

    name: str
    answers_its_users: bool
    """Each message that a user writes is answered, as SIP has it."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def place(self) -> tuple[str, int]:
        """Where partners reach it."""

    async def sign_in(self) -> list[Users]:
        """All users, one connection each."""

    def message(self, number: int, name: str) -> bytes:
        """What a user writes."""

    async def stop(self) -> None:
        """End it."""


class GatewayProcess:
    """The gateway as `s2sim gateway` runs it; with `profile`, cProfile writes there when it ends.

    `contacts` is the file of contacts; None: it keeps them in memory.
    """

    name = "gateway"
    answers_its_users = True

    def __init__(self, domains: list[str], profile: Path | None = None, contacts: Path | None = None) -> None:
        self._domains, self._profile, self._contacts = domains, profile, contacts
        self._child = Child("bench")
        self.pid, self.place = 0, ("", 0)
        self.sip = ("", 0)

    async def start(self, ground: Ground) -> None:
        """Return when it is ready."""
        open_to_dialback = {"tls": "not-supported", "sasl": "not-supported", "keepalive": False}
        settings = SystemSettings(
            domains=(SYSTEM,),
            users=tuple(f"{name}@{SYSTEM}" for name in NAMES),
            partners=dict.fromkeys((PARTNER, *self._domains), open_to_dialback),
        )
        words = configuration_words(settings, ground, ground.addresses.take(self.name))

        if self._contacts is not None:
            words["frontend"]["contacts"] = str(self._contacts)

        file = self._child.folder / "gateway.yaml"
        file.write_text(yaml.dump(words, Dumper=yaml.CSafeDumper), encoding="utf-8")
        profiler = ["-m", "cProfile", "-o", str(self._profile)] if self._profile else []
        command = [sys.executable, *profiler, "-m", "simulator", "gateway", "--config", str(file)]
        await self._child.start(*command, read_stdout=True)
        line = (await self._child.stdout.readline()).decode()
        places = {service: (host, int(port)) for service, host, port in re.findall(r"(\w+)=(\S+):(\d+)", line)}

        if not places:
            raise ConnectionError("\n".join(["the gateway does not start", *self._child.last_lines(10)]))

        self.pid, self.place, self.sip = self._child.pid, places["edge"], places["sip"]
        ground.names.places[SYSTEM] = self.place

    async def sign_in(self) -> list[Users]:
        """Every SIP user, one connection each."""
        return [await _signed_in(SIPUsers(), self.sip, name) for name in NAMES]

    def message(self, number: int, name: str) -> bytes:
        """A MESSAGE."""
        return sip_message(number, name)

    async def stop(self) -> None:
        """End it."""
        await self._child.end()


class ProsodyProcess(Prosody):
    """Prosody as its operators run it. In scenarios it logs everything, which takes a good part of its speed."""

    answers_its_users = False

    def __init__(self) -> None:
        super().__init__(SystemSettings(domains=(SYSTEM,)))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.tenant.child.pid

    @property
    def place(self) -> tuple[str, int]:
        """Where partners reach it."""
        return self.address_of(SYSTEM)

    def _write(self, folder: Path, surroundings: Surroundings) -> Path:
        file = super()._write(folder, surroundings)
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('min = "debug"', 'min = "warn"'), encoding="utf-8")
        accounts = folder / "data" / SYSTEM.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True)

        for name in NAMES:
            (accounts / f"{name}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')

        return file

    async def sign_in(self) -> list[Users]:
        """Every client, one connection each."""
        return [await _signed_in(XMPPUsers(), (self._host, self._c2s_port), name) for name in NAMES]

    def message(self, number: int, name: str) -> bytes:
        """A message stanza."""
        return client_message(number, name)


async def _signed_in(users: SIPUsers | XMPPUsers, place: tuple[str, int], name: str) -> Users:
    await asyncio.get_running_loop().create_connection(lambda: users, *place)
    await users.sign_in([name])

    return users


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, user and system."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

    return (int(words[11]) + int(words[12])) / _TICK


def resident_megabytes(pid: int) -> float:
    """What a process holds in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
