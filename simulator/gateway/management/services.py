"""Get-, Start- and Stop-CsWindowsService, and netstat with findstr, by which the set-up page looks at ports.

Knows how they are called and what they print. Does not know what a service consists of.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from simulator.gateway.management.change import missing
from simulator.gateway.management.objects import FORCE
from simulator.gateway.management.running import Running, Service, not_running
from simulator.powershell.cmdlet import Call, Cmdlet, CmdletError, Parameter, Shell
from simulator.powershell.types import OBJECT, STRING, SWITCH, record
from simulator.powershell.values import Record, text_of

TYPE = "Microsoft.Rtc.Management.Deployment.Core.NTService"
_SHOWN = {"Status": "Status", "Name": "Name", "ComputerName": "Computer", "DisplayName": "Display Name"}


def as_record(service: Service) -> Record:
    """A service as Get-CsWindowsService gives it."""
    return Record(
        TYPE,
        {
            "Status": "Running" if service.running else "Stopped",
            "Name": service.name,
            "ComputerName": service.computer,
            "DisplayName": service.display_name,
            "RoleName": [service.role],
        },
        subject=service,
        shown=_SHOWN,
    )


def cmdlets(running: Running | None) -> Iterable[Cmdlet]:
    """The three cmdlets and the two programs; without a running gateway they say so."""
    return (*_service_cmdlets(running), _netstat(running), _FINDSTR)


# -- the services

_BY_NAME = Parameter(name="Name", position=2, sets=("Name",))
_COMPUTER = Parameter(name="ComputerName", aliases=("Fqdn",), sets=("Name",))
_CONTROL = (
    _BY_NAME,
    _COMPUTER,
    Parameter(name="InputObject", type=record(TYPE), sets=("InputObject",), by_value=True),
    Parameter(name="NoWait", type=SWITCH),
    Parameter(name="Report"),
    FORCE,
)


def _service_cmdlets(running: Running | None) -> Iterable[Cmdlet]:
    async def get(call: Call, shell: Shell) -> list[Record]:
        return [as_record(service) for service in _chosen(_needed(running), call)]

    async def start(call: Call, shell: Shell) -> list[Record]:
        return await _switch(_needed(running), call, shell, on=True)

    async def stop(call: Call, shell: Shell) -> list[Record]:
        return await _switch(_needed(running), call, shell, on=False)

    return (
        Cmdlet(
            name="Get-CsWindowsService",
            run=get,
            default_set="Name",
            says="list the services of the gateway",
            parameters=(
                _BY_NAME,
                _COMPUTER,
                Parameter(name="ExcludeActivityLevel", type=SWITCH),
                Parameter(name="Report"),
            ),
        ),
        Cmdlet(
            name="Start-CsWindowsService",
            run=start,
            default_set="Name",
            changes=True,
            says="start the services, with the certificates that are in the files now",
            parameters=_CONTROL,
        ),
        Cmdlet(
            name="Stop-CsWindowsService",
            run=stop,
            default_set="Name",
            changes=True,
            says="stop the services: every stream is closed",
            parameters=_CONTROL,
        ),
    )


def _needed(running: Running | None) -> Running:
    """The gateway that runs; raises CmdletError where none does."""
    if running is None:
        raise not_running()

    return running


def _chosen(running: Running, call: Call) -> list[Service]:
    """The services that a call names, or all of them; raises CmdletError where it names none."""
    services = list(running.services())
    given = call.get("InputObject")
    name = text_of(given["Name"]) if given is not None else call.get("Name")
    computer = text_of(given["ComputerName"]) if given is not None else call.get("ComputerName")
    # "You must use the service name and not the service display name": here either will do.
    found = [
        service
        for service in services
        if (name is None or name.lower() in (service.name.lower(), service.display_name.lower()))
        and (computer is None or computer.lower() == service.computer.lower())
    ]

    if not found:
        wanted = " on ".join(filter(None, (name, computer)))
        raise missing("Service", wanted, (f"{service.name} on {service.computer}" for service in services))

    return found


async def _switch(running: Running, call: Call, shell: Shell, *, on: bool) -> list[Record]:
    # The front end first when they stop, and last when they start: it works through the edge.
    for service in sorted(_chosen(running, call), key=lambda each: (each.role == "XmppProxy") != on):
        # "You will not receive an error if you try to start a service that has already been started."
        if service.running == on or not await shell.should_process(call, service.display_name):
            continue

        try:
            await (running.start_service if on else running.stop_service)(service)
        except OSError as error:
            message = f"Failed to start service '{service.display_name} ({service.name})': {error}."
            raise CmdletError(message, category="OpenError: (:)", identifier="StartServiceFailed") from None

    return []


# -- the programs


def _netstat(running: Running | None) -> Cmdlet:
    async def run(call: Call, shell: Shell) -> list[str]:
        rows = [
            f"  TCP    {each.local:<22} {each.remote:<22} {each.state:<15} {os.getpid()}"
            for each in _needed(running).sockets()
        ]
        heading = f"  Proto  {'Local Address':<22} {'Foreign Address':<22} {'State':<15} PID"

        return ["", "Active Connections", "", heading, *rows]

    return Cmdlet(
        name="netstat",
        run=run,
        aliases=("netstat.exe",),
        says="list the TCP sockets of the gateway",
        parameters=tuple(Parameter(name=name, type=SWITCH) for name in ("ano", "an", "a", "n", "o")),
    )


async def _matching_lines(call: Call, shell: Shell) -> list[str]:
    return [line for line in map(text_of, call.inputs) if call.get("Pattern") in line]


_FINDSTR = Cmdlet(
    name="findstr",
    run=_matching_lines,
    aliases=("findstr.exe",),
    collects=True,
    says="let lines pass that contain a text",
    parameters=(
        Parameter(name="Pattern", type=STRING, position=0, required=True),
        Parameter(name="InputObject", type=OBJECT, by_value=True),
    ),
)
