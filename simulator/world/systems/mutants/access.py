"""Deliberate defects in who may reach whom (Lync Server 2013): gates, policies, partner types.

Knows the rules of access that it breaks, one or two for each defect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from simulator.gateway.access.authorization import AuthorizationSettings, Refusal
from simulator.gateway.access.gates import Gate
from simulator.gateway.access.partner_types import Action, is_allowed
from simulator.gateway.access.policy import ExternalAccessPolicy, effective_policy, find_policy
from simulator.gateway.configuration import Configuration
from simulator.gateway.partner import AllowedPartner, PartnerType
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.address import Address
from simulator.xmpp.errors import StanzaCondition

RIGHT = Rules()
ACCESS_RIGHT = RIGHT.access


def _merged(policies: Iterable[ExternalAccessPolicy], granted: str | None, site: str | None) -> ExternalAccessPolicy:
    """Each switch is on that any of the policies has on."""
    policies = tuple(policies)
    counting = [effective_policy(policies, *scope) for scope in ((granted, None), (None, site), (None, None))]

    return ExternalAccessPolicy(
        enable_federation_access=any(policy.enable_federation_access for policy in counting),
        enable_xmpp_access=any(policy.enable_xmpp_access for policy in counting),
    )


def _site_first(
    policies: Iterable[ExternalAccessPolicy], granted: str | None, site: str | None
) -> ExternalAccessPolicy:
    policies = tuple(policies)
    of_site = find_policy(policies, f"Site:{site}") if site else None

    return of_site or effective_policy(policies, granted, None)


def _blocked(configuration: Configuration, contact: Address, *, allowed: bool) -> str | None:
    blocked = contact.domain in configuration.blocked_domains

    return None if allowed and not blocked else "it is no partner, or blocked"


def _allow_listed(configuration: Configuration, domain: str) -> AllowedPartner | None:
    """Takes a SIP domain that is allowed for a partner like the first."""
    known = configuration.partner_for(domain)

    return known or (configuration.partners[0] if domain in configuration.allowed_domains else None)


def _as(type_: PartnerType, other: PartnerType, action: Action) -> Rules:
    """Partners of one type may do this as those of another may."""
    return _access(
        is_allowed=lambda given, wanted, added: is_allowed(
            other if given is type_ and wanted is action else given, wanted, added
        )
    )


def _access(**rules: Any) -> Rules:
    return replace(RIGHT, access=replace(ACCESS_RIGHT, **rules))


def _refusal(gate: Gate, settings: AuthorizationSettings) -> Refusal:
    return Refusal.ERROR


ACCESS = (
    # Gates
    Mutant(
        "route-overlooked",
        "Lets users of a site without a route reach partners.",
        _access(route_is_closed=lambda *_: None),
    ),
    Mutant(
        "federation-switch-overlooked",
        "Federates although AllowFederatedUsers is false.",
        _access(federation_is_closed=lambda _: None),
    ),
    Mutant(
        "xmpp-switch-overlooked",
        "Takes EnableFederationAccess for enough.",
        _access(policy_is_closed=lambda policy: None if policy.enable_federation_access else "no federation"),
    ),
    Mutant(
        "federation-access-overlooked",
        "Takes EnableXmppAccess for enough.",
        _access(policy_is_closed=lambda policy: None if policy.enable_xmpp_access else "no XMPP"),
    ),
    Mutant(
        "public-access-demanded",
        "Wants EnablePublicCloudAccess, too, which is about other providers.",
        _access(policy_is_closed=lambda policy: None if policy.enable_public_cloud_access else "no public providers"),
    ),
    Mutant(
        "gates-only-outward",
        "Asks the gates for what users send, and not for what partners do.",
        _access(asked_inward=frozenset()),
    ),
    Mutant(
        "gates-only-inward",
        "Asks the gates for what partners send, and not for what users do.",
        _access(asked_outward=frozenset()),
    ),
    # Policies
    Mutant("policies-merged", "Adds up the switches of all policies of a user.", _access(effective_policy=_merged)),
    Mutant("site-before-user", "Prefers the site's policy to the user's own.", _access(effective_policy=_site_first)),
    Mutant(
        "site-policy-overlooked",
        "Knows no policies of sites.",
        _access(effective_policy=lambda policies, granted, site: effective_policy(policies, granted, None)),
    ),
    Mutant(
        "user-policy-overlooked",
        "Knows no policies of users.",
        _access(effective_policy=lambda policies, granted, site: effective_policy(policies, None, site)),
    ),
    # Lists of SIP domains
    Mutant(
        "blocked-sip-domain-is-stopped",
        "Stops a partner whose domain is blocked for SIP.",
        _access(partner_is_closed=_blocked),
    ),
    Mutant(
        "allowed-sip-domain-is-partner",
        "Takes a domain that is allowed for SIP for an XMPP partner.",
        replace(RIGHT, partner_for=_allow_listed),
    ),
    # Partner types
    Mutant(
        "unverified-may-write",
        "Lets users of an unverified partner write before they are added.",
        _as(PartnerType.PUBLIC_UNVERIFIED, PartnerType.PUBLIC_VERIFIED, Action.MESSAGE),
    ),
    Mutant(
        "verified-may-not-write",
        "Lets users of a verified partner write only when they are added.",
        _as(PartnerType.PUBLIC_VERIFIED, PartnerType.PUBLIC_UNVERIFIED, Action.MESSAGE),
    ),
    Mutant(
        "federated-may-not-write",
        "Lets users of a federated partner write only when they are added.",
        _as(PartnerType.FEDERATED, PartnerType.PUBLIC_UNVERIFIED, Action.MESSAGE),
    ),
    # What is told
    Mutant(
        "one-number-for-all-gates",
        "Says of every closed gate that there is no way to the domain.",
        _access(diagnostics_of=lambda gate: 1005),
    ),
    Mutant(
        "no-way-for-nobody",
        "Says of every domain that nobody may talk to it for want of a policy.",
        _access(diagnostics_of=lambda gate: 1002),
    ),
    Mutant(
        "refusal-tells-who-exists",
        "Says forbidden where a user who does not exist would be unavailable.",
        _access(condition_of=lambda gate: StanzaCondition.FORBIDDEN),
    ),
    Mutant("silence-overlooked", "Answers what shall be ignored.", _access(message_refusal=_refusal)),
    Mutant(
        "requests-are-refused-aloud",
        "Answers every request that it stops with an error.",
        _access(request_refusal=_refusal),
    ),
    Mutant(
        "requests-are-refused-in-silence",
        "Answers no request that it stops.",
        _access(request_refusal=lambda gate, settings: Refusal.SILENT),
    ),
    Mutant(
        "refused-in-silence",
        "Lets the sender of a message believe that it was read.",
        _access(message_refusal=lambda gate, settings: Refusal.SILENT),
    ),
)
