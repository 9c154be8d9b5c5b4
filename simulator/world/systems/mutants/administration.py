"""Deliberate defects in what becomes of an administrator's commands: more, or less, than they say.

Knows how configurations differ. Does not know commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from simulator.gateway.access.policy import ExternalAccessPolicy, Scope
from simulator.gateway.configuration import Configuration
from simulator.gateway.negotiation import Negotiation
from simulator.gateway.partner import AllowedPartner, PartnerType
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant

RIGHT = Rules()

changed = msgspec.structs.replace


def _taken_over(change: Callable[[Configuration, Configuration], Configuration]) -> Rules:
    """Called with the configuration before, and as the administrator wants it."""
    return replace(RIGHT, access=replace(RIGHT.access, taken_over=change))


def _partners(change: Callable[[AllowedPartner | None, AllowedPartner], AllowedPartner]) -> Rules:
    """Each partner, which may have been none before, as it comes out."""

    def taken_over(before: Configuration, after: Configuration) -> Configuration:
        known = {partner.identity: partner for partner in before.partners}

        return changed(after, partners=tuple(change(known.get(each.identity), each) for each in after.partners))

    return _taken_over(taken_over)


def _policies(change: Callable[[ExternalAccessPolicy], ExternalAccessPolicy]) -> Rules:
    return _taken_over(lambda before, after: changed(after, policies=tuple(map(change, after.policies))))


def _new(**settings: object) -> Rules:
    """Every new partner has these settings."""
    return _partners(lambda before, after: after if before else changed(after, **settings))


def _added_in_place(before: AllowedPartner | None, after: AllowedPartner) -> AllowedPartner:
    if before is None or not set(before.additional_domains) < set(after.additional_domains):
        return after

    kept = tuple(domain for domain in after.additional_domains if domain not in before.additional_domains)

    return changed(after, additional_domains=kept)


def _never_fewer(before: AllowedPartner | None, after: AllowedPartner) -> AllowedPartner:
    return changed(after, additional_domains=before.additional_domains or after.additional_domains) if before else after


def _federation_opens_all(before: Configuration, after: Configuration) -> Configuration:
    """Whoever switches federation on has switched on everything."""
    if before.access.allow_federated_users or not after.access.allow_federated_users:
        return after

    opened = [changed(each, enable_federation_access=True, enable_xmpp_access=True) for each in after.policies]
    others = [each for each in opened if each.scope is not Scope.GLOBAL]
    everybody = ExternalAccessPolicy(enable_federation_access=True, enable_xmpp_access=True)

    return changed(after, policies=(everybody, *others))


def _blocked_is_removed(before: Configuration, after: Configuration) -> Configuration:
    kept = tuple(each for each in after.partners if each.identity not in after.blocked_domains)

    return changed(after, partners=kept)


def _allowed_is_partner(before: Configuration, after: Configuration) -> Configuration:
    new = [domain for domain in after.allowed_domains if after.partner_for(domain) is None]
    like = after.partners[0]

    return changed(after, partners=(*after.partners, *(changed(like, identity=domain) for domain in new)))


ADMINISTRATION: tuple[Mutant, ...] = (
    Mutant(
        "changes-wait-for-a-restart",
        "Goes on as it was, whatever an administrator changes.",
        _taken_over(lambda before, after: before),
    ),
    # Partners
    Mutant(
        "new-partner-is-verified",
        "Takes a new partner whose type nobody names for PublicVerified.",
        _new(partner_type=PartnerType.PUBLIC_VERIFIED),
    ),
    Mutant(
        "new-partner-is-federated",
        "Takes a new partner whose type nobody names for Federated.",
        _new(partner_type=PartnerType.FEDERATED),
    ),
    Mutant(
        "new-partner-needs-no-tls",
        "Wants neither TLS nor SASL of a new partner for which nobody sets it otherwise.",
        _new(tls_negotiation=Negotiation.NOT_SUPPORTED, sasl_negotiation=Negotiation.NOT_SUPPORTED),
    ),
    Mutant(
        "new-partner-is-lost",
        "Keeps the partners that there were.",
        _taken_over(lambda before, after: changed(after, partners=before.partners)),
    ),
    Mutant(
        "types-are-for-ever",
        "Never changes a partner's type.",
        _partners(lambda before, after: changed(after, partner_type=before.partner_type) if before else after),
    ),
    Mutant(
        "added-domains-take-the-place",
        "Forgets the domains that a partner had when one is added.",
        _partners(_added_in_place),
    ),
    Mutant("domains-are-never-removed", "Keeps the domains that a partner had.", _partners(_never_fewer)),
    # Policies
    Mutant(
        "grants-are-lost",
        "Leaves every user the policy that they had.",
        _taken_over(lambda before, after: changed(after, users=before.users)),
    ),
    Mutant(
        "policies-are-for-ever",
        "Keeps the policies that there were, and adds new ones at best.",
        _taken_over(
            lambda before, after: changed(
                after,
                policies=(
                    *before.policies,
                    *(
                        each
                        for each in after.policies
                        if each.identity not in {old.identity for old in before.policies}
                    ),
                ),
            )
        ),
    ),
    Mutant(
        "public-access-opens-xmpp",
        "Lets whom EnablePublicCloudAccess is set for talk to XMPP partners, too.",
        _policies(
            lambda policy: changed(
                policy, enable_xmpp_access=policy.enable_xmpp_access or policy.enable_public_cloud_access
            )
        ),
    ),
    Mutant(
        "federation-switch-opens-policies",
        "Sets the switches of every policy along with AllowFederatedUsers.",
        _taken_over(_federation_opens_all),
    ),
    # SIP domains
    Mutant(
        "blocked-domain-removes-the-partner",
        "Takes a domain that is blocked for SIP off the list of XMPP partners.",
        _taken_over(_blocked_is_removed),
    ),
    Mutant(
        "allowed-domain-makes-a-partner",
        "Puts a domain that is allowed for SIP on the list of XMPP partners.",
        _taken_over(_allowed_is_partner),
    ),
)
