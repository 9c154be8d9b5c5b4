"""One failure as text: the claim, the rule, expected against seen, the exchange, the log, and how to see it again.

Knows verdicts and journals. Does not know colours nor terminals.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from simulator.report.escape import harmless, shortened
from simulator.report.ladder import draw
from simulator.report.results import Result, Run
from simulator.scenario.requirements import Requirement

LOG_LINES = 8
LABEL = 14


def lines(
    result: Result, run: Run, requirements: Mapping[str, Requirement], width: int, scenarios: str = ""
) -> Iterator[str]:
    """Everything that a reader needs to understand a verdict other than PASS."""
    verdict, scenario = result.verdict, result.scenario
    yield f"{verdict.outcome}  {scenario.id}"
    yield f"  {scenario.claim}"
    yield ""
    yield from _rules(result, requirements)

    if verdict.step is not None:
        yield _labelled(
            "step", f"{shortened(harmless(verdict.step.text), 400)}   ({scenario.file}:{verdict.step.line})"
        )

    if verdict.reason:
        yield _labelled("reason", harmless(verdict.reason))

    for label, text in (("at", verdict.path), ("expected", verdict.expected), ("seen", verdict.seen)):
        if text:
            yield _labelled(label, harmless(text))

    for note in verdict.notes:
        yield _labelled("note", harmless(note))

    for step, because in verdict.alternatives:
        yield _labelled("allowed", f"{harmless(step)}: {because}")

    yield from _evidence(result, width)
    yield _labelled("again", again(result, run, scenarios))


def again(result: Result, run: Run, scenarios: str = "") -> str:
    """The one command that plays it again."""
    words = ["s2sim", "run", result.scenario.id, "--system", run.system, "--seed", str(run.seed)]
    words += ["--mutant", run.mutant] if run.mutant else []
    words += ["--scenarios", scenarios] if scenarios else []

    return shlex.join(words)


def _rules(result: Result, requirements: Mapping[str, Requirement]) -> Iterator[str]:
    for identifier in result.verdict.broken or result.scenario.covers:
        rule = requirements.get(identifier)
        yield _labelled(identifier, f"{rule.level}, {rule.source}: {rule.sentence}" if rule else "")


def _evidence(result: Result, width: int) -> Iterator[str]:
    if result.entries:
        yield ""
        yield from (f"  {line}" for line in draw(result.entries, width=width - 2))

    log = [str(entry.data.get("text", "")) for entry in result.entries if entry.kind == "log"][-LOG_LINES:]

    if log:
        yield ""
        yield "  the system's last log lines"
        yield from (f"    {shortened(harmless(text), max(width, 40) - 4)}" for text in log)

    yield ""

    if result.journal:
        yield _labelled("journal", str(result.journal))


def _labelled(label: str, text: str) -> str:
    return f"  {label:<{LABEL}}{text}"
