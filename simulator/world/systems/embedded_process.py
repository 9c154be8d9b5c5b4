"""The embedded gateway in the seat, as a process of its own, fresh for each scenario.

Knows the command that runs it, its exit codes and its readiness line. Does not know what is inside.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from pathlib import Path

import yaml

from simulator.journal import Journal
from simulator.world.systems.child import Child, tail
from simulator.world.systems.embedded import GATEWAY_CAPABILITIES, package_version
from simulator.world.systems.gateway_settings import configuration_words
from simulator.world.systems.remote_shell import SOCKET, RemoteShell
from simulator.world.systems.system import Seat, SettingsRefused, Surroundings, SystemFailed, SystemSettings
from simulator.world.systems.tenant import Tenant
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User

#: seconds until the readiness line must stand on its standard output
START = 15.0
BAD_CONFIGURATION = 2
PROCESS_CAPABILITIES = GATEWAY_CAPABILITIES | {"cmdlets"}
_PLACE = re.compile(r"([\w-]+)=(\S+):(\d+)")


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
            command = ("--config", str(file), "--control", str(child.folder / SOCKET))
            await child.start(sys.executable, "-m", "simulator", "gateway", *command, read_stdout=True)
            self._shell = RemoteShell(child.folder / SOCKET)
            self._listening = await self._ready(child, file)
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
        from simulator.world.users.sip.sip_user import SIPUser

        host, port = self._listening["sip"]

        return SIPUser(
            address, host, port, journal, entropy=random.Random(self._entropy.getrandbits(64)), habits=habits
        )

    async def run_commands(self, text: str) -> list[tuple[str, str]]:
        """Type lines into the management shell; as `Embedded.run_commands`. Raises SystemFailed."""
        if self._shell is None:
            raise SystemFailed("the gateway is not running")

        return await self._shell.type_in(text)

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of its standard error."""
        return self.tenant.log_lines(last)

    async def _ready(self, child: Child, file: Path) -> dict[str, tuple[str, int]]:
        line = ""

        try:
            async with asyncio.timeout(START):
                line = (await child.stdout.readline()).decode("utf-8", "replace")

                if not line:
                    await child.ended.wait()
        except TimeoutError:
            why = f"the gateway did not say within {START:g} s that it is ready"
            raise SystemFailed("\n".join([why, *self.log_lines(10)])) from None

        if child.status == BAD_CONFIGURATION:
            # The folder is ours and gone in a moment: its name helps nobody.
            raise SettingsRefused("\n".join(tail(child.console, 10)).replace(str(file), file.name))

        if not line:
            why = f"the gateway ended with status {child.status}"
            raise SystemFailed("\n".join([why, *self.log_lines(10)]))

        return {service: (host, int(port)) for service, host, port in _PLACE.findall(line)}


SEAT = Seat(
    name="embedded-process",
    says="the embedded gateway, as a process of its own, fresh for each scenario",
    capabilities=PROCESS_CAPABILITIES,
    shared=False,
    make=EmbeddedProcess,
)
