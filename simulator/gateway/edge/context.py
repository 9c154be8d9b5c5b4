"""What all streams of the edge share: configuration, rules, secret, entropy, limits, certificates, log, who counts
them, and what is known of the domains beyond.

Knows values and counters. Does not know streams.
"""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.gateway.configuration import Configuration
from simulator.gateway.counters import Counters
from simulator.gateway.edge.credentials import Credentials
from simulator.gateway.edge.reachability import Reachability
from simulator.gateway.negotiation import Method
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.rules import Rules
from simulator.xmpp.limits import Limits

Log = Callable[[str], None]


@dataclass(eq=False)
class Context:
    """Shared by every stream of one edge; what it derives from the configuration is the same until `renew`.

    Without `entropy` everything random is cryptographically so.
    """

    configuration: Configuration
    rules: Rules
    log: Log
    entropy: random.Random | None = None
    secret: str = field(default="", init=False, repr=False)
    served: frozenset[str] = field(init=False)
    former: frozenset[str] = field(init=False)
    limits: Limits = field(init=False)
    credentials: Credentials = field(init=False, repr=False)
    census: Census = field(init=False)
    reachability: Reachability = field(default_factory=Reachability, init=False)
    counters: Counters = field(default_factory=Counters)
    pings: dict[str, tuple[str, str]] = field(default_factory=dict, init=False)
    """Pings that wait for their answers, by id: our domain and the partner's."""

    def __post_init__(self) -> None:
        self.renew()
        negotiation, trust = self.rules.negotiation, self.rules.trust
        self.credentials = Credentials(self.configuration, self.log, trust=trust, negotiation=negotiation)
        self.census = Census(self)

    def renew(self) -> None:
        """Take over what the configuration has now."""
        settings, limits = self.configuration.gateway, self.configuration.limits
        # XEP-0185 §2: the secret MUST be configured, or "generated as a random string when starting the XMPP server";
        # the front end gives all edges the same passphrase.
        self.secret = settings.dialback_passphrase or self.secret or self.random_text(32)
        self.served = frozenset(self.configuration.domains)
        self.former = frozenset(self.configuration.former_domains)
        self.limits = Limits(stanza_bytes=limits.stanza_bytes, depth=limits.depth, attributes=limits.attributes)

    @property
    def own_name(self) -> str:
        """How we call ourselves where the peer asked for none of our domains."""
        return self.configuration.domains[0]

    def random_text(self, size: int = 16) -> str:
        """Hexadecimal text over `size` random octets: a stream id (RFC 6120 §4.7.3) or a secret."""
        return secrets.token_hex(size) if self.entropy is None else self.entropy.randbytes(size).hex()

    def partner_for(self, domain: str) -> AllowedPartner | None:
        """The allowed partner that speaks for a normalised domain."""
        return self.rules.partner_for(self.configuration, domain)

    def methods(self, partner: AllowedPartner) -> frozenset[Method]:
        """How streams with a partner may be authenticated, as things are."""
        return self.rules.negotiation.methods_at_hand(partner.methods, self.credentials.available)


class Seat:
    """The place of one connection in the census."""

    def __init__(self, census: Census) -> None:
        self._census = census
        self._partner: AllowedPartner | None = None
        self._left = False

    def belongs_to(self, partner: AllowedPartner) -> bool:
        """Count the connection for this partner, too, if one more is allowed; no longer for another one."""
        if self._partner is not None:
            self._census.by_partner[self._partner.identity] -= 1
            self._partner = None

        if not self._census.allows(partner):
            return False

        self._partner = partner
        self._census.by_partner[partner.identity] += 1

        return True

    def leave(self) -> None:
        """The connection is gone, or not to be had; saying so twice does no harm."""
        if self._left:
            return

        self._left = True
        self._census.total -= 1

        if self._partner is not None:
            self._census.by_partner[self._partner.identity] -= 1


class Census:
    """How many connections there are, in all and per partner (Lync's ConnectionLimit and PartnerConnectionLimit)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.total = 0
        self.by_partner: Counter[str] = Counter()

    def take_seat(self) -> Seat | None:
        """Count one more connection; None when there are too many."""
        limit = self._context.configuration.gateway.connection_limit

        if not self._context.rules.connection_is_allowed(self.total, limit):
            return None

        self.total += 1

        return Seat(self)

    def allows(self, partner: AllowedPartner) -> bool:
        """Whether this partner may have one more connection."""
        return self._context.rules.connection_is_allowed(self.by_partner[partner.identity], self.limit(partner))

    def limit(self, partner: AllowedPartner) -> int:
        """How many connections this partner may have."""
        return partner.connection_limit or self._context.configuration.gateway.partner_connection_limit
