"""What is wrong, or worth a warning, in the settings of access: policies, sites, pools, SIP domains and closed gates.

Knows which settings belong together, and the cmdlet that opens each gate. Does not know files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from simulator.gateway.access.authorization import AuthorizationSettings, Refusal
from simulator.gateway.access.edge import AccessEdgeConfiguration
from simulator.gateway.access.policy import ExternalAccessPolicy, Scope, effective_policy, find_policy
from simulator.gateway.access.site import EdgePool, Site, find_pool, find_site
from simulator.gateway.settings import User, normalized
from simulator.gateway.spelling import Fault, PathSteps, nearest

#: "Configure support for allowed external domains": the longest name of a SIP domain
LONGEST_DOMAIN = 256
#: how many users a warning names
NAMED = 3

Warning_ = tuple[PathSteps, str]


def policy_faults(policies: Sequence[ExternalAccessPolicy], sites: Sequence[Site]) -> Iterator[Fault]:
    """Malformed and doubled identities, and policies of sites that do not exist."""
    seen: set[str] = set()

    for index, policy in enumerate(policies):
        path = ("policies", index, "identity")
        kind, separator, name = policy.identity.partition(":")

        if kind not in set(Scope) or (separator and not name):
            yield Fault(path, f"{policy.identity!r} is no identity", "write Global, Site:NAME or Tag:NAME")
        elif policy.identity.lower() in seen:
            yield Fault(path, f"the policy {policy.identity} stands here twice", "remove one of the two")
        elif policy.scope is Scope.SITE and find_site(sites, name) is None:
            yield Fault(path, f"there is no site {name}", _nearest(name, [site.identity for site in sites], "sites"))

        seen.add(policy.identity.lower())


def site_faults(sites: Sequence[Site], pools: Sequence[EdgePool]) -> Iterator[Fault]:
    """Doubled sites and pools, and routes that lead nowhere."""
    for key, names in (("sites", [site.identity for site in sites]), ("pools", [pool.identity for pool in pools])):
        for index, name in enumerate(names):
            if not name:
                yield Fault((key, index, "identity"), "the name is empty")
            elif name.lower() in {other.lower() for other in names[:index]}:
                yield Fault((key, index, "identity"), f"{name} stands here twice", "remove one of the two")

    for index, site in enumerate(sites):
        route = site.xmpp_federation_route

        if route is not None and find_pool(pools, route) is None:
            hint = _nearest(route, [pool.identity for pool in pools], "pools")
            yield Fault(("sites", index, "xmpp-federation-route"), f"there is no edge pool {route}", hint)


def grant_faults(
    users: Sequence[User], policies: Sequence[ExternalAccessPolicy], sites: Sequence[Site]
) -> Iterator[Fault]:
    """Users with a policy or a site that does not exist."""
    for index, user in enumerate(users):
        granted, site = user.external_access_policy, user.site

        if granted is not None:
            # By the text of the identity: one with an unknown scope is reported elsewhere.
            names = [policy.name for policy in policies if policy.identity.startswith(f"{Scope.USER}:")]
            path = ("users", index, "external-access-policy")

            if ":" in granted and not granted.lower().startswith("tag:"):
                yield Fault(path, f"{granted} is not granted to users", "leave it away: it counts by itself")
            elif find_policy(policies, f"Tag:{granted.rpartition(':')[2]}") is None:
                yield Fault(path, f"there is no policy {granted}", _nearest(granted, names, "policies"))

        if site is not None and find_site(sites, site) is None:
            hint = _nearest(site, [each.identity for each in sites], "sites")
            yield Fault(("users", index, "site"), f"there is no site {site}", hint)


def domain_faults(allowed: Sequence[str], blocked: Sequence[str]) -> Iterator[Fault]:
    """SIP domains that are too long, or both allowed and blocked."""
    for key, domains in (("allowed-domains", allowed), ("blocked-domains", blocked)):
        for index, domain in enumerate(domains):
            if not domain or len(domain) > LONGEST_DOMAIN:
                yield Fault((key, index), f"a domain has 1 to {LONGEST_DOMAIN} characters")
            elif normalized(domain) in map(normalized, domains[:index]):
                yield Fault((key, index), f"the domain {domain} stands here twice", "remove one of the two")

    for index, domain in enumerate(blocked):
        if normalized(domain) in map(normalized, allowed):
            yield Fault(("blocked-domains", index), f"{domain} is both allowed and blocked", "remove one of the two")


def authorization_faults(settings: AuthorizationSettings) -> Iterator[Fault]:
    """A refusal that does not exist for its kind of stanza."""
    if settings.message_refusal is Refusal.UNSUBSCRIBED:
        path = ("authorization", "message-refusal")
        yield Fault(path, "unsubscribed answers no message", "choose silent or error")


def closed_gates(
    access: AccessEdgeConfiguration,
    policies: Sequence[ExternalAccessPolicy],
    sites: Sequence[Site],
    pools: Sequence[EdgePool],
    users: Sequence[User],
) -> Iterator[Warning_]:
    """Every gate through which some user cannot pass to any partner, and what opens it."""
    if not access.allow_federated_users:
        yield (
            ("access", "allow-federated-users"),
            "allow-federated-users is false: nobody can talk to a partner; set access: {allow-federated-users: true} "
            "(Set-CsAccessEdgeConfiguration -AllowFederatedUsers $true)",
        )

    yield from _closed_policies(policies, sites, users)
    yield from _closed_routes(sites, pools)


def _closed_policies(
    policies: Sequence[ExternalAccessPolicy], sites: Sequence[Site], users: Sequence[User]
) -> Iterator[Warning_]:
    subjects: dict[str, tuple[ExternalAccessPolicy, list[str]]] = {}

    for user in users:
        site = find_site(sites, user.site)
        policy = effective_policy(policies, user.external_access_policy, site.identity if site is not None else None)
        subjects.setdefault(policy.identity, (policy, []))[1].append(user.address)

    for policy, names in subjects.values():
        off = missing_switches(policy)

        if not off:
            continue

        index = next((index for index, each in enumerate(policies) if each is policy), None)
        path: PathSteps = ("policies",) if index is None else ("policies", index, "identity")
        who = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        keys = " and ".join(key for key, _ in off)
        yield (
            path,
            f"the policy {policy.identity} has {keys} false: {who} cannot talk to XMPP partners; set it to true "
            f"({opening(policy)})",
        )


def opening(policy: ExternalAccessPolicy) -> str:
    """The line of the management shell that lets those talk to XMPP partners for whom a policy counts."""
    switches = " ".join(f"-{name} $true" for _, name in missing_switches(policy))

    return f"Set-CsExternalAccessPolicy -Identity {argument(policy.identity)} {switches}"


def argument(text: str) -> str:
    """A name as the management shell takes it: in quotes where it would be several words."""
    doubled = text.replace("'", "''")

    return f"'{doubled}'" if " " in text or "'" in text else text


def missing_switches(policy: ExternalAccessPolicy) -> list[tuple[str, str]]:
    """The switches, as a file and as a cmdlet call them, that are off and must be on for XMPP.

    "Configure policies to control XMPP federated user access": both, federation and XMPP.
    """
    switches = (
        ("enable-federation-access", "EnableFederationAccess", policy.enable_federation_access),
        ("enable-xmpp-access", "EnableXmppAccess", policy.enable_xmpp_access),
    )

    return [(key, name) for key, name, on in switches if not on]


def _closed_routes(sites: Sequence[Site], pools: Sequence[EdgePool]) -> Iterator[Warning_]:
    for index, site in enumerate(sites):
        pool = find_pool(pools, site.xmpp_federation_route) if site.xmpp_federation_route is not None else None

        if site.xmpp_federation_route is None:
            yield (
                ("sites", index, "identity"),
                f"the site {site.identity} has no xmpp-federation-route: its users cannot talk to partners; name an "
                f"edge pool (Set-CsSite {argument(site.identity)} -XmppFederationRoute EdgeServer:FQDN)",
            )
        elif pool is not None and not pool.enable_xmpp_federation:
            yield (
                ("pools", pools.index(pool), "identity"),
                f"the edge pool {pool.identity} has enable-xmpp-federation false: users of {site.identity} cannot talk "
                "to partners; set it to true (Topology Builder: Enable XMPP federation)",
            )


def _nearest(word: str, known: Iterable[str], what: str) -> str:
    names = set(known)

    return nearest(word.rpartition(":")[2], names) if names else f"there are no {what} in the configuration"
