"""Get-, New- and Remove-CsAllowedDomain and -CsBlockedDomain: lists about SIP partners, which XMPP partners pass by.

Knows that a domain cannot stand on both lists. Does not keep what only SIP federation could use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.gateway.configuration import Configuration
from simulator.gateway.management.change import Change, Desk, changing, existing, missing, reading, replaced
from simulator.gateway.management.objects import FILTER, FORCE, RELATIVE_IDENTITY, choose
from simulator.gateway.settings import normalized
from simulator.powershell.cmdlet import Call, Cmdlet, Parameter
from simulator.powershell.types import BOOLEAN
from simulator.powershell.values import Record

#: kind -> the field of the configuration, and what else the cmdlet's page lets one say, of which nothing is kept
_LISTS: dict[str, tuple[str, tuple[Parameter, ...]]] = {
    "AllowedDomain": (
        "allowed_domains",
        (Parameter(name="ProxyFqdn"), Parameter(name="MarkForMonitoring", type=BOOLEAN), Parameter(name="Comment")),
    ),
    "BlockedDomain": ("blocked_domains", (Parameter(name="Comment"),)),
}


def cmdlets(desk: Desk) -> Iterable[Cmdlet]:
    """Three cmdlets for each list."""
    for kind in _LISTS:
        yield from _of(desk, kind)


def _of(desk: Desk, kind: str) -> Iterator[Cmdlet]:
    field, more = _LISTS[kind]
    type_ = f"Microsoft.Rtc.Management.WritableConfig.Settings.Edge.{kind}#Decorated"
    identity = Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, sets=("Identity",))

    def as_record(domain: str) -> Record:
        return Record(type_, {"Identity": domain, "Domain": domain, "Comment": None, "ProxyFqdn": None})

    def domains(configuration: Configuration) -> tuple[str, ...]:
        found: tuple[str, ...] = getattr(configuration, field)

        return found

    def known(configuration: Configuration, wanted: str) -> str:
        found = next((each for each in domains(configuration) if normalized(each) == normalized(wanted)), None)

        if found is None:
            raise missing(kind, wanted, domains(configuration))

        return found

    def get(configuration: Configuration, call: Call) -> Iterator[Record]:
        if "Identity" in call:
            yield as_record(known(configuration, call.get("Identity")))
        else:
            yield from map(as_record, choose(list(domains(configuration)), call))

    def new(configuration: Configuration, call: Call) -> Change:
        domain = call.get("Identity") or call.get("Domain")

        # "This command will fail if fabrikam.com is already on the allowed list or on the blocked list."
        for other, (list_, _) in _LISTS.items():
            if normalized(domain) in map(normalized, getattr(configuration, list_)):
                raise existing(other, domain)

        ignored = [f"-{parameter.name}" for parameter in more if parameter.name in call]
        warnings = (f"{', '.join(ignored)}: not kept, for only SIP federation has a use for it",)

        return Change(
            configuration=replaced(configuration, **{field: (*domains(configuration), domain)}),
            target=domain,
            objects=(as_record(domain),),
            warnings=warnings if ignored else (),
        )

    def remove(configuration: Configuration, call: Call) -> Change:
        domain = known(configuration, call.get("Identity"))
        rest = tuple(each for each in domains(configuration) if each != domain)

        return Change(configuration=replaced(configuration, **{field: rest}), target=domain)

    yield Cmdlet(
        name=f"Get-Cs{kind}",
        run=reading(desk, get),
        default_set="Identity",
        parameters=(identity, FILTER),
        says="list domains of SIP partners; XMPP is not concerned",
    )
    yield Cmdlet(
        name=f"New-Cs{kind}",
        run=changing(desk, new),
        default_set="Identity",
        changes=True,
        says="add a domain of a SIP partner; XMPP is not concerned",
        parameters=(
            Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, required=True, sets=("Identity",)),
            Parameter(name="Domain", required=True, sets=("ParentAndRelativeKey",)),
            *more,
            FORCE,
        ),
    )
    yield Cmdlet(
        name=f"Remove-Cs{kind}",
        run=changing(desk, remove),
        changes=True,
        says="remove a domain of a SIP partner; XMPP is not concerned",
        parameters=(
            Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, required=True, by_name=True),
            FORCE,
        ),
    )
