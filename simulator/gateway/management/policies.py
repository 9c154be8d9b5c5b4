"""New-, Set-, Get-, Grant- and Remove-CsExternalAccessPolicy.

Knows scopes, and that a policy of users counts only for those whom it was granted to. Does not know which policy wins:
`access.policy` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from simulator.gateway.access.policy import (
    ExternalAccessPolicy,
    Scope,
    effective_policy,
    find_policy,
    policy_identity,
)
from simulator.gateway.access.site import find_site
from simulator.gateway.configuration import Configuration
from simulator.gateway.management import users
from simulator.gateway.management.change import Change, Desk, changing, existing, missing, reading, refusal, replaced
from simulator.gateway.management.objects import (
    FILTER,
    FORCE,
    GLOBAL_IDENTITY,
    IN_MEMORY,
    INSTANCE,
    LOCAL_STORE,
    USER_IDENTITY,
    instance_of,
    parameters_of,
    placed,
    record_of,
    told,
    with_parameters,
    with_properties,
)
from simulator.powershell.cmdlet import Call, Cmdlet, Parameter, Shell
from simulator.powershell.types import SWITCH
from simulator.powershell.values import Record

TYPE = "Microsoft.Rtc.Management.WritableConfig.Policy.ExternalAccess.ExternalAccessPolicy#Decorated"
KIND = "ExternalAccessPolicy"
_SWITCHES = parameters_of(ExternalAccessPolicy)


def as_record(policy: ExternalAccessPolicy) -> Record:
    """A policy as Get-CsExternalAccessPolicy gives it."""
    return record_of(policy, TYPE, Identity=policy.identity)


def all_policies(configuration: Configuration) -> list[ExternalAccessPolicy]:
    """Every policy; the global one exists even where nobody has set it."""
    has_global = find_policy(configuration.policies, Scope.GLOBAL) is not None

    return [*(() if has_global else (ExternalAccessPolicy(),)), *configuration.policies]


def known(configuration: Configuration, identity: str) -> ExternalAccessPolicy:
    """The policy that this names. Raises CmdletError."""
    policies = all_policies(configuration)
    policy = find_policy(policies, identity)

    if policy is None:
        raise missing(KIND, policy_identity(identity), (each.identity for each in policies))

    return policy


def made(configuration: Configuration, call: Call) -> ExternalAccessPolicy:
    """The policy that New- was told of."""
    policy = with_parameters(ExternalAccessPolicy(identity=call.get("Identity")), call)
    kind, _, name = policy.identity.partition(":")

    if kind not in set(Scope):
        hint = "write site:NAME for a site, or a name alone for a policy of users"
        raise refusal(f'"{call.get("Identity")}" has no scope that there is', hint=hint, identifier="InvalidScope")

    if policy.scope is Scope.SITE and find_site(configuration.sites, name) is None:
        raise missing("Site", name, (site.identity for site in configuration.sites))

    return policy


def new(configuration: Configuration, call: Call) -> Change:
    """Add a policy. That of a site counts at once, that of users when it is granted."""
    policy = made(configuration, call)

    if policy.scope is Scope.GLOBAL or find_policy(configuration.policies, policy.identity) is not None:
        raise existing(KIND, policy.identity)

    return _change(configuration, policy, (as_record(policy),))


def set_(configuration: Configuration, call: Call) -> Change:
    """Change a policy, the global one unless told otherwise; an instance that was made in memory is added."""
    instance = instance_of(call, TYPE)
    identity = str(instance["Identity"]) if instance is not None else call.get("Identity") or Scope.GLOBAL.value

    if instance is None:
        before = known(configuration, identity)
    else:
        found = find_policy(all_policies(configuration), identity)
        before = with_properties(found or ExternalAccessPolicy(identity=identity), instance)

    return _change(configuration, with_parameters(before, call))


def get(configuration: Configuration, call: Call) -> Iterator[Record]:
    """Tell of all policies, of those that are asked for, or of the one that counts for a user."""
    policies = all_policies(configuration)

    if "ApplicableTo" in call:
        for user in users.found(configuration, call.get("ApplicableTo")):
            site = find_site(configuration.sites, user.site)
            of_site = site.identity if site is not None else None

            yield as_record(effective_policy(policies, user.external_access_policy, of_site))

        return

    yield from map(as_record, told(policies, lambda identity: known(configuration, identity), call))


def remove(configuration: Configuration, call: Call) -> Change:
    """Remove a policy. The global one cannot be removed: it gets its defaults back."""
    policy = known(configuration, call.get("Identity"))
    remaining = tuple(each for each in configuration.policies if each.identity != policy.identity)
    holders = [user for user in configuration.users if _holds(user.external_access_policy, policy)]
    kept = tuple(
        msgspec.structs.replace(user, external_access_policy=None) if user in holders else user
        for user in configuration.users
    )
    warnings = (
        f"{len(holders)} user(s) had {policy.identity}; for them that of the site or the global one counts now",
    )

    return Change(
        configuration=replaced(configuration, policies=remaining, users=kept),
        target=policy.identity,
        warnings=warnings if holders else (),
    )


def grant(configuration: Configuration, call: Call) -> Change:
    """Give a user a policy, or take it away with ``$null``."""
    name = call.get("PolicyName")
    chosen = users.found(configuration, call.get("Identity"))

    if name:
        policy = find_policy(configuration.policies, name if ":" in name else f"{Scope.USER}:{name}")

        if policy is None or policy.scope is not Scope.USER:
            message = f'Policy "{name}" is not a user policy. You can assign only a user policy to a specific user'
            names = [each.name for each in configuration.policies if each.scope is Scope.USER]
            hint = f"there are: {', '.join(names)}" if names else "New-CsExternalAccessPolicy -Identity NAME makes one"
            raise refusal(message, hint=hint, identifier="InvalidPolicy")

        name = policy.name

    changed = tuple(
        msgspec.structs.replace(user, external_access_policy=name or None) if user in chosen else user
        for user in configuration.users
    )
    after = replaced(configuration, users=changed)
    granted = [user for user in changed if user.address in {each.address for each in chosen}]

    return Change(
        configuration=after,
        target=", ".join(user.address for user in chosen),
        objects=tuple(map(users.as_record, granted)) if call.get("PassThru") else (),
    )


def cmdlets(desk: Desk) -> Iterable[Cmdlet]:
    """The five cmdlets."""
    add = changing(desk, new)
    identity = Parameter(name="Identity", type=GLOBAL_IDENTITY, position=2, sets=("Identity",))

    async def new_or_in_memory(call: Call, shell: Shell) -> list[Record]:
        return [as_record(made(desk.read(), call))] if call.get("InMemory") else await add(call, shell)

    return (
        Cmdlet(
            name="New-CsExternalAccessPolicy",
            run=new_or_in_memory,
            changes=True,
            says="make a policy that says whom users may talk to outside",
            parameters=(
                Parameter(name="Identity", type=GLOBAL_IDENTITY, position=2, required=True),
                *_SWITCHES,
                FORCE,
                IN_MEMORY,
            ),
        ),
        Cmdlet(
            name="Set-CsExternalAccessPolicy",
            run=changing(desk, set_),
            default_set="Identity",
            changes=True,
            says="change an external access policy",
            parameters=(identity, INSTANCE, *_SWITCHES, FORCE),
        ),
        Cmdlet(
            name="Get-CsExternalAccessPolicy",
            run=reading(desk, get),
            default_set="Identity",
            says="list external access policies",
            parameters=(identity, FILTER, Parameter(name="ApplicableTo", type=USER_IDENTITY), LOCAL_STORE),
        ),
        Cmdlet(
            name="Remove-CsExternalAccessPolicy",
            run=changing(desk, remove),
            changes=True,
            says="remove an external access policy",
            parameters=(
                Parameter(name="Identity", type=GLOBAL_IDENTITY, position=2, required=True, by_name=True),
                FORCE,
            ),
        ),
        Cmdlet(
            name="Grant-CsExternalAccessPolicy",
            run=changing(desk, grant),
            changes=True,
            says="give users a policy",
            parameters=(
                Parameter(name="Identity", type=USER_IDENTITY, position=1, required=True, by_value=True, by_name=True),
                Parameter(name="PolicyName", position=2),
                Parameter(name="PassThru", type=SWITCH),
                Parameter(name="DomainController"),
            ),
        ),
    )


def _holds(granted: str | None, policy: ExternalAccessPolicy) -> bool:
    return (
        policy.scope is Scope.USER and granted is not None and granted.rpartition(":")[2].lower() == policy.name.lower()
    )


def _change(configuration: Configuration, policy: ExternalAccessPolicy, objects: tuple[Record, ...] = ()) -> Change:
    """Put a policy in its place, or behind the others."""
    # "In the Control Panel the XMPP box can be selected only after federation": alone it opens nothing.
    warnings = (
        (f"{policy.identity}: EnableXmppAccess has no effect without EnableFederationAccess",)
        if policy.enable_xmpp_access and not policy.enable_federation_access
        else ()
    )

    return Change(
        configuration=replaced(configuration, policies=placed(configuration.policies, policy)),
        target=policy.identity,
        objects=objects,
        warnings=warnings,
    )
