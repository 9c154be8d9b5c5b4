"""``s2sim compare``: several runs side by side.

Knows options. What is compared, and how it is shown, is `report.comparison`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.lookup import WrongUse


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, or their run.json.")],
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Print a table of families and runs instead, in Markdown.")
    ] = False,
) -> int:
    """Compare the verdicts of runs: exit 1 if any scenario differs (two seeds, two versions, two systems)."""
    from simulator.report import comparison
    from simulator.report.comparison import UnreadableRun, read_run

    if len(runs) == 1 and not matrix:
        raise WrongUse("one run differs from nothing; name another one, or ask for its --matrix")

    try:
        saved = [read_run(one) for one in runs]
    except UnreadableRun as error:
        raise WrongUse(str(error)) from None

    for line in comparison.matrix(saved) if matrix else comparison.comparison(saved):
        print(line)

    return int(not matrix and bool(comparison.differences(saved)))
