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

from simulator.gateway.configuration import Configuration, ConfigurationError, checked
from simulator.gateway.gateway import Gateway
from simulator.journal import Journal
from simulator.world.systems.gateway_settings import configuration_words
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
        "blocking",
        "im-sessions",
        *SETTINGS_ROWS,
    }
)
CAPABILITIES = GATEWAY_CAPABILITIES | {"link", "mutants"}


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
        self._gateway: Gateway | None = None
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

    def address_of(self, domain: str) -> tuple[str, int]:
        """Where partners reach it: one port for all domains."""
        return self.listening["edge"]

    async def start(self, surroundings: Surroundings) -> None:
        """Return when everything listens and the link is up. Raises SettingsRefused or SystemFailed."""
        self._addresses, self._entropy = surroundings.addresses, surroundings.entropy
        host = self._addresses.take(self._member)

        try:
            configuration = self._configuration(surroundings, host)

            for warning in configuration.warnings:
                self._lines.append(f"warning: {warning}")

            entropy = random.Random(surroundings.entropy.getrandbits(64))
            gateway = Gateway(configuration, self._settings.rules, entropy=entropy, log=self._lines.append)
            await gateway.start()
        except OSError as error:
            self._addresses.give_back(self._member)
            raise SystemFailed("\n".join([f"the gateway does not start: {error}", *self.log_lines(10)])) from error
        except BaseException:
            self._addresses.give_back(self._member)
            raise

        self._gateway = gateway

    async def stop(self) -> None:
        """Stop the gateway; may be called at any time and again."""
        if self._gateway is None:
            return

        gateway, self._gateway = self._gateway, None

        try:
            await gateway.stop()
        finally:
            self._addresses.give_back(self._member)

    async def shut_down(self) -> None:
        """Stop the gateway in order: streams are closed with system-shutdown."""
        await self._running().stop()

    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> User:
        """A SIP user agent that will register at the front end; not yet signed in."""
        from simulator.world.users.sip.sip_user import SIPUser

        host, port = self.listening["sip"]

        return SIPUser(
            address, host, port, journal, entropy=random.Random(self._entropy.getrandbits(64)), habits=habits
        )

    async def cut_link(self) -> None:
        """Take the link between front end and edge down and keep it down."""
        await self._running().cut_link()

    async def mend_link(self) -> None:
        """Let the link come up again; returns when it is."""
        await self._running().mend_link()

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of its log."""
        return list(self._lines)[-last:]

    def _running(self) -> Gateway:
        if self._gateway is None:
            raise SystemFailed("the gateway is not running")

        return self._gateway

    def _configuration(self, surroundings: Surroundings, host: str) -> Configuration:
        words = configuration_words(self._settings, surroundings, host)

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


SEAT = Seat(
    name="embedded",
    says="the embedded gateway, in this process, fresh for each scenario",
    capabilities=CAPABILITIES,
    shared=False,
    make=Embedded,
)
