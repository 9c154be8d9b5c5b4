"""The gates between a user inside and a contact at a partner: each a function that says why it is closed, if it is.

Pure. Knows the configuration. Does not know who asks, nor what becomes of what is stopped.

"Setting up XMPP federation in Lync Server 2013" has the route set up, "Manage Access Edge configuration" the switch of
the organisation, "Configure policies to control XMPP federated user access" the policy, `New-CsXmppAllowedPartner` the
partner; what partners' users may do before they are known is `partner_types`. Each of them alone stops everything.
The lists of `New-CsAllowedDomain` and `New-CsBlockedDomain` are none of them: "Managing federation and external
access" asks for them where SIP domains are federated with, and its cell for XMPP is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from simulator.gateway.access.faults import argument, missing_switches, opening
from simulator.gateway.access.policy import ExternalAccessPolicy
from simulator.gateway.access.site import find_pool, find_site
from simulator.gateway.configuration import Configuration
from simulator.gateway.settings import User
from simulator.xmpp.address import Address


class Gate(StrEnum):
    """What must be open, in the order in which an administrator opens it."""

    ROUTE = "route"
    FEDERATION = "federation"
    POLICY = "policy"
    PARTNER = "partner"
    AUTHORIZATION = "authorization"


@dataclass(frozen=True, slots=True)
class Closed:
    """A gate that is closed. `reason` is one line of ASCII for the administrator."""

    gate: Gate
    diagnostics: int
    """The ErrorId for `ms-diagnostics`; 0 where there is none."""
    reason: str


_DIAGNOSTICS = {
    # "Temporarily cannot route": the partner is allowed, but no edge takes what is for it.
    Gate.ROUTE: 1007,
    # "From URI is not authorized to communicate with users outside the enterprise": and neither is anybody else.
    Gate.FEDERATION: 1012,
    # "From URI not authorized to communicate with federated partners": this user.
    Gate.POLICY: 1002,
    # "Cannot route to destination domain".
    Gate.PARTNER: 1005,
    # It stops partners' users only, to whom no SIP is spoken.
    Gate.AUTHORIZATION: 0,
}


def diagnostics_of(gate: Gate) -> int:
    """The ErrorId of a gate.

    [MS-OCER] has these numbers with these meanings, and does not say which of them the XMPP gateway sends. Each gate
    gets the one whose text fits it, and no two the same, so that the number alone says which gate it was.
    """
    return _DIAGNOSTICS[gate]


def code_of(gate: Gate) -> int:
    """The final SIP response to what a gate stops.

    RFC 3261 §21.4.4: 403 is for a server that "understood the request, but is refusing to fulfill it". A route that is
    missing refuses nobody: §21.5.5 has 504 for what lies behind the server, and clients may try again.
    """
    return 504 if gate is Gate.ROUTE else 403


def route_is_closed(configuration: Configuration, user: User | None) -> str | None:
    """Why nothing of a user's site leaves: "Define your Edge topology" wants XMPP enabled on a pool, and the site's
    route set to it. Without sites in the configuration everybody is at the one edge that there is."""
    if not configuration.sites:
        return None

    site = find_site(configuration.sites, user.site if user is not None else None)

    if site is None:
        return "the user is at none of the sites: write the site beside the user (users: site)"

    if site.xmpp_federation_route is None:
        cmdlet = f"Set-CsSite {argument(site.identity)} -XmppFederationRoute EdgeServer:FQDN"
        return f"the site {site.identity} has no XMPP federation route: {cmdlet}"

    pool = find_pool(configuration.pools, site.xmpp_federation_route)

    if pool is None or not pool.enable_xmpp_federation:
        return f"the edge pool {site.xmpp_federation_route} has XMPP federation not enabled: Topology Builder"

    return None


def federation_is_closed(configuration: Configuration) -> str | None:
    """Why nobody federates: "AllowFederatedUsers" covers partners of SIP and XMPP alike."""
    if configuration.access.allow_federated_users:
        return None

    return "federation is off for everybody: Set-CsAccessEdgeConfiguration -AllowFederatedUsers $true"


def policy_is_closed(policy: ExternalAccessPolicy) -> str | None:
    """Why this user does not federate: "Configure policies to control XMPP federated user access" has both switches
    set. That of public providers is no condition."""
    return f"the policy {policy.identity} forbids it: {opening(policy)}" if missing_switches(policy) else None


def partner_is_closed(configuration: Configuration, contact: Address, *, allowed: bool) -> str | None:
    """Why nobody talks to that domain; `allowed`: it is a partner's, exactly as it is written."""
    return None if allowed else f"{contact.domain} is no allowed partner: New-CsXmppAllowedPartner {contact.domain}"


#: the gates that depend on nobody's person: what they stop, they stop for users who do not exist, too
FOR_EVERYBODY = frozenset({Gate.FEDERATION, Gate.PARTNER})
