"""The embedded gateway in the seat, as a process of its own, fresh for each scenario.

Knows the file that it is given and how it ends. Does not know what is inside.
"""

from __future__ import annotations

import asyncio

import yaml

from simulator.journal import Journal
from simulator.world.systems.embedded import GATEWAY_CAPABILITIES, package_version, sip_user
from simulator.world.systems.gateway_process import start_gateway
from simulator.world.systems.gateway_settings import configuration_words
from simulator.world.systems.remote_shell import SOCKET, RemoteShell
from simulator.world.systems.system import Seat, Surroundings, SystemFailed, SystemSettings
from simulator.world.systems.tenant import Tenant
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User

PROCESS_CAPABILITIES = GATEWAY_CAPABILITIES | {"cmdlets"}


class EmbeddedProcess:
    """The gateway as a child process. Deliberate defects cannot be seated there: rules are functions of ours."""

    name = "embedded-process"
    capabilities = PROCESS_CAPABILITIES
    shared = False

    def __init__(self, settings: SystemSettings) -> None:
        if settings.rules is not None:
            raise ValueError("deliberate defects can only be seated in the system 'embedded'")

        self._settings = settings
        self.tenant = Tenant("gateway", "the gateway")
        self._listening: dict[str, tuple[str, int]] = {}
        self._shell: RemoteShell | None = None

    @property
    def died(self) -> asyncio.Event:
        """Set when it ended unasked."""
        return self.tenant.died

    @property
    def cause_of_death(self) -> str:
        """What its end and its log said."""
        return self.tenant.cause_of_death

    @property
    def version(self) -> str:
        """The version of this package."""
        return package_version()

    @property
    def domains(self) -> tuple[str, ...]:
        """Its own domains."""
        return self._settings.domains

    @property
    def listening(self) -> dict[str, tuple[str, int]]:
        """Its sockets: edge, link, sip, sips."""
        return self._listening

    def address_of(self, domain: str) -> tuple[str, int]:
        """Where partners reach it: one port for all domains."""
        return self._listening["edge"]

    async def start(self, surroundings: Surroundings) -> None:
        """Write its file, start it, and return at its readiness line. Raises SettingsRefused or SystemFailed."""
        self._entropy = surroundings.entropy
        child = self.tenant.move_in(surroundings.addresses)

        try:
            file = child.folder / "gateway.yaml"
            words = configuration_words(self._settings, surroundings, self.tenant.host)
            file.write_text(yaml.safe_dump(words, sort_keys=False, allow_unicode=True), encoding="utf-8")
            self._shell = RemoteShell(child.folder / SOCKET)
            self._listening = await start_gateway(child, file, "the gateway")
        except BaseException:
            await self.stop()
            raise

        self.tenant.watch()

    async def stop(self) -> None:
        """End it and remove its folder; may be called at any time and again."""
        await self.tenant.stop()

        if self._shell is not None:
            self._shell.close()

    async def shut_down(self) -> None:
        """Send SIGTERM and return when it has ended."""
        await self.tenant.shut_down()

    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> User:
        """A SIP user agent that will register at the front end; not yet signed in."""
        return sip_user(self._listening["sip"], address, journal, habits, self._entropy)

    async def run_commands(self, text: str) -> list[tuple[str, str]]:
        """Type lines into the management shell; as `Embedded.run_commands`. Raises SystemFailed."""
        if self._shell is None:
            raise SystemFailed("the gateway is not running")

        return await self._shell.type_in(text)

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of its standard error."""
        return self.tenant.log_lines(last)


SEAT = Seat(
    name="embedded-process",
    says="the embedded gateway, as a process of its own, fresh for each scenario",
    capabilities=PROCESS_CAPABILITIES,
    shared=False,
    make=EmbeddedProcess,
)
