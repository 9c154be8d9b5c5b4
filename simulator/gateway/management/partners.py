"""New-, Set-, Get- and Remove-CsXmppAllowedPartner.

Knows the documented parameters and which settings are refused. Does not know what becomes of streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.gateway.configuration import Configuration
from simulator.gateway.management.change import Change, Desk, changing, existing, missing, reading, refusal, replaced
from simulator.gateway.management.objects import (
    FILTER,
    FORCE,
    IN_MEMORY,
    INSTANCE,
    LOCAL_STORE,
    RELATIVE_IDENTITY,
    instance_of,
    parameters_of,
    placed,
    record_of,
    told,
    with_parameters,
    with_properties,
)
from simulator.gateway.negotiation import NotValid
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.settings import normalized
from simulator.powershell.cmdlet import Call, Cmdlet, Parameter, Shell
from simulator.powershell.values import Record

TYPE = "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppAllowedPartner#Decorated"
KIND = "XmppAllowedPartner"
_SETTINGS = parameters_of(AllowedPartner)


def as_record(partner: AllowedPartner) -> Record:
    """A partner as Get-CsXmppAllowedPartner gives it."""
    return record_of(partner, TYPE, Identity=partner.identity, Domain=partner.identity)


def find(configuration: Configuration, identity: str) -> AllowedPartner | None:
    """The partner with this primary domain."""
    return next((each for each in configuration.partners if each.identity == normalized(identity)), None)


def known(configuration: Configuration, identity: str) -> AllowedPartner:
    """The partner with this primary domain. Raises CmdletError."""
    found = find(configuration, identity)

    if found is None:
        raise missing(KIND, identity, (each.identity for each in configuration.partners))

    return found


def made(call: Call) -> AllowedPartner:
    """The partner that New- was told of."""
    return with_parameters(AllowedPartner(identity=call.get("Identity") or call.get("Domain")), call)


def new(configuration: Configuration, call: Call) -> Change:
    """Add a partner."""
    partner = made(call)

    if find(configuration, partner.identity) is not None:
        raise existing(KIND, partner.identity)

    return _change(configuration, partner, (as_record(partner),))


def set_(configuration: Configuration, call: Call) -> Change:
    """Change a partner; an instance that was made in memory is added."""
    instance = instance_of(call, TYPE)
    identity = str(instance["Identity"]) if instance is not None else call.get("Identity")

    if identity is None:
        raise refusal("Which partner? Name its domain with -Identity", identifier="MissingIdentity")

    if instance is None:
        before = known(configuration, identity)
    else:
        before = with_properties(find(configuration, identity) or AllowedPartner(identity=identity), instance)

    return _change(configuration, with_parameters(before, call))


def get(configuration: Configuration, call: Call) -> Iterator[Record]:
    """Tell of all partners, or of those that are asked for."""
    return map(as_record, told(configuration.partners, lambda identity: known(configuration, identity), call))


def remove(configuration: Configuration, call: Call) -> Change:
    """Remove a partner: nobody can talk to its domains any more."""
    found = known(configuration, call.get("Identity"))
    partners = tuple(each for each in configuration.partners if each is not found)

    return Change(configuration=replaced(configuration, partners=partners), target=found.identity)


def cmdlets(desk: Desk) -> Iterable[Cmdlet]:
    """The four cmdlets."""
    add = changing(desk, new)

    async def new_or_in_memory(call: Call, shell: Shell) -> list[Record]:
        return [as_record(made(call))] if call.get("InMemory") else await add(call, shell)

    return (
        Cmdlet(
            name="New-CsXmppAllowedPartner",
            run=new_or_in_memory,
            default_set="Identity",
            changes=True,
            says="allow federation with an XMPP partner",
            parameters=(
                Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, required=True, sets=("Identity",)),
                Parameter(name="Domain", required=True, sets=("ParentAndRelativeKey",)),
                *_SETTINGS,
                FORCE,
                IN_MEMORY,
            ),
        ),
        Cmdlet(
            name="Set-CsXmppAllowedPartner",
            run=changing(desk, set_),
            default_set="Identity",
            changes=True,
            says="change an XMPP partner",
            parameters=(
                Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, sets=("Identity",)),
                INSTANCE,
                *_SETTINGS,
                FORCE,
            ),
        ),
        Cmdlet(
            name="Get-CsXmppAllowedPartner",
            run=reading(desk, get),
            default_set="Identity",
            says="list XMPP partners",
            parameters=(
                Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, sets=("Identity",)),
                FILTER,
                LOCAL_STORE,
            ),
        ),
        Cmdlet(
            name="Remove-CsXmppAllowedPartner",
            run=changing(desk, remove),
            changes=True,
            says="end federation with an XMPP partner",
            parameters=(
                Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, required=True, by_name=True),
                FORCE,
            ),
        ),
    )


def _change(configuration: Configuration, partner: AllowedPartner, objects: tuple[Record, ...] = ()) -> Change:
    """Put a partner in its place, or behind the others."""
    try:
        assert partner.methods
    except NotValid as error:
        # COMPAT: the Control Panel saves no partner whose SASL has no TLS below it; the cmdlet stores the rows that
        # leave a method, and warns ("Negotiation settings for XMPP federated partners").
        raise refusal(str(error), identifier="InvalidNegotiationSettings") from None

    warnings = () if partner.warning is None else (f"{partner.identity}: {partner.warning}",)

    return Change(
        configuration=replaced(configuration, partners=placed(configuration.partners, partner)),
        target=partner.identity,
        objects=objects,
        warnings=warnings,
    )
