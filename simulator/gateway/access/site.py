"""Sites, edge pools, and by which pool the XMPP traffic of a site leaves.

Knows the topology as far as XMPP federation is concerned. Does not know sockets or users.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from simulator.gateway.settings import CertificateFiles, EdgeSettings, normalized

#: how `Set-CsSite -XmppFederationRoute` writes an edge: "EdgeServer:atl-xmpp-001.litwareinc.com"
_SERVICE = "edgeserver:"


def pool_identity(written: str) -> str:
    """The FQDN of a pool as it is compared, without the kind of service before it."""
    written = written.strip()

    return normalized(written[len(_SERVICE) :] if written.lower().startswith(_SERVICE) else written)


class EdgeMember(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """One Edge Server of a pool: `identity` is its own FQDN, `edge` where it listens.

    `external` None means the certificate of the whole configuration: "Plan for Edge Server certificates" has the
    members of one pool show the same one.
    """

    identity: str
    edge: EdgeSettings
    external: CertificateFiles | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "identity", pool_identity(self.identity))


class EdgePool(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """An edge pool: `identity` is its FQDN; `edge` None means where the file's own `edge` is. A pool of several
    computers names them as `members` in place of `edge`.

    `enable_xmpp_federation` is the check box "Enable XMPP federation (port 5269)" of Topology Builder, which is empty
    until somebody ticks it.
    """

    identity: str
    enable_xmpp_federation: bool = False
    edge: EdgeSettings | None = None
    members: tuple[EdgeMember, ...] = ()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "identity", pool_identity(self.identity))


class Site(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A site of the organisation. `xmpp_federation_route` is the edge pool for XMPP; None: it has no route."""

    identity: str
    description: str = ""
    xmpp_federation_route: str | None = None

    def __post_init__(self) -> None:
        if self.xmpp_federation_route is not None:
            route = pool_identity(self.xmpp_federation_route)
            msgspec.structs.force_setattr(self, "xmpp_federation_route", route)


def find_site(sites: Iterable[Site], identity: str | None) -> Site | None:
    """The site with this name in any case (``site:`` may stand before it), or the first where a user has none named.

    None when there is no such site, or none at all.
    """
    sites = tuple(sites)

    if identity is None:
        return sites[0] if sites else None

    wanted = identity.rpartition(":")[2].strip().lower()

    return next((site for site in sites if site.identity.lower() == wanted), None)


def find_pool(pools: Iterable[EdgePool], identity: str) -> EdgePool | None:
    """The edge pool with this FQDN, or None."""
    wanted = pool_identity(identity)

    return next((pool for pool in pools if pool.identity == wanted), None)
