"""What one step came to: expected against seen, then levels, alternatives and deadlines.

Pure: the runner asks it to know whether to go on, `judge` asks it again when it reads the journal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from simulator.scenario.match import Mismatch
from simulator.scenario.model import Step
from simulator.scenario.names import recast
from simulator.scenario.steps import VERBS
from simulator.verdict.compare import JUDGES, describe, tcp_note
from simulator.verdict.negotiation import sort_of_seen
from simulator.verdict.outcome import Outcome, StepVerdict

SILENCE = "has received nothing"

#: What a mismatch is, by the level of the step.
LEVELS = {"must": Outcome.FAIL, "should": Outcome.WARN, "may": Outcome.ALTERNATIVE}


def judge_step(
    step: Step,
    record: Mapping[str, Any],
    captures: Mapping[str, str],
    cast: Mapping[str, str] | None = None,
) -> StepVerdict:
    """Judge one step by its record: the data of its `step` entry, of which ``outcome`` and ``seen`` are read.

    `captures` holds the names known before it, `cast` maps the scenario's names to the real ones. Whether something
    arrived that nobody announced, and whether a quiet is proven, only the journal tells: `judge`.
    """
    outcome, seen = str(record.get("outcome", "done")), record.get("seen") or {}

    if outcome == "problem":
        return StepVerdict(outcome=Outcome.ERROR, reason=_line(seen.get("text") or "the step could not be played"))

    if outcome == "unsupported":
        return StepVerdict(outcome=Outcome.UNSUPPORTED, reason=f"the system lacks: {seen.get('capability', '?')}")

    if outcome == "unreached":
        return StepVerdict(outcome=Outcome.INCONCLUSIVE, reason=_line(seen.get("why") or "the step could not begin"))

    if outcome == "skipped":
        return StepVerdict(outcome=Outcome.PASS)

    if outcome not in ("done", "deadline"):
        return StepVerdict(outcome=Outcome.ERROR, reason=f"no outcome of a step is called {outcome!r}")

    verdict = _late(step, seen) if outcome == "deadline" else _compare(step, seen, captures, cast or {})

    negotiated = sort_of_seen(seen) if VERBS[step.verb].expects == "negotiation" else ""

    return msgspec.structs.replace(_as_precondition(step, verdict), negotiated=negotiated)


def stream_is_over(step: Step, over: Collection[tuple[str, str]]) -> bool:
    """Whether `step` is to be skipped, for an alternative ended its stream: `over` holds (actor, label) of those."""
    verb = VERBS[step.verb]

    return verb.stream and not verb.opens and step.verb != SILENCE and (step.actor, step.label) in over


def does_not_apply(step: Step, negotiated: str) -> bool:
    """Whether `step` is to be skipped, for it is about the other outcome of the negotiation."""
    return bool(step.when) and step.when != negotiated


def _compare(step: Step, seen: Mapping[str, Any], captures: Mapping[str, str], cast: Mapping[str, str]) -> StepVerdict:
    verb = VERBS[step.verb]
    argument = recast(step.argument if step.argument is not None else verb.default, cast)
    learned = dict(captures)
    found = JUDGES[verb.expects](argument, seen, learned)

    if found is None:
        note = tcp_note(argument, seen)
        return StepVerdict(outcome=Outcome.PASS, captures=_new(learned, captures), notes=(note,) if note else ())

    for other in step.alternatives:
        learned = dict(captures)
        expects = VERBS[other.verb].expects

        if not _compares(expects):
            continue

        if JUDGES[expects](recast(other.argument, cast), seen, learned) is None:
            return StepVerdict(
                outcome=Outcome.ALTERNATIVE,
                reason=f"{describe(seen)} is also allowed: {other.because}",
                because=other.because,
                captures=_new(learned, captures),
                ends_stream=expects == "end" and verb.expects != "end",
            )

    return _mismatch(step, found, seen)


def _compares(expects: str) -> bool:
    """Whether a judge compares anything by itself: an alternative of silence must not fit whatever arrived."""
    return expects not in ("quiet", "nothing", "started", "connection", "uncontacted", "no-query")


def _late(step: Step, seen: Mapping[str, Any]) -> StepVerdict:
    verb = VERBS[step.verb]
    waiting_for = str(seen.get("waiting_for") or step.text)
    within = f" within {seen['within']} s" if "within" in seen else " in time"
    reason = f"nothing arrived{within}; waiting for {waiting_for}"

    for other in step.alternatives:
        if other.verb == SILENCE:
            return StepVerdict(
                outcome=Outcome.ALTERNATIVE, reason=f"silence is also allowed: {other.because}", because=other.because
            )

    if verb.expects in ("quiet", "uncontacted", "no-query"):
        # The exchange that should have proven the quiet did not come back: nothing is known.
        return StepVerdict(outcome=Outcome.INCONCLUSIVE, reason=reason)

    # A stream that should have come, and did not, has no later steps.
    outcome, over = LEVELS[step.level], verb.opens
    return StepVerdict(outcome=outcome, reason=reason, expected=waiting_for, seen="nothing", ends_stream=over)


def _mismatch(step: Step, found: Mismatch, seen: Mapping[str, Any]) -> StepVerdict:
    return StepVerdict(
        outcome=LEVELS[step.level],
        reason=_line(str(found)),
        path=found.path,
        expected=found.expected,
        seen=describe(seen),
        because="a MAY: the text leaves it open" if step.level == "may" else "",
    )


def _as_precondition(step: Step, verdict: StepVerdict) -> StepVerdict:
    """A precondition that is not met makes the claim undecided, whoever is to blame."""
    if step.part != "given" or verdict.outcome is not Outcome.FAIL:
        return verdict

    return StepVerdict(
        outcome=Outcome.INCONCLUSIVE,
        reason=f"the precondition was not reached: {verdict.reason}",
        path=verdict.path,
        expected=verdict.expected,
        seen=verdict.seen,
    )


def _new(learned: Mapping[str, str], captures: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in learned.items() if name not in captures}


def _line(text: str) -> str:
    return " ".join(str(text).split())
