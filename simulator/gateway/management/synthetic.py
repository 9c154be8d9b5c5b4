"""Test-CsXmppIM: a user inside sends a message to somebody outside, and the way that it took is judged.

Knows the documented parameters and result. Does not know how a message is sent.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.gateway.configuration import Configuration
from simulator.gateway.management.change import Desk, refusal
from simulator.gateway.management.objects import FORCE
from simulator.gateway.management.running import Attempt, Running, not_running
from simulator.powershell.cmdlet import Call, Cmdlet, Parameter, Shell
from simulator.powershell.types import INT32, enumeration, record
from simulator.powershell.values import Record

TYPE = "Microsoft.Rtc.SyntheticTransactions.TaskOutput"
_AUTHENTICATIONS = ("TrustedServer", "Negotiate", "ClientCertificate", "LiveID")
_SETS = ("ServerPlatform", "ClientPlatform")


def as_record(target: str, attempt: Attempt) -> Record:
    """The result, under the names that the documents print."""
    failed = bool(attempt.error)

    return Record(
        TYPE,
        {
            "Target Fqdn": target,
            "Result": "Failure" if failed else "Success",
            "Latency": time_span(0 if failed else attempt.latency),
            "Error Message": attempt.error,
            "Diagnosis": attempt.diagnosis,
        },
        subject=attempt,
    )


def time_span(seconds: float) -> str:
    """Seconds as .NET's TimeSpan prints them: ``00:00:02.5361730``, and without a fraction where there is none."""
    ticks = round(seconds * 10_000_000)
    whole, fraction = divmod(ticks, 10_000_000)
    text = f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"

    return f"{text}.{fraction:07}" if fraction else text


def cmdlets(desk: Desk, running: Running | None) -> Iterable[Cmdlet]:
    """The one cmdlet."""

    async def test(call: Call, shell: Shell) -> list[Record]:
        if running is None:
            raise not_running()

        configuration = desk.read()
        sender = _sender(configuration, call)
        receiver = call.get("Receiver").removeprefix("sip:")
        shell.detail(call, f"Sending a message from {sender} to {receiver}.")

        # "That SIP address must be on a network that has been configured as an allowed XMPP partner."
        if configuration.partner_for(receiver.rpartition("@")[2]) is None:
            shell.warn(f"{receiver.rpartition('@')[2]} is no allowed XMPP partner.")

        result = as_record(
            call.get("TargetFqdn", ""), await running.send_message(sender, receiver, call.get("RegistrarPort"))
        )

        for parameter in ("OutLoggerVariable", "OutVerboseVariable"):
            if parameter in call:
                shell.set_variable(call.get(parameter), result)

        return [result]

    return (
        Cmdlet(
            name="Test-CsXmppIM",
            run=test,
            default_set=_SETS[0],
            says="send a message to somebody outside, and tell what became of it",
            parameters=(
                Parameter(
                    name="TargetFqdn", aliases=("t",), position=2, required=True, required_in=_SETS[:1], sets=_SETS
                ),
                Parameter(name="Receiver", required=True),
                Parameter(name="UserSipAddress", aliases=("ua",), required=True, required_in=_SETS[1:], sets=_SETS),
                Parameter(
                    name="UserCredential",
                    type=record("System.Management.Automation.PSCredential"),
                    aliases=("uc",),
                    required=True,
                    sets=_SETS[1:],
                ),
                Parameter(
                    name="Authentication",
                    type=enumeration("Microsoft.Rtc.SyntheticTransactions.AuthenticationMechanism", _AUTHENTICATIONS),
                    aliases=("Ath",),
                ),
                Parameter(name="RegistrarPort", type=INT32, aliases=("rp",)),
                Parameter(name="OutLoggerVariable", aliases=("olv",)),
                Parameter(name="OutVerboseVariable", aliases=("ovv",)),
                FORCE,
            ),
        ),
    )


def _sender(configuration: Configuration, call: Call) -> str:
    """Who sends it: whom the call names, or else the test user of the configuration. Raises CmdletError."""
    given = call.get("UserSipAddress") or configuration.management.test_user

    if given is None:
        message = "Test users have not been defined"
        hint = "name a user with -UserSipAddress, or set management: {test-user: …}"
        raise refusal(message, hint=hint, identifier="NoTestUser")

    user = configuration.user(given.removeprefix("sip:"))

    if user is None:
        raise refusal(f"{given} is no user of this gateway", hint="Get-CsUser lists them", identifier="UnknownUser")

    return user.address
