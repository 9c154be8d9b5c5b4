"""What a cmdlet would change: the configuration afterwards, and whom it is said of; and the desk where it is done.

Knows how a change is asked about, checked and handed on. Does not know which changes there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from simulator.gateway.configuration import Configuration, ConfigurationError, checked
from simulator.gateway.spelling import Fault
from simulator.powershell.cmdlet import Call, CmdletError, Run, Shell
from simulator.powershell.values import Record

#: the Fault hook of the gateway's rules: which settings can be worked with
Find = Callable[[Configuration], Iterable[Fault]]
Apply = Callable[[Configuration], object]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change that was not made yet. `target` is what -WhatIf names; `objects` are printed."""

    configuration: Configuration
    target: str
    objects: tuple[Record, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where configurations are read, and where new ones go: of a running gateway, or of a file."""

    read: Callable[[], Configuration]
    apply: Apply
    find: Find | None = None

    def commit(self, configuration: Configuration) -> None:
        """Check a configuration and make it count. Raises CmdletError, and then nothing has changed."""
        try:
            sound = checked(configuration, self.find)
        except ConfigurationError as error:
            raise refusal(error.fault.message, hint=error.fault.hint) from None

        self.apply(sound)


def refusal(message: str, *, hint: str = "", identifier: str = "InvalidConfiguration") -> CmdletError:
    """The error of a cmdlet that will not do it."""
    return CmdletError(
        message if message.endswith(".") else f"{message}.",
        category="InvalidData: (:)",
        identifier=identifier,
        kind="ManagementException",
        hint=hint,
    )


def missing(kind: str, identity: str, known: Iterable[str]) -> CmdletError:
    """The error for something that does not exist; names what does."""
    names = sorted(known)
    hint = f"there are: {', '.join(names[:10])}" + (", …" if len(names) > 10 else "") if names else "there is none"

    return CmdletError(
        f'Cannot find "{kind}" "{identity}" because it does not exist.',
        category="ObjectNotFound: (:)",
        identifier="ObjectNotFound",
        kind="ManagementException",
        hint=hint,
    )


def existing(kind: str, identity: str) -> CmdletError:
    """The error for something that exists already."""
    return CmdletError(
        f'Cannot create "{kind}" "{identity}" because it already exists.',
        category="ResourceExists: (:)",
        identifier="ObjectAlreadyExists",
        kind="ManagementException",
        hint=f"change it with Set-Cs{kind}, or remove it first",
    )


def replaced(configuration: Configuration, **parts: object) -> Configuration:
    """The same configuration with other parts."""
    return msgspec.structs.replace(configuration, **parts)


def changing(desk: Desk, work: Callable[[Configuration, Call], Change]) -> Run:
    """A cmdlet that does what a pure function says, unless -WhatIf or the user is against it."""

    async def run(call: Call, shell: Shell) -> list[Record]:
        change = work(desk.read(), call)

        if not await shell.should_process(call, change.target):
            return []

        # While the user was asked, others may have changed something.
        change = work(desk.read(), call)
        desk.commit(change.configuration)

        for warning in change.warnings:
            shell.warn(warning)

        return list(change.objects)

    return run


def reading(desk: Desk, work: Callable[[Configuration, Call], Iterable[Record]]) -> Run:
    """A cmdlet that only tells."""

    async def run(call: Call, shell: Shell) -> list[Record]:
        return list(work(desk.read(), call))

    return run
