"""The edges of the organisation, in which pools they are, and by which one a user's XMPP traffic leaves. Pure.

Knows pools, members and routes. Does not know sockets, nor whether an edge runs.

What the documents say, and what follows for partners:

- "The XMPP federation route" of a site names one edge pool; XMPP is hosted there and nowhere else. An edge of another
  pool takes streams of partners, whom it knows as well, but what they send comes back as an error: no front end takes
  it.
- "Edge Server disaster recovery": when the pool of the route fails, XMPP stops in both directions until the route is
  changed by hand. SRV records of a lower priority lead partners to the other pool meanwhile, where they are told that
  nothing can be delivered; nobody is rerouted silently, and no message is lost without a word.
- "DNS load balancing" between the members of a pool knows no failover for XMPP: "if one is down, requests that go to it
  fail". Which member a partner's domain goes to is decided by its name alone, so that all stanzas of a domain take
  one stream and keep their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from simulator.gateway.access.site import EdgePool, Site, find_pool, find_site
from simulator.gateway.settings import CertificateFiles, EdgeSettings
from simulator.gateway.spelling import Fault

#: the pool, and its one member, of a configuration that names none
ONLY = "edge"

#: the pool by which the users of a site reach partners
Route = Callable[[Iterable[Site], Iterable[EdgePool], str | None], str | None]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One Edge Server."""

    identity: str
    pool: str
    edge: EdgeSettings
    external: CertificateFiles | None = None


def members(pools: Iterable[EdgePool], edge: EdgeSettings) -> tuple[Member, ...]:
    """Every Edge Server that speaks XMPP; without pools the one at `edge`."""
    pools = tuple(pools)

    if not pools:
        return (Member(identity=ONLY, pool=ONLY, edge=edge),)

    return tuple(member for pool in pools if pool.enable_xmpp_federation for member in _of_pool(pool, edge))


def _of_pool(pool: EdgePool, edge: EdgeSettings) -> Iterator[Member]:
    if not pool.members:
        yield Member(identity=pool.identity, pool=pool.identity, edge=pool.edge or edge)

    for each in pool.members:
        yield Member(identity=each.identity, pool=pool.identity, edge=each.edge, external=each.external)


def route(sites: Iterable[Site], pools: Iterable[EdgePool], site: str | None) -> str | None:
    """The pool by which the users of a site reach partners; None: by none.

    Without sites there is nothing to choose from: the first pool that speaks XMPP it is.
    """
    sites, pools = tuple(sites), tuple(pools)

    if not sites:
        return ONLY if not pools else next((pool.identity for pool in pools if pool.enable_xmpp_federation), None)

    found = find_site(sites, site)

    if found is None or found.xmpp_federation_route is None:
        return None

    if not pools:
        return ONLY

    pool = find_pool(pools, found.xmpp_federation_route)

    return pool.identity if pool is not None and pool.enable_xmpp_federation else None


def routes(sites: Iterable[Site], pools: Iterable[EdgePool], chosen: Route = route) -> frozenset[str]:
    """Every pool that is the route of some site; `chosen` says which that is for each."""
    sites, pools = tuple(sites), tuple(pools)
    found = [chosen(sites, pools, site.identity) for site in sites] or [chosen(sites, pools, None)]

    return frozenset(pool for pool in found if pool is not None)


def member_for(candidates: Sequence[Member], domain: str) -> Member:
    """The member of a pool that a partner's domain belongs to; whether it runs does not matter."""
    return candidates[crc32(domain.encode()) % len(candidates)]


def faults(pools: Sequence[EdgePool], edge: EdgeSettings) -> Iterator[Fault]:
    """Members that stand twice, or where another one listens already."""
    names: set[str] = set()
    places: dict[tuple[str, int], str] = {}

    for index, pool in enumerate(pools):
        if pool.members and pool.edge is not None:
            message = f"the pool {pool.identity} has both edge and members"
            yield Fault(("pools", index, "edge"), message, "write each computer of the pool as one of its members")

        for member in _of_pool(pool, edge):
            path = ("pools", index, "identity")

            if member.identity in names:
                yield Fault(path, f"the edge {member.identity} stands here twice", "remove one of the two")

            names.add(member.identity)

            # Pools that say nothing of places are those of an administrator who plans, or has one edge that runs.
            if pool.members or pool.edge is not None:
                yield from _place_faults(member, places, path)


def _place_faults(member: Member, places: dict[tuple[str, int], str], path: tuple[str | int, ...]) -> Iterator[Fault]:
    settings = member.edge

    for host, port in ((settings.host, settings.port), (settings.link_host or settings.host, settings.link_port)):
        owner = places.setdefault((host, port), member.identity)

        if port and owner != member.identity:
            yield Fault(path, f"{member.identity} and {owner} both listen on {host} port {port}")
