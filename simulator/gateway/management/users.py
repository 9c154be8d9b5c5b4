"""Get-CsUser: the people inside, by address, by display name, or by a condition.

Knows how the documents name users. Does not know Active Directory: there is none here.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.gateway.configuration import Configuration
from simulator.gateway.management.change import Desk, missing, refusal
from simulator.gateway.management.objects import USER_IDENTITY
from simulator.gateway.settings import User
from simulator.powershell.cmdlet import Call, Cmdlet, CmdletError, Parameter, Shell
from simulator.powershell.errors import ParseError
from simulator.powershell.parser import parse_filter
from simulator.powershell.types import SWITCH, UINT32
from simulator.powershell.values import Record, wildcard

TYPE = "Microsoft.Rtc.Management.ADConnect.Schema.OCSADUser"


def as_record(user: User) -> Record:
    """A user as Get-CsUser gives it."""
    return Record(
        TYPE,
        {
            "Identity": user.address,
            "SipAddress": f"sip:{user.address}",
            "DisplayName": user.display_name or user.address,
            "UserPrincipalName": user.address,
            "Enabled": True,
            "Site": user.site,
            "ExternalAccessPolicy": user.external_access_policy,
        },
        subject=user,
    )


def found(configuration: Configuration, identity: str) -> list[User]:
    """The users that an identity names: an address, with ``sip:`` or without, or a display name with ``*``.

    Raises CmdletError where it names nobody.
    """
    address = identity.lower().removeprefix("sip:")
    pattern = wildcard(identity)
    users = [
        user
        for user in configuration.users
        if user.address.lower() == address or pattern.fullmatch(user.display_name or user.address)
    ]

    if not users:
        raise missing("User", identity, (user.address for user in configuration.users))

    return users


def cmdlets(desk: Desk) -> Iterable[Cmdlet]:
    """The one cmdlet."""

    async def get(call: Call, shell: Shell) -> list[Record]:
        configuration = desk.read()

        # Those who were never given a pool, and those of older servers.
        if call.get("UnAssignedUser") or call.get("OnOfficeCommunicationServer"):
            return []

        if "LdapFilter" in call or "OU" in call:
            raise refusal("There is no Active Directory here", hint="use -Filter {…}", identifier="NoDirectory")

        users = found(configuration, call.get("Identity")) if "Identity" in call else list(configuration.users)
        records = [as_record(user) for user in users]

        if "Filter" in call:
            try:
                condition = parse_filter(call.get("Filter") or "")
            except ParseError as error:
                raise CmdletError(f"Cannot parse the filter: {error.message}", identifier="InvalidFilter") from None

            records = [each for each in records if await shell.condition(condition, each)]

        return records[: call.get("ResultSize")] if "ResultSize" in call else records

    return (
        Cmdlet(
            name="Get-CsUser",
            run=get,
            says="list users",
            parameters=(
                Parameter(name="Identity", type=USER_IDENTITY, position=1, by_value=True, by_name=True),
                Parameter(name="Filter"),
                Parameter(name="LdapFilter"),
                Parameter(name="OU"),
                Parameter(name="OnLyncServer", type=SWITCH),
                Parameter(name="OnOfficeCommunicationServer", type=SWITCH),
                Parameter(name="UnAssignedUser", type=SWITCH),
                Parameter(name="ResultSize", type=UINT32),
                Parameter(name="DomainController"),
            ),
        ),
    )
