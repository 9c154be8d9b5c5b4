"""External access policies: what users may do beyond the organisation, and which policy counts for whom.

Knows the switches of `New-CsExternalAccessPolicy`, the three scopes and their order. Does not know partners or routes.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Scope(StrEnum):
    """Whom a policy is for, the nearest first."""

    USER = "Tag"
    SITE = "Site"
    GLOBAL = "Global"


def policy_identity(written: str) -> str:
    """An identity as it is kept: ``Global``, ``Site:Name`` or ``Tag:Name``; a name alone is that of a user policy.

    PowerShell compares without regard to case, and the documents write ``global`` and ``site:Redmond``.
    """
    prefix, separator, name = (part.strip() for part in written.partition(":"))

    if not separator:
        return Scope.GLOBAL.value if prefix.lower() == Scope.GLOBAL.lower() else f"{Scope.USER}:{prefix}"

    known = next((scope.value for scope in (Scope.USER, Scope.SITE) if scope.lower() == prefix.lower()), prefix)

    return f"{known}:{name}"


class ExternalAccessPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """One policy; its identity is put into the form of `policy_identity` when it is made.

    The defaults are those of a fresh Lync Server 2013 ("Manage external access policy for your organization"): nobody
    may do anything. COMPAT: documents of later years give True for EnableFederationAccess; those of 2013 and their
    sample output say False.
    """

    identity: str = Scope.GLOBAL.value
    description: str = ""
    enable_federation_access: bool = False
    enable_xmpp_access: bool = False
    enable_public_cloud_access: bool = False
    enable_public_cloud_audio_video_access: bool = False
    enable_outside_access: bool = False

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "identity", policy_identity(self.identity))

    @property
    def scope(self) -> Scope:
        """Whom it is for."""
        return Scope(self.identity.partition(":")[0])

    @property
    def name(self) -> str:
        """The name of the site, or that of a user policy; empty for the global one."""
        return self.identity.partition(":")[2]


def find_policy(policies: Iterable[ExternalAccessPolicy], identity: str) -> ExternalAccessPolicy | None:
    """The policy with this identity, in any spelling of it; None when there is none."""
    wanted = policy_identity(identity).lower()

    return next((policy for policy in policies if policy.identity.lower() == wanted), None)


def effective_policy(
    policies: Iterable[ExternalAccessPolicy], granted: str | None, site: str | None
) -> ExternalAccessPolicy:
    """The policy that counts for a user: the one granted, or else the site's, or else the global one.

    It counts as a whole: a switch that is off in a user policy is off, whatever the global one has. No document says
    so in words, but all of them call it the policy that "is assigned", and none speaks of merging.
    """
    policies = tuple(policies)
    own = find_policy(policies, f"{Scope.USER}:{granted.rpartition(':')[2]}") if granted else None
    of_site = find_policy(policies, f"{Scope.SITE}:{site}") if site else None

    # The global policy cannot be removed: `Remove-` puts its defaults back.
    return own or of_site or find_policy(policies, Scope.GLOBAL) or ExternalAccessPolicy()
