"""What a deliberate defect is.

Knows its shape only. Who names which is a scenario's key `mutants`; who seats one is the runner.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.gateway.rules import Rules


@dataclass(frozen=True)
class Mutant:
    """The embedded gateway with one decision made wrongly."""

    name: str
    """Kebab-case, as scenarios write it."""
    says: str
    """One sentence: what this gateway does wrongly."""
    rules: Rules
