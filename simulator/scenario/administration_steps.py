"""The verbs about administration and failover: a part of the verb table.

Knows what each says and which judge reads what it saw. What the commands mean is the system's business.
"""

from __future__ import annotations

from simulator.scenario.verb import ActorKind, Verb

_ADMINISTRATOR: tuple[ActorKind, ...] = ("administrator",)
_SYSTEM: tuple[ActorKind, ...] = ("system",)


def _process(name: str, says: str, example: str) -> Verb:
    needs = frozenset({"processes"})

    return Verb(name=name, actors=_SYSTEM, says=says, example=example, argument="required", needs=needs)


ADMINISTRATION_VERBS = (
    Verb(
        name="runs",
        actors=_ADMINISTRATOR,
        says="Types commands into the management shell of the running system. What an error says reaches the "
        "administrator, and fails the scenario unless a step takes it.",
        example="the administrator runs: Set-CsXmppAllowedPartner gmail.com -TlsNegotiation Optional",
        argument="required",
        needs=frozenset({"cmdlets"}),
    ),
    Verb(
        name="is told",
        actors=_ADMINISTRATOR,
        says="What the shell has said: text that must be part of it (white space aside), as {error}, the next one, or "
        "{output}, everything that one *runs* has printed; text alone is {output}.",
        example="the administrator is told: {error: A parameter cannot be found that matches parameter name}",
        expects="told",
        argument="required",
        keys=("error", "output"),
        needs=frozenset({"cmdlets"}),
    ),
    _process(
        "process is killed",
        "One of the processes that the system consists of is killed (-9): `edge`, `front end`, or the name of one of "
        "several.",
        "the system's process is killed: edge",
    ),
    _process(
        "process stops",
        "One of them is stopped in good order; waits until it has ended.",
        "the system's process stops: edge2.contoso.com",
    ),
    _process(
        "process starts",
        "One that was stopped or killed is started; waits until it is ready.",
        "the system's process starts: edge",
    ),
)
