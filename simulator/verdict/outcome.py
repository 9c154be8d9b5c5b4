"""The words of a verdict: outcomes in their order, and what a verdict says beside its outcome.

Knows no scenario and no journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec

from simulator.scenario.model import Step


class Outcome(Enum):
    """From best to worst."""

    PASS = "PASS"
    """The claim holds."""
    ALTERNATIVE = "ALTERNATIVE"
    """Another outcome that the text also allows."""
    WARN = "WARN"
    """A SHOULD is broken."""
    UNSUPPORTED = "UNSUPPORTED"
    """The system declares that it lacks the capability."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """The precondition was not reached, the fault did not fire, or nothing proves the quiet."""
    FAIL = "FAIL"
    """A MUST is broken."""
    ERROR = "ERROR"
    """Our own fault."""

    def __str__(self) -> str:
        return self.value

    @property
    def severity(self) -> int:
        """0 for PASS, and higher the worse."""
        return list(Outcome).index(self)


#: A step that came to one of these does not stop the scenario.
GOOD = frozenset({Outcome.PASS, Outcome.ALTERNATIVE, Outcome.WARN})


def worst_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst outcome; of none at all ERROR, for what judged nothing proves nothing."""
    return max(outcomes, key=lambda outcome: outcome.severity, default=Outcome.ERROR)


class StepVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one step came to."""

    outcome: Outcome
    reason: str = ""
    """One line; empty for PASS."""
    path: str = ""
    """Where expected and seen part, such as ``/message/body``."""
    expected: str = ""
    seen: str = ""
    because: str = ""
    """The section that allows an alternative."""
    notes: tuple[str, ...] = ()
    """What is worth knowing and no failure, such as a reset where a FIN was expected."""
    captures: dict[str, str] = {}
    """The names that this step's patterns learned."""
    ends_stream: bool = False
    """An alternative has ended the stream: its later steps are skipped."""
    negotiated: str = ""
    """What a negotiation came to, authenticated or refused: steps for the other (`Step.when`) are skipped."""

    @property
    def goes_on(self) -> bool:
        """Whether the next step is played."""
        return self.outcome in GOOD


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of one scenario came to, with everything that a report says about it."""

    scenario: str
    outcome: Outcome
    reason: str = ""
    """One line; empty for PASS."""
    step: Step | None = None
    """The step that decided, where one did."""
    path: str = ""
    expected: str = ""
    seen: str = ""
    broken: tuple[str, ...] = ()
    """The requirements that FAIL or WARN broke."""
    alternatives: tuple[tuple[str, str], ...] = ()
    """(step, the section that allows what was seen instead)."""
    notes: tuple[str, ...] = ()
