"""Where a scenario is played: what an act may touch, and what it hands back.

Knows names (of the scenario, and real ones), deadlines and what the run has learned so far. Does not know any verb,
nor whether what was seen is right: that is `verdict`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.journal import Journal
from simulator.scenario.match import fill
from simulator.scenario.names import recast
from simulator.scenario.steps import VERBS
from simulator.world.pace import bounded

if TYPE_CHECKING:
    from simulator.scenario.model import Scenario, Step
    from simulator.world.partner.partner import Partner
    from simulator.world.users.user import User
    from simulator.world.world import World

#: Seconds at least for what is no claim about time.
PATIENCE = 5.0


class DeadlinePassed(Exception):  # noqa: N818 - it names what happened
    """What a step awaited did not come in time: a finding about the system, judged later."""

    def __init__(self, waiting_for: str) -> None:
        self.waiting_for = waiting_for
        super().__init__(f"the deadline passed while waiting for {waiting_for}")


class NotPlayable(Exception):  # noqa: N818 - it says what the step is
    """A step cannot be played as it is written (unknown label, no such user): our own or the scenario's fault."""


class Unreached(Exception):  # noqa: N818 - an outcome of a step
    """A step could not begin, for its stream, its user or its partner's state was not there; says why."""


class Unsupported(Exception):  # noqa: N818 - an outcome of a step
    """The system lacks the capability that a step needs; the text is its name."""


@dataclass(frozen=True)
class Seen:
    """What one act saw."""

    data: dict[str, Any] = field(default_factory=dict)
    """Plain JSON, as the judge of the verb needs it."""
    consumed: tuple[int, ...] = ()
    """Numbers of the journal entries (`element`, `delivered`, `query`, `ended`) that this step accounts for."""
    captures: dict[str, str] = field(default_factory=dict)
    """``{name}`` values that the act itself learned; those of a pattern are captured by the judge."""


@dataclass
class Stage:
    """One scenario while it is played."""

    scenario: Scenario
    world: World
    journal: Journal
    cast: dict[str, str]
    """The scenario's name -> the real one, where they differ."""
    entropy: random.Random
    """The only source of chance: the same seed gives the same run."""
    partners: dict[str, Partner] = field(default_factory=dict)
    """By the scenario's name of the domain."""
    users: dict[str, User] = field(default_factory=dict)
    """By the scenario's address: inside the system and at partners alike."""
    captures: dict[str, str] = field(default_factory=dict)
    """``{name}`` -> what stood there when it was first seen."""
    questions: set[int] = field(default_factory=set)
    """The numbers of the entries of questions to the name server that steps have taken."""

    def deadline(self, step: Step) -> float:
        """Seconds that `step` may take: its own ``within``, else the scenario's deadline.

        A precondition, and the exchange that proves a quiet, claim nothing about time: a short deadline is not theirs.
        """
        patient = step.part == "given" or VERBS[step.verb].expects == "quiet"

        return step.within or max(self.scenario.deadline, PATIENCE if patient else 0.0)

    @asynccontextmanager
    async def within(self, step: Step, waiting_for: str, *, least: float = 0.0) -> AsyncIterator[None]:
        """Bound what stands inside by the deadline of `step`; raises DeadlinePassed naming `waiting_for`.

        A step that says no `within` of its own gets at `least` so many seconds.
        """
        seconds = step.within or max(least, self.deadline(step))
        bound: asyncio.Timeout | None = None

        try:
            async with bounded(seconds) as bound:
                yield
        except TimeoutError:
            if bound is None or not bound.expired():
                raise

            raise DeadlinePassed(waiting_for) from None

    def real(self, text: str) -> str:
        """Put real names in place of the scenario's (in a name, an address, or a longer text)."""
        named: str = recast(text, self.cast)

        return named

    def fill(self, text: str) -> str:
        """Make `text` ready to be sent: real names, and ``{name}`` replaced by what was captured.

        An unknown ``{name}`` stays as it is: braces are ordinary characters in XML.
        """
        return fill(self.real(text), self.captures)

    def partner(self, name: str) -> Partner:
        """Return the partner that the scenario calls `name`; raises NotPlayable."""
        if name not in self.partners:
            raise NotPlayable(f"{name} is not one of the partners: {', '.join(self.partners) or 'there are none'}")

        return self.partners[name]

    def user(self, name: str) -> User:
        """Return the user that the scenario calls `name`; raises NotPlayable."""
        if name not in self.users:
            raise NotPlayable(f"{name} is not one of the users: {', '.join(self.users) or 'there are none'}")

        return self.users[name]

    def token(self, what: str) -> str:
        """Make a short identifier that is new in this run and the same in every run with the same seed."""
        return f"{what}-{self.entropy.getrandbits(32):08x}"


Act = Callable[[Stage, "Step"], Awaitable[Seen]]
"""How a verb is played. Raises DeadlinePassed when what it awaits does not come, NotPlayable when it makes no sense."""
