"""Get-, Start- and Stop-CsWindowsService, and netstat with findstr, by which the set-up page looks at ports.

Knows how they are called and what they print. Does not know what a service consists of.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable

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

    def chosen(call: Call) -> list[Service]:
        if running is None:
            raise not_running()

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

    def acting(start: bool) -> Callable[[Call, Shell], Awaitable[list[Record]]]:
        async def act(call: Call, shell: Shell) -> list[Record]:
            # The front end first when they stop, and last when they start: it works through the edge.
            for service in sorted(chosen(call), key=lambda each: (each.role == "XmppProxy") != start):
                if running is None or service.running == start:
                    # "You will not receive an error if you try to start a service that has already been started."
                    continue

                if await shell.should_process(call, service.display_name):
                    try:
                        await (running.start_service if start else running.stop_service)(service)
                    except OSError as error:
                        message = f"Failed to start service '{service.display_name} ({service.name})': {error}."
                        identifier = "StartServiceFailed"
                        raise CmdletError(message, category="OpenError: (:)", identifier=identifier) from None

            return []

        return act

    async def get(call: Call, shell: Shell) -> list[Record]:
        return [as_record(service) for service in chosen(call)]

    async def netstat(call: Call, shell: Shell) -> list[str]:
        if running is None:
            raise not_running()

        rows = [
            f"  TCP    {each.local:<22} {each.remote:<22} {each.state:<15} {os.getpid()}" for each in running.sockets()
        ]
        heading = f"  Proto  {'Local Address':<22} {'Foreign Address':<22} {'State':<15} PID"

        return ["", "Active Connections", "", heading, *rows]

    async def findstr(call: Call, shell: Shell) -> list[str]:
        return [line for line in map(text_of, call.inputs) if call.get("Pattern") in line]

    by_name = Parameter(name="Name", position=2, sets=("Name",))
    computer = Parameter(name="ComputerName", aliases=("Fqdn",), sets=("Name",))
    control = (
        by_name,
        computer,
        Parameter(name="InputObject", type=record(TYPE), sets=("InputObject",), by_value=True),
        Parameter(name="NoWait", type=SWITCH),
        Parameter(name="Report"),
        FORCE,
    )

    return (
        Cmdlet(
            name="Get-CsWindowsService",
            run=get,
            default_set="Name",
            says="list the services of the gateway",
            parameters=(
                by_name,
                computer,
                Parameter(name="ExcludeActivityLevel", type=SWITCH),
                Parameter(name="Report"),
            ),
        ),
        Cmdlet(
            name="Start-CsWindowsService",
            run=acting(True),
            default_set="Name",
            changes=True,
            says="start the services, with the certificates that are in the files now",
            parameters=control,
        ),
        Cmdlet(
            name="Stop-CsWindowsService",
            run=acting(False),
            default_set="Name",
            changes=True,
            says="stop the services: every stream is closed",
            parameters=control,
        ),
        Cmdlet(
            name="netstat",
            run=netstat,
            aliases=("netstat.exe",),
            says="list the TCP sockets of the gateway",
            parameters=tuple(Parameter(name=name, type=SWITCH) for name in ("ano", "an", "a", "n", "o")),
        ),
        Cmdlet(
            name="findstr",
            run=findstr,
            aliases=("findstr.exe",),
            collects=True,
            says="let lines pass that contain a text",
            parameters=(
                Parameter(name="Pattern", type=STRING, position=0, required=True),
                Parameter(name="InputObject", type=OBJECT, by_value=True),
            ),
        ),
    )
