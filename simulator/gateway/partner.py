"""A domain that the gateway may federate with, as the administrator allows it.

Knows the fields of `New-CsXmppAllowedPartner` and their defaults. Does not know streams or other partners.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from simulator.gateway.negotiation import Method, Negotiation, methods, warning
from simulator.gateway.settings import Positive, normalized


class PartnerType(StrEnum):
    """How far the word of a partner about its users is trusted."""

    FEDERATED = "Federated"
    PUBLIC_VERIFIED = "PublicVerified"
    PUBLIC_UNVERIFIED = "PublicUnverified"


class AllowedPartner(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """One allowed partner. Domains are normalised when it is made; one that cannot be stays as written.

    `connection_limit` counts simultaneous connections; None means the gateway's `partner_connection_limit`.
    `proxy_fqdn` is the host to connect to instead of what SRV records say.
    """

    identity: str
    additional_domains: tuple[str, ...] = ()
    connection_limit: Positive | None = None
    description: str = ""
    enable_keep_alive: bool = True
    partner_type: PartnerType = PartnerType.PUBLIC_UNVERIFIED
    proxy_fqdn: str | None = None
    sasl_negotiation: Negotiation = Negotiation.REQUIRED
    tls_negotiation: Negotiation = Negotiation.REQUIRED
    support_dialback_negotiation: bool = True

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "identity", normalized(self.identity))
        msgspec.structs.force_setattr(self, "additional_domains", tuple(map(normalized, self.additional_domains)))

    @property
    def domains(self) -> tuple[str, ...]:
        """Every domain of the partner: subdomains are not implied, so this is all of them."""
        return (self.identity, *self.additional_domains)

    @property
    def methods(self) -> frozenset[Method]:
        """How streams with this partner may be authenticated; raises NotValid."""
        return methods(self.tls_negotiation, self.sasl_negotiation, self.support_dialback_negotiation)

    @property
    def warning(self) -> str | None:
        """What the documentation warns of for these settings."""
        return warning(self.tls_negotiation, self.sasl_negotiation, self.support_dialback_negotiation)
