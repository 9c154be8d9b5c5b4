"""Where a scenario is played: what an act may touch, and what it hands back.

Knows names (of the scenario, and real ones), deadlines and what the run has learned so far. Does not know any verb,
nor whether what was seen is right: that is `verdict`.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from simulator.journal import Journal

if TYPE_CHECKING:
    from simulator.scenario.model import Scenario, Step
    from simulator.world.partner import Partner
    from simulator.world.users.user import User
    from simulator.world.world import World

DEFAULT_DEADLINE = 3.0
"""Seconds a step may take where neither the step nor the scenario says otherwise."""


class DeadlinePassed(Exception):  # noqa: N818 - it names what happened
    """What a step awaited did not come in time: a finding about the system, judged later."""

    def __init__(self, waiting_for: str) -> None:
        self.waiting_for = waiting_for
        super().__init__(f"the deadline passed while waiting for {waiting_for}")


class NotPlayable(Exception):  # noqa: N818 - it says what the step is
    """A step cannot be played as it is written (unknown label, no such user): our own or the scenario's fault."""


@dataclass(frozen=True)
class Seen:
    """What one act saw."""

    data: dict[str, Any] = field(default_factory=dict)
    """Plain JSON, as the judge of the verb needs it."""
    consumed: tuple[int, ...] = ()
    """Numbers of the journal entries (`element`, `delivered`, `query`, `ended`) that this step accounts for."""
    captures: dict[str, str] = field(default_factory=dict)
    """``{name}`` values that the act itself learned; those of a pattern are captured by the judge."""


class Cast:
    """Who plays whom: names as the scenario spells them, and the real names of this run.

    A name covers its subdomains as well: with ``gmail.com`` -> ``gmail.com.k3x9.example`` also
    ``sub.gmail.com`` and ``juliet@gmail.com`` are recast, and nothing else that happens to hold the same letters.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = dict(names)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        changed = sorted((name for name, real in self.names.items() if name != real), key=len, reverse=True)

        if not changed:
            return None

        return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, changed))})(?!\.?[\w-])", re.IGNORECASE)

    def real(self, text: str) -> str:
        """Put real names in place of the scenario's, in a name or in any longer text; keeps an all-upper spelling."""
        return self._pattern.sub(self._recast, text) if self._pattern else text

    def _recast(self, match: re.Match[str]) -> str:
        real = self.names[match[0].lower()]

        return real.upper() if match[0].isupper() else real


@dataclass
class Stage:
    """One scenario while it is played."""

    scenario: Scenario
    world: World
    journal: Journal
    cast: Cast
    entropy: random.Random
    """The only source of chance: the same seed gives the same run."""
    partners: dict[str, Partner] = field(default_factory=dict)
    """By the scenario's name of the domain."""
    users: dict[str, User] = field(default_factory=dict)
    """By the scenario's address: inside the system and at partners alike."""
    captures: dict[str, str] = field(default_factory=dict)
    """``{name}`` -> what stood there when it was first seen."""

    def deadline(self, step: Step) -> float:
        """Seconds that `step` may take: its own ``within``, else the scenario's deadline, else the default."""
        return step.within or self.scenario.deadline or DEFAULT_DEADLINE

    @asynccontextmanager
    async def within(self, step: Step, waiting_for: str) -> AsyncIterator[None]:
        """Bound what stands inside by the deadline of `step`; raises DeadlinePassed naming `waiting_for`."""
        try:
            async with asyncio.timeout(self.deadline(step)):
                yield
        except TimeoutError:
            raise DeadlinePassed(waiting_for) from None

    def real(self, text: str) -> str:
        """Put real names in place of the scenario's (in a name, an address, or a longer text)."""
        return self.cast.real(text)

    def fill(self, text: str) -> str:
        """Make `text` ready to be sent: real names, and ``{name}`` replaced by what was captured.

        An unknown ``{name}`` stays as it is: braces are ordinary characters in XML.
        """
        return re.sub(r"\{([a-z][a-z0-9-]*)\}", lambda match: self.captures.get(match[1], match[0]), self.real(text))

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
