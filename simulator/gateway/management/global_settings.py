"""Get- and Set- of what there is once for all: CsXmppGatewayConfiguration and CsAccessEdgeConfiguration.

Knows their documented parameters. Does not know what the settings do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from simulator.gateway.access.edge import AccessEdgeConfiguration, RoutingMethod
from simulator.gateway.configuration import Configuration
from simulator.gateway.management.change import Change, Desk, changing, missing, reading, replaced
from simulator.gateway.management.objects import (
    FILTER,
    FORCE,
    GLOBAL_IDENTITY,
    INSTANCE,
    LOCAL_STORE,
    Part,
    choose,
    instance_of,
    parameters_of,
    record_of,
    with_parameters,
    with_properties,
)
from simulator.gateway.settings import GatewaySettings
from simulator.powershell.cmdlet import Call, Cmdlet, Parameter
from simulator.powershell.types import SWITCH
from simulator.powershell.values import Record

GATEWAY = "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.XmppGatewaySettings"
EDGE = "Microsoft.Rtc.Management.WritableConfig.Settings.Edge.AccessEdgeSettings"
_IDENTITY = Parameter(name="Identity", type=GLOBAL_IDENTITY, position=2, sets=("Identity",))
_ROUTED = ("Identity", "DefaultRoute", "DnsSrvRouting")


def gateway_record(configuration: Configuration) -> Record:
    """The XMPP gateway's settings as Get-CsXmppGatewayConfiguration gives them."""
    return record_of(configuration.gateway, GATEWAY, Identity="Global")


def edge_record(configuration: Configuration) -> Record:
    """The Access Edge settings as Get-CsAccessEdgeConfiguration gives them."""
    return record_of(configuration.access, EDGE, Identity="Global")


def set_gateway(configuration: Configuration, call: Call) -> Change:
    """Change the XMPP gateway's settings."""
    _only_global("XmppGatewaySettings", call)
    after = _set(configuration.gateway, GATEWAY, call)

    return Change(configuration=replaced(configuration, gateway=after), target="Global")


def set_edge(configuration: Configuration, call: Call) -> Change:
    """Change the Access Edge settings: whether anybody federates at all."""
    _only_global("AccessEdgeSettings", call)
    after = _set(configuration.access, EDGE, call)

    for switch in RoutingMethod:
        if call.get(switch.value):
            after = msgspec.structs.replace(after, routing_method=switch)

    return Change(configuration=replaced(configuration, access=after), target="Global")


def cmdlets(desk: Desk) -> Iterable[Cmdlet]:
    """The four cmdlets."""
    return (
        _get("Get-CsXmppGatewayConfiguration", desk, gateway_record, "show the settings of the XMPP gateway"),
        Cmdlet(
            name="Set-CsXmppGatewayConfiguration",
            run=changing(desk, set_gateway),
            default_set="Identity",
            changes=True,
            says="change the settings of the XMPP gateway",
            parameters=(_IDENTITY, INSTANCE, *parameters_of(GatewaySettings), FORCE),
        ),
        _get("Get-CsAccessEdgeConfiguration", desk, edge_record, "show whether there is federation at all"),
        Cmdlet(
            name="Set-CsAccessEdgeConfiguration",
            run=changing(desk, set_edge),
            default_set="Identity",
            changes=True,
            says="switch federation on and off (-AllowFederatedUsers)",
            parameters=(
                _IDENTITY,
                INSTANCE,
                *parameters_of(
                    AccessEdgeConfiguration,
                    sets={
                        "": _ROUTED,
                        "BeClearingHouse": ("DnsSrvRouting",),
                        "EnablePartnerDiscovery": ("DnsSrvRouting",),
                    },
                    but_not=("RoutingMethod",),
                ),
                Parameter(name="UseDnsSrvRouting", type=SWITCH, sets=("DnsSrvRouting",)),
                Parameter(name="UseDefaultRouting", type=SWITCH, sets=("DefaultRoute",)),
                FORCE,
            ),
        ),
    )


def _get(name: str, desk: Desk, record: Callable[[Configuration], Record], says: str) -> Cmdlet:
    def tell(configuration: Configuration, call: Call) -> list[Record]:
        _only_global(name.removeprefix("Get-Cs"), call)

        return [record(configuration)] if choose(["Global"], call) else []

    return Cmdlet(
        name=name,
        run=reading(desk, tell),
        default_set="Identity",
        parameters=(_IDENTITY, FILTER, LOCAL_STORE),
        says=says,
    )


def _set(before: Part, type_: str, call: Call) -> Part:
    instance = instance_of(call, type_)

    return with_parameters(before if instance is None else with_properties(before, instance), call)


def _only_global(kind: str, call: Call) -> None:
    identity = call.get("Identity", "Global")

    if str(identity).lower() != "global":
        raise missing(kind, identity, ["Global"])
