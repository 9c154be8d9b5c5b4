"""Many verdicts against the ledger of expected failures: what is new, what is stale, and the exit code.

Knows verdicts and ledger entries. Does not read files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from simulator.scenario.ledger import LedgerEntry
from simulator.scenario.selection import glob
from simulator.verdict.outcome import Outcome, Verdict

GOOD, FAILURE, USAGE, UNDECIDED = 0, 1, 2, 3

#: What a failure of the ledger must have become to make its entry stale.
_PASSED = {
    "FAIL": frozenset({Outcome.PASS, Outcome.ALTERNATIVE, Outcome.WARN}),
    "WARN": frozenset({Outcome.PASS, Outcome.ALTERNATIVE}),
}


class Settlement(msgspec.Struct, frozen=True):
    """A run held against the ledger."""

    exit_code: int
    new: tuple[Verdict, ...]
    """Failures that no entry explains (with `strict` also warnings)."""
    expected: tuple[tuple[Verdict, LedgerEntry], ...]
    """Failures and warnings that an entry explains."""
    stale: tuple[LedgerEntry, ...]
    """Entries that explain nothing any more, though their scenario was played and passed; never one that holds only
    `sometimes`."""
    undecided: tuple[Verdict, ...]
    """INCONCLUSIVE and ERROR: no ledger excuses them."""


def settle(verdicts: Sequence[Verdict], ledger: Iterable[LedgerEntry] = (), *, strict: bool = False) -> Settlement:
    """Hold verdicts against the ledger of their system.

    The exit code is 1 for a failure that is not in the ledger or an entry that is stale, else 3 for what is undecided,
    or when nothing was played at all, else 0. UNSUPPORTED, ALTERNATIVE and WARN are good; with `strict` a WARN must be
    in the ledger as a FAIL must.
    """
    entries = list(ledger)
    expected = [(verdict, entry) for verdict in verdicts for entry in entries if explains(entry, verdict)]
    explained = {id(verdict) for verdict, _ in expected}
    bad = {Outcome.FAIL, Outcome.WARN} if strict else {Outcome.FAIL}
    new = tuple(verdict for verdict in verdicts if verdict.outcome in bad and id(verdict) not in explained)
    used = {id(entry) for _, entry in expected}
    stale = tuple(
        entry for entry in entries if id(entry) not in used and not entry.sometimes and _has_passed(entry, verdicts)
    )
    undecided = tuple(one for one in verdicts if one.outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR))
    code = FAILURE if new or stale else UNDECIDED if undecided or not verdicts else GOOD

    return Settlement(code, new, tuple(expected), stale, undecided)


def explains(entry: LedgerEntry, verdict: Verdict) -> bool:
    """Whether an entry is about this failure: the scenario, the outcome, and its text in the reason."""
    return (
        verdict.outcome.value == entry.outcome
        and glob(verdict.scenario, entry.scenario)
        and entry.match in verdict.reason
        and (not entry.requirement or entry.requirement in verdict.broken)
    )


def _has_passed(entry: LedgerEntry, verdicts: Iterable[Verdict]) -> bool:
    return any(
        glob(verdict.scenario, entry.scenario) and verdict.outcome in _PASSED[entry.outcome] for verdict in verdicts
    )
