"""What sits in the seat: the system under test, as the world, the acts and the runner see it.

Knows what every system must offer. Does not know any one of them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.journal import Journal
from simulator.scenario.negotiation_table import TABLE
from simulator.world.addresses import Addresses
from simulator.world.ca import CertificateAuthority
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User

#: the rows of the documented table of negotiation settings, as capabilities -> what a system can do that has one
SETTINGS_ROWS = {
    settings.capability: f"TLS, SASL and dialback can be set as in row {row.number} of the documented table"
    for settings, row in TABLE.items()
}

#: capability -> what a system can do that has it. A scenario that needs what a system lacks is UNSUPPORTED there.
CAPABILITIES = {
    "allow-list": "talks only to the partners it was told of",
    "partner-settings": "TLS, SASL, dialback and the like are set for each partner",
    "partner-types": "trusts users of a partner more or less, by the partner's type",
    "connection-limits": "bounds the number of connections, of one partner and in all",
    "timeouts": "its timeouts can be set to fractions of a second",
    "establishment-timeout": "the time to authenticate a stream can be set to fractions of a second",
    "keep-alive": "ends a stream on which no keep-alive arrived in time",
    "liveness": "finds out whether peers are still there, and the times for that can be set to fractions of a second",
    "retry": "dials a partner again after a failure, with a pause that can be set",
    "limits": "the size and depth of what it accepts can be set",
    "sip": "its users speak SIP",
    "link": "it has two halves, whose link can be cut and mended",
    "several-domains": "serves more than one domain of its own",
    "shares-streams": "several domains of its own share a stream to a partner that handles dialback errors",
    "questions-apart": "opens a stream for the sole purpose of having a dialback key verified",
    "configuration-errors": "refuses contradictory settings before it starts",
    "graceful-shutdown": "closes its streams with system-shutdown when told to end",
    "passphrase": "the secret of its dialback keys can be set",
    "retry-at-once": "tries again as soon as there is something to send after a failure, with no pause of refusals",
    "proxy": "a partner's proxy host can be set in place of SRV records",
    "weights": "chooses among hosts of one priority by their weights, and not at random",
    "redirects": "goes where a peer sends it by see-other-host",
    "mutants": "can be seated with deliberate defects",
    "tls": "can encrypt streams by STARTTLS",
    "external": "can authenticate streams by SASL EXTERNAL",
    "direct-tls": "takes streams that begin with TLS, and finds partners by records of _xmpps-server",
    "revocation": "asks revocation lists about certificates",
    "without-dialback": "takes a trusted certificate for the answer to a dialback key (XEP-0344)",
    "policies": "lets users reach partners by switches of the access edge and by policies",
    "cmdlets": "its administrator has the commands of the Lync Server Management Shell",
    "several-edges": "has edges in several pools, of which the administrator makes one the route",
    "processes": "consists of several processes, each of which can be killed, stopped and started",
    "presence": "its users have contacts and presence",
    "contact-lists": "keeps its users' contact lists",
    "lasting-contacts": "its users' contact lists outlast it, where a file for them is set",
    "blocking": "its users can block others",
    "pre-approval": "its users can let somebody see them before they ask",
    "request-quota": "how many requests may wait for one user can be set",
    "directed-presence": "its users can show presence to somebody who is not a contact",
    "negative-priority": "its users' devices can say that nothing but what names them is for them",
    "offline-storage": "keeps messages for users who are away, up to a number that can be set",
    "message-archive": "keeps messages, each under an id that it gives them",
    "whole-stanzas": "its users see stanzas as they were sent, with whatever is in them",
    "im-sessions": "instant messages of its users can go in sessions",
    "certificate-by-sni": "shows the certificate of the domain that a TLS client names",
    **SETTINGS_ROWS,
}


class SettingsRefused(Exception):  # noqa: N818 - an outcome that a scenario may wait for
    """The system will not run with these settings; the text is what it says to its administrator."""


class SystemFailed(Exception):  # noqa: N818 - says what happened
    """The system did not start, or not in time; the text has its last log lines."""


class NotInstalled(Exception):  # noqa: N818 - says what is the matter
    """The system is not on this machine; the text says how to install it."""


@dataclass(frozen=True)
class SystemSettings:
    """What the system's administrator has set, as a scenario writes it.

    partners: domain -> settings (tls, sasl: required | optional | not-supported; dialback, keepalive: booleans; type:
    federated | public-verified | public-unverified; additional: domains; proxy: host; limit: number). None stands
    for "nobody said": a system with an allow-list then allows nobody.
    gateway: keys as in the gateway's configuration (`stream-establishment-timeout: 0.5`, seconds).
    configuration: further parts of it (`limits`, `retry`, ...), as mappings. For systems with the capability it may
    hold `offline` (``{messages: 100}``, the most that are kept for one user) and `archive` (``true``).
    rules: a deliberate defect, for systems with the capability ``mutants``.
    """

    domains: tuple[str, ...] = ("contoso.com", "fabrikam.com")
    users: tuple[str, ...] = ()
    partners: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    gateway: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    rules: Any = None


class Surroundings(Protocol):
    """What a system finds around it when it starts."""

    @property
    def addresses(self) -> Addresses:
        """Where it may listen."""

    @property
    def authority(self) -> CertificateAuthority:
        """Who signs its certificates."""

    @property
    def name_server(self) -> tuple[str, int]:
        """The only name server it may ask: host and port."""

    @property
    def entropy(self) -> random.Random:
        """Whatever it draws at random, if that can be steered."""


class System(Protocol):
    """A complete XMPP system, made of its settings and then started once."""

    name: str
    capabilities: frozenset[str]
    #: whether scenarios with the same `sharing_key` play on one instance
    shared: bool

    @property
    def died(self) -> asyncio.Event:
        """Set when the system ended without being told to."""

    @property
    def cause_of_death(self) -> str:
        """Why it died, with its last log lines; empty while it lives."""

    @property
    def version(self) -> str:
        """The version of the software; known once it has started."""

    @property
    def domains(self) -> tuple[str, ...]:
        """Its own domains."""

    @property
    def listening(self) -> Mapping[str, tuple[str, int]]:
        """Service -> host and port, of everything that it listens on; known once it has started."""

    def address_of(self, domain: str) -> tuple[str, int]:
        """Host and port where partners reach this domain of its own."""

    async def start(self, surroundings: Surroundings) -> None:
        """Return when it is ready. Raises SettingsRefused, or SystemFailed; then nothing is left behind."""

    async def stop(self) -> None:
        """End it, surely and with nothing left behind; may be called at any time and again."""

    async def shut_down(self) -> None:
        """Tell it to end as an administrator would, and return when it has; `stop` is still due."""

    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> User:
        """A person inside, who writes what he sees into `journal`; not yet signed in."""

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of its own log."""


@dataclass(frozen=True)
class Seat:
    """A kind of system: what can be known of it before one is started."""

    name: str
    says: str
    capabilities: frozenset[str]
    shared: bool
    make: Callable[[SystemSettings], System]
    #: equal for settings that one running instance can serve; only asked where `shared`
    sharing_key: Callable[[SystemSettings], str] = lambda settings: ""
