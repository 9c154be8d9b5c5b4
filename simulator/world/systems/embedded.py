"""The embedded gateway in the seat, in this process and fresh for each scenario.

Knows the gateway, as the only file of the world beside `gateway_settings`. Does not know scenarios.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from importlib.metadata import PackageNotFoundError, version

import msgspec

from simulator.gateway.administration import Administration
from simulator.gateway.configuration import Configuration, ConfigurationError, checked
from simulator.gateway.gateway import Gateway
from simulator.gateway.topology import ONLY
from simulator.journal import Journal
from simulator.world.systems.gateway_settings import configuration_words, edge_words, place_edges
from simulator.world.systems.system import (
    SETTINGS_ROWS,
    Seat,
    SettingsRefused,
    Surroundings,
    SystemFailed,
    SystemSettings,
)
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User

KEPT_LINES = 1000

#: what the gateway can do wherever it runs
GATEWAY_CAPABILITIES = frozenset(
    {
        "allow-list",
        "partner-settings",
        "policies",
        "partner-types",
        "connection-limits",
        "timeouts",
        "establishment-timeout",
        "keep-alive",
        "liveness",
        "retry",
        "retry-at-once",
        "limits",
        "sip",
        "several-domains",
        "shares-streams",
        "questions-apart",
        "configuration-errors",
        "graceful-shutdown",
        "passphrase",
        "proxy",
        "weights",
        "tls",
        "external",
        "redirects",
        "direct-tls",
        "revocation",
        "without-dialback",
        "presence",
        "contact-lists",
        "lasting-contacts",
        "blocking",
        "pre-approval",
        "request-quota",
        "im-sessions",
        *SETTINGS_ROWS,
    }
)
CAPABILITIES = GATEWAY_CAPABILITIES | {"link", "several-edges", "mutants", "cmdlets"}


class Embedded:
    """A gateway in this process. `settings.rules` (a `Rules`) seats one with deliberate defects."""

    name = "embedded"
    capabilities = CAPABILITIES
    shared = False
    _numbers = itertools.count(1)

    def __init__(self, settings: SystemSettings) -> None:
        self._settings = settings
        self._member = f"embedded {next(self._numbers)}"
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._members: list[str] = []
        self._pools: dict[str, int] = {}
        self._gateway: Gateway | None = None
        self._administration: Administration | None = None
        self.died = asyncio.Event()
        self.cause_of_death = ""

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
        return self._running().listening

    @property
    def edges(self) -> dict[str, tuple[int, str, int]]:
        """FQDN of each edge -> priority among the SRV records of our domains, host and port; in that order."""
        servers = self._running().edges

        return {name: (self._pools[name] * 10, *server.places["edge"]) for name, server in servers.items()}

    def address_of(self, domain: str) -> tuple[str, int]:
        """Where partners reach it: one port for all domains."""
        return self.listening["edge"]

    async def start(self, surroundings: Surroundings) -> None:
        """Return when everything listens and the link is up. Raises SettingsRefused or SystemFailed."""
        self._addresses, self._entropy = surroundings.addresses, surroundings.entropy

        try:
            configuration = self._configuration(surroundings, self._place("inside"))

            for warning in configuration.warnings:
                self._lines.append(f"warning: {warning}")

            entropy = random.Random(surroundings.entropy.getrandbits(64))
            gateway = Gateway(configuration, self._settings.rules, entropy=entropy, log=self._lines.append)
            await gateway.start()
        except OSError as error:
            self._give_back()
            raise SystemFailed("\n".join([f"the gateway does not start: {error}", *self.log_lines(10)])) from error
        except BaseException:
            self._give_back()
            raise

        self._gateway = gateway

    def _place(self, name: str) -> str:
        self._members.append(f"{self._member} {name}")

        return self._addresses.take(self._members[-1])

    def _give_back(self) -> None:
        for member in self._members:
            self._addresses.give_back(member)

        self._members.clear()

    async def stop(self) -> None:
        """Stop the gateway; may be called at any time and again."""
        if self._gateway is None:
            return

        gateway, self._gateway, self._administration = self._gateway, None, None

        try:
            await gateway.stop()
        finally:
            self._give_back()

    async def shut_down(self) -> None:
        """Stop the gateway in order: streams are closed with system-shutdown."""
        await self._running().stop()

    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> User:
        """A SIP user agent that will register at the front end; not yet signed in."""
        return sip_user(self.listening["sip"], address, journal, habits, self._entropy)

    async def cut_link(self) -> None:
        """Take the link between front end and edge down and keep it down."""
        await self._running().cut_link()

    async def mend_link(self) -> None:
        """Let the link come up again; returns when it is."""
        await self._running().mend_link()

    async def run_commands(self, text: str) -> list[tuple[str, str]]:
        """Type lines into the management shell: ``output`` with all that they print, then ``error`` for each error.

        Variables last until the system stops.
        """
        if self._administration is None:
            find = self._settings.rules.faults if self._settings.rules else None
            self._administration = Administration(self._running(), find)

        return await self._administration.type_in(text)

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of its log."""
        return list(self._lines)[-last:]

    def _running(self) -> Gateway:
        if self._gateway is None:
            raise SystemFailed("the gateway is not running")

        return self._gateway

    def _configuration(self, surroundings: Surroundings, host: str) -> Configuration:
        words = configuration_words(self._settings, surroundings, host)
        place_edges(words, self._place)
        self._pools = {edge["identity"] or ONLY: pool for pool, edge in edge_words(words)}

        try:
            return checked(msgspec.convert(words, Configuration), self._settings.rules and self._settings.rules.faults)
        except (msgspec.ValidationError, ConfigurationError) as error:
            raise SettingsRefused(str(error)) from None


def package_version() -> str:
    """The version of this package, as installed."""
    try:
        return version("s2sim")
    except PackageNotFoundError:
        return "unknown"


def sip_user(place: tuple[str, int], address: str, journal: Journal, habits: Habits, entropy: random.Random) -> User:
    """A SIP user agent that will register at a front end, which listens there; not yet signed in."""
    from simulator.world.users.sip.sip_user import SIPUser

    return SIPUser(address, *place, journal, entropy=random.Random(entropy.getrandbits(64)), habits=habits)


SEAT = Seat(
    name="embedded",
    says="the embedded gateway, in this process, fresh for each scenario",
    capabilities=CAPABILITIES,
    shared=False,
    make=Embedded,
)
