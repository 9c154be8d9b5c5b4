"""Get- and Set-CsSite: by which edge the XMPP traffic of a site leaves.

Knows both names under which the documents set the route. Does not know edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from simulator.gateway.access.site import Site, find_pool, find_site
from simulator.gateway.configuration import Configuration
from simulator.gateway.management.change import Change, Desk, changing, missing, reading, refusal, replaced
from simulator.gateway.management.objects import FILTER, FORCE, RELATIVE_IDENTITY, record_of, told, with_parameters
from simulator.powershell.cmdlet import Call, Cmdlet, Parameter
from simulator.powershell.values import Record

TYPE = "Microsoft.Rtc.Management.Xds.DisplaySite"
# COMPAT: "Failing over the Edge pool used for XMPP federation" calls it -XmppExternalFederationRoute, the reference of
# the cmdlet -XmppFederationRoute.
ROUTES = ("XmppFederationRoute", "XmppExternalFederationRoute")


def as_record(site: Site) -> Record:
    """A site as Get-CsSite gives it."""
    route = site.xmpp_federation_route
    record = record_of(site, TYPE, Identity=f"Site:{site.identity}", SiteId=f"Site:{site.identity}")

    if "XmppFederationRoute" in record and route is not None:
        record["XmppFederationRoute"] = f"EdgeServer:{route}"

    return record


def get(configuration: Configuration, call: Call) -> Iterator[Record]:
    """Tell of all sites, or of those that are asked for."""
    return map(as_record, told(configuration.sites, lambda identity: _known(configuration, identity), call))


def set_(configuration: Configuration, call: Call) -> Change:
    """Change a site; a route of ``$null`` takes its users' way out."""
    if "Identity" not in call:
        raise refusal("Which site? Name it with -Identity", identifier="MissingIdentity")

    before = _known(configuration, call.get("Identity"))
    given = [name for name in ROUTES if name in call]

    if len(given) > 1:
        raise refusal(f"-{given[0]} and -{given[1]} are two names of one setting", identifier="SetTwice")

    after = with_parameters(before, call)

    if given:
        route = call.get(given[0]) or None

        if route is not None and find_pool(configuration.pools, route) is None:
            raise missing("EdgeServer", route, (pool.identity for pool in configuration.pools))

        after = Site(**{**msgspec.structs.asdict(after), "xmpp_federation_route": route})

    sites = tuple(after if site is before else site for site in configuration.sites)

    return Change(configuration=replaced(configuration, sites=sites), target=f"Site:{before.identity}")


def cmdlets(desk: Desk) -> Iterable[Cmdlet]:
    """The two cmdlets."""
    identity = Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, sets=("Identity",), by_name=True)

    return (
        Cmdlet(
            name="Get-CsSite",
            run=reading(desk, get),
            default_set="Identity",
            says="list sites and by which edge their XMPP traffic leaves",
            parameters=(identity, FILTER),
        ),
        Cmdlet(
            name="Set-CsSite",
            run=changing(desk, set_),
            changes=True,
            says="choose the edge of a site (-XmppFederationRoute)",
            parameters=(
                Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, by_name=True),
                Parameter(name="Description"),
                *(Parameter(name=name) for name in ROUTES),
                FORCE,
            ),
        ),
    )


def _known(configuration: Configuration, identity: str) -> Site:
    site = find_site(configuration.sites, identity)

    if site is None:
        raise missing("Site", identity, (each.identity for each in configuration.sites))

    return site
