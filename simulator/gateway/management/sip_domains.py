"""Get-, New- and Remove-CsAllowedDomain and -CsBlockedDomain: lists about SIP partners, which XMPP partners pass by.

Knows that a domain cannot stand on both lists. Does not keep what only SIP federation could use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from simulator.gateway.configuration import Configuration
from simulator.gateway.management.change import Change, Desk, changing, existing, missing, reading, replaced
from simulator.gateway.management.objects import FILTER, FORCE, RELATIVE_IDENTITY, choose
from simulator.gateway.settings import normalized
from simulator.powershell.cmdlet import Call, Cmdlet, Parameter
from simulator.powershell.types import BOOLEAN
from simulator.powershell.values import Record

_IDENTITY = Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, sets=("Identity",))


@dataclass(frozen=True, kw_only=True)
class DomainList:
    """One of the two lists, and what its three cmdlets do; each raises CmdletError."""

    kind: str
    field: str
    """Where the configuration has it."""
    unkept: tuple[Parameter, ...]
    """What else the cmdlet's page lets one say of a domain, of which nothing is kept."""

    def domains(self, configuration: Configuration) -> tuple[str, ...]:
        """Those on the list."""
        found: tuple[str, ...] = getattr(configuration, self.field)

        return found

    def get(self, configuration: Configuration, call: Call) -> Iterator[Record]:
        """Those that the call chooses."""
        if "Identity" in call:
            yield self._as_record(self._known(configuration, call.get("Identity")))
        else:
            yield from map(self._as_record, choose(list(self.domains(configuration)), call))

    def new(self, configuration: Configuration, call: Call) -> Change:
        """One more domain, if it is on neither list."""
        domain = call.get("Identity") or call.get("Domain")

        # "This command will fail if fabrikam.com is already on the allowed list or on the blocked list."
        for other in _LISTS:
            if normalized(domain) in map(normalized, other.domains(configuration)):
                raise existing(other.kind, domain)

        ignored = [f"-{parameter.name}" for parameter in self.unkept if parameter.name in call]
        warnings = (f"{', '.join(ignored)}: not kept, for only SIP federation has a use for it",)

        return Change(
            configuration=replaced(configuration, **{self.field: (*self.domains(configuration), domain)}),
            target=domain,
            objects=(self._as_record(domain),),
            warnings=warnings if ignored else (),
        )

    def remove(self, configuration: Configuration, call: Call) -> Change:
        """One domain less."""
        domain = self._known(configuration, call.get("Identity"))
        rest = tuple(each for each in self.domains(configuration) if each != domain)

        return Change(configuration=replaced(configuration, **{self.field: rest}), target=domain)

    def _known(self, configuration: Configuration, wanted: str) -> str:
        domains = self.domains(configuration)
        found = next((each for each in domains if normalized(each) == normalized(wanted)), None)

        if found is None:
            raise missing(self.kind, wanted, domains)

        return found

    def _as_record(self, domain: str) -> Record:
        type_ = f"Microsoft.Rtc.Management.WritableConfig.Settings.Edge.{self.kind}#Decorated"

        return Record(type_, {"Identity": domain, "Domain": domain, "Comment": None, "ProxyFqdn": None})


_LISTS = (
    DomainList(
        kind="AllowedDomain",
        field="allowed_domains",
        unkept=(
            Parameter(name="ProxyFqdn"),
            Parameter(name="MarkForMonitoring", type=BOOLEAN),
            Parameter(name="Comment"),
        ),
    ),
    DomainList(kind="BlockedDomain", field="blocked_domains", unkept=(Parameter(name="Comment"),)),
)


def cmdlets(desk: Desk) -> Iterable[Cmdlet]:
    """Three cmdlets for each list."""
    for each in _LISTS:
        yield Cmdlet(
            name=f"Get-Cs{each.kind}",
            run=reading(desk, each.get),
            default_set="Identity",
            parameters=(_IDENTITY, FILTER),
            says="list domains of SIP partners; XMPP is not concerned",
        )
        yield Cmdlet(
            name=f"New-Cs{each.kind}",
            run=changing(desk, each.new),
            default_set="Identity",
            changes=True,
            says="add a domain of a SIP partner; XMPP is not concerned",
            parameters=(
                replace(_IDENTITY, required=True),
                Parameter(name="Domain", required=True, sets=("ParentAndRelativeKey",)),
                *each.unkept,
                FORCE,
            ),
        )
        yield Cmdlet(
            name=f"Remove-Cs{each.kind}",
            run=changing(desk, each.remove),
            changes=True,
            says="remove a domain of a SIP partner; XMPP is not concerned",
            parameters=(
                Parameter(name="Identity", type=RELATIVE_IDENTITY, position=2, required=True, by_name=True),
                FORCE,
            ),
        )
