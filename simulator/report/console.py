"""A run on the console: progress while it lasts, each failure afterwards, and one line in the end.

Knows rich. What is shown of a failure is `failure`'s; text of the system never reaches the markup.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from simulator.report import failure
from simulator.report.results import Result, Run, totals
from simulator.scenario.requirements import Requirement
from simulator.verdict import Outcome, Settlement

STYLES = {
    Outcome.PASS: "green",
    Outcome.ALTERNATIVE: "green",
    Outcome.WARN: "yellow",
    Outcome.UNSUPPORTED: "dim",
    Outcome.INCONCLUSIVE: "magenta",
    Outcome.FAIL: "bold red",
    Outcome.ERROR: "bold magenta",
}
#: More failures than these are named, and not shown in full.
SHOWN = 15


class _Console(Console):
    """Rich would end the program when nobody reads any more, amid whatever is at work."""

    def on_broken_pipe(self) -> None:
        """Called while the error is handled: let it go on to whoever knows what to end. Raises BrokenPipeError."""
        raise BrokenPipeError


class ConsoleReport:
    """Draws on `stream` (standard output when None): with a bar on a terminal, in plain lines elsewhere."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._console = _Console(file=stream or sys.stdout, highlight=False, markup=False, emoji=False)
        self._progress: Progress | None = None

        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task("playing", total=total)

    def __enter__(self) -> ConsoleReport:
        if self._progress:
            self._progress.start()

        return self

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()

    def played(self, result: Result) -> None:
        """One more is done."""
        outcome = result.verdict.outcome

        if self._progress is None:
            self._say(f"{outcome.value:<13}{result.scenario.id}  ({result.duration:.2f} s)", STYLES[outcome])
            return

        self._progress.update(self._task, advance=1)

        if outcome not in (Outcome.PASS, Outcome.ALTERNATIVE):
            self._say(f"{outcome.value:<13}{result.scenario.id}", STYLES[outcome])

    def failures(
        self,
        wanted: Sequence[Result],
        run: Run,
        requirements: Mapping[str, Requirement],
        scenarios: str = "",
    ) -> None:
        """Show each in full, up to a bound, and name the rest."""
        # Where nobody looks at a terminal, lines may be as long as the ladder likes.
        width = self._console.width if self._console.is_terminal else 132

        for result in wanted[:SHOWN]:
            self._say("")
            first, *rest = failure.lines(result, run, requirements, width, scenarios)
            self._say(first, STYLES[result.verdict.outcome])

            for line in rest:
                self._say(line)

        for result in wanted[SHOWN:]:
            self._say(
                f"{result.verdict.outcome.value:<13}{result.scenario.id}: {failure.again(result, run, scenarios)}"
            )

    def settled(self, settlement: Settlement) -> None:
        """What the ledger explains, and what it ought not to any more."""
        for verdict, entry in settlement.expected:
            self._say(f"expected     {verdict.scenario}: {entry.reason} ({entry.section})", "dim")

        for entry in settlement.stale:
            self._say(
                f"stale        {entry.scenario}: the ledger expects a failure that did not happen; remove the entry",
                "bold red",
            )

    def summary(
        self,
        run: Run,
        settlement: Settlement,
        journals: Path | None,
        keylog: Path | None = None,
        *,
        cut: bool,
        planned: int,
    ) -> None:
        """One line: totals, duration, where the journals are, and the TLS secrets where they are kept."""
        counts = ", ".join(f"{number} {name}" for name, number in totals(run.results).items()) or "nothing was played"
        system = f"{run.system} {run.version}".strip() + (f" with mutant {run.mutant}" if run.mutant else "")
        cutting = f"; interrupted, {planned - len(run.results)} not played" if cut else ""
        expected = f" ({len(settlement.expected)} expected by the ledger)" if settlement.expected else ""
        place = f"; journals in {journals}" if journals else ""
        secrets = f"; TLS secrets in {keylog}" if keylog else ""
        self._say("")
        self._say(f"{counts}{expected} on {system} in {run.duration:.1f} s{cutting}{place}{secrets}", "bold")

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)
