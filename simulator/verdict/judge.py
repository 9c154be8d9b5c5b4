"""A whole journal against its scenario: the verdict of one run.

Knows what outweighs what. Single steps are `step`'s, arrivals are `arrivals`'. The same journal gives the same verdict,
today and when it is read again from a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from simulator.journal import Entry
from simulator.scenario.evidence import TEARDOWN, StepRecord
from simulator.scenario.match import names_in
from simulator.scenario.model import Scenario, Step
from simulator.scenario.steps import VERBS
from simulator.verdict.arrivals import Evidence
from simulator.verdict.outcome import Outcome, StepVerdict, Verdict, worst_of
from simulator.verdict.step import LEVELS, does_not_apply, judge_step, stream_is_over

LAST_LOG_LINES = 5

Judged = list[tuple[Step, StepVerdict]]


def judge(scenario: Scenario, entries: Sequence[Entry]) -> Verdict:
    """Return the verdict of one run of `scenario`.

    What decides is the first thing in time that went wrong. Our own fault before it makes the run worthless (ERROR);
    the death of the system is its failure, even where it only spoilt a precondition; an arrival that nobody announced
    fails what would have passed; a fault that did not fire, or a run that was cut, never passes.
    """
    complaint = _unreadable(scenario, entries)

    if complaint:
        return Verdict(scenario=scenario.id, outcome=Outcome.ERROR, reason=complaint)

    try:
        return _judge(scenario, entries)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Entries are plain JSON, and a file may hold any: a list where a name belongs must not end the whole run.
        reason = f"the journal cannot be judged: {type(error).__name__}: {error}"
        return Verdict(scenario=scenario.id, outcome=Outcome.ERROR, reason=reason)


def _judge(scenario: Scenario, entries: Sequence[Entry]) -> Verdict:
    evidence = Evidence(scenario, entries)
    missing = scenario.needs - _capabilities(scenario, entries)

    if missing:
        reason = f"the system lacks: {', '.join(sorted(missing))}"
        return Verdict(scenario=scenario.id, outcome=Outcome.UNSUPPORTED, reason=reason)

    judged = _steps(evidence)
    decisive = next((pair for pair in judged if not pair[1].goes_on), None)
    moment = evidence.number(decisive[0]) if decisive else None
    death = _death(evidence)
    trouble = _trouble(evidence)

    if trouble is not None and trouble < min(_or_end(moment, entries), _or_end(death, entries)):
        return _verdict(evidence, judged, Outcome.ERROR, _text(entries[trouble]))

    if death is not None and (decisive is None or decisive[1].outcome is not Outcome.FAIL):
        return _verdict(evidence, judged, Outcome.FAIL, _obituary(evidence, death), broken=scenario.covers)

    if decisive is not None:
        return _decided(evidence, judged, decisive, death)

    return _undisturbed(evidence, judged)


def _unreadable(scenario: Scenario, entries: Sequence[Entry]) -> str:
    if not entries or entries[0].kind != "run":
        return "the journal is empty" if not entries else "the journal does not begin with its run"

    played = entries[0].data.get("scenario", scenario.id)

    if played != scenario.id:
        return f"this is the journal of {played}"

    for number, entry in enumerate(entries):
        if entry.kind == "step" and not _is_record(entry.data, len(entries)):
            return f"entry {number} of the journal is no record of a step"

    return ""


def _is_record(data: dict[str, Any], length: int) -> bool:
    try:
        record = msgspec.convert(data, StepRecord)
    except msgspec.ValidationError:
        return False

    return all(0 <= number < length for number in record.consumed)


def _capabilities(scenario: Scenario, entries: Sequence[Entry]) -> frozenset[str]:
    """What the system declared; a journal that does not say is that of a system that was not asked."""
    system = entries[0].data.get("system")
    declared = system.get("capabilities") if isinstance(system, dict) else None

    return scenario.needs if declared is None else frozenset(declared)


def _steps(evidence: Evidence) -> Judged:
    """Judge step after step, up to the first that stops the scenario or was not played."""
    captures: dict[str, str] = dict(evidence.entries[0].data.get("captures") or {})
    over: set[tuple[str, str]] = set()
    negotiated = ""
    judged: Judged = []

    for step in evidence.scenario.all_steps:
        number = evidence.number(step)

        if number is None:
            break

        rightly_skipped = stream_is_over(step, over) or does_not_apply(step, negotiated)
        verdict = _step(evidence, step, evidence.entries[number].data, captures, rightly_skipped=rightly_skipped)
        judged.append((step, verdict))

        if not verdict.goes_on:
            break

        captures |= verdict.captures | (evidence.entries[number].data.get("captures") or {})
        negotiated = verdict.negotiated or negotiated

        if verdict.ends_stream:
            over.add((step.actor, step.label))
        elif VERBS[step.verb].opens:
            over.discard((step.actor, step.label))

    return judged


def _step(
    evidence: Evidence, step: Step, data: dict[str, Any], captures: dict[str, str], *, rightly_skipped: bool
) -> StepVerdict:
    outcome = str(data.get("outcome"))

    if outcome == "skipped" and not rightly_skipped:
        return StepVerdict(outcome=Outcome.ERROR, reason="the step was skipped, and nothing had ended its stream")

    # What the act itself learned was known when the step was judged; what its own patterns capture was not.
    own = names_in([step.argument, *(other.argument for other in step.alternatives)])
    recorded: dict[str, str] = data.get("captures") or {}
    known = captures | {name: value for name, value in recorded.items() if name not in own}

    verdict = judge_step(step, data, known, evidence.cast)

    # What is allowed besides must be on record like what is right: a report alone proves no method.
    good = (Outcome.PASS, Outcome.ALTERNATIVE) if VERBS[step.verb].expects == "negotiation" else (Outcome.PASS,)

    if verdict.outcome not in good or outcome == "skipped":
        return verdict

    found = _by_the_journal(evidence, step, data.get("seen") or {})

    return msgspec.structs.replace(found, negotiated=verdict.negotiated) if found else verdict


def _by_the_journal(evidence: Evidence, step: Step, seen: Mapping[str, Any]) -> StepVerdict | None:
    """What only the journal can say about a step; None: nothing against it."""
    verb = VERBS[step.verb]
    found = ""

    if verb.expects == "quiet":
        found = next(evidence.unannounced(evidence.number(step) or 0, step), "")
    elif verb.expects == "uncontacted" and evidence.contacts(step) > 0:
        more = f" at {step.argument}" if step.argument else ", more than steps accepted"
        found = f"{step.actor} was contacted {evidence.contacts(step)} time(s){more}"
    elif verb.expects == "no-query":
        asked = next(evidence.questions(step), "")
        found = f"the name server was asked {asked}" if asked else ""
    elif verb.expects == "negotiation":
        found = next(evidence.contradictions(step, seen), "")

    if found:
        outcome = Outcome.INCONCLUSIVE if step.part == "given" else LEVELS[step.level]
        return StepVerdict(outcome=outcome, reason=_line(found), expected=step.text, seen=found)

    if verb.proof and not evidence.is_proven(step):
        return StepVerdict(outcome=Outcome.INCONCLUSIVE, reason=f"nothing proves that {step.text}")

    return None


def _death(evidence: Evidence) -> int | None:
    """The number of the entry that reports an end of the system which no step announced."""
    for number, entry in enumerate(evidence.entries):
        if entry.kind == "problem" and entry.actor == "system" and not evidence.end_was_announced(number):
            return number

    return None


def _trouble(evidence: Evidence) -> int | None:
    """The number of the first entry that reports a fault of our own."""
    for number, entry in enumerate(evidence.entries):
        if entry.kind == "problem" and entry.actor != "system":
            return number

    return None


def _or_end(number: int | None, entries: Sequence[Entry]) -> int:
    return len(entries) if number is None else number


def _decided(evidence: Evidence, judged: Judged, decisive: tuple[Step, StepVerdict], death: int | None) -> Verdict:
    step, verdict = decisive
    trouble = _trouble(evidence)
    afterwards = [_obituary(evidence, death)] if death is not None else []
    afterwards += [f"our own fault, later: {_text(evidence.entries[trouble])}"] if trouble is not None else []
    afterwards += list(evidence.unannounced(evidence.number(step) or 0))[:3]
    result = _verdict(evidence, judged, verdict.outcome, verdict.reason, step, tuple(afterwards))

    return msgspec.structs.replace(result, path=verdict.path, expected=verdict.expected, seen=verdict.seen)


def _undisturbed(evidence: Evidence, judged: Judged) -> Verdict:
    """Every step that was played went well: was everything played, and did nothing else happen?"""
    closing = _teardown(evidence)
    unannounced = list(evidence.unannounced(_or_end(closing, evidence.entries)))

    if unannounced:
        return _verdict(
            evidence,
            judged,
            Outcome.FAIL,
            _line(unannounced[0]),
            None,
            tuple(unannounced[1:4]),
            evidence.scenario.covers,
        )

    if closing is None or len(judged) < len(evidence.scenario.all_steps) or not judged:
        last = f"after {judged[-1][0].text!r}" if judged else "before its first step"
        return _verdict(evidence, judged, Outcome.ERROR, f"the run was cut {last}")

    unfired = evidence.unfired_faults()

    if unfired:
        return _verdict(evidence, judged, Outcome.INCONCLUSIVE, f"the fault did not fire: {', '.join(unfired)}")

    worst = worst_of(verdict.outcome for _, verdict in judged)

    if worst is Outcome.PASS:
        return _verdict(evidence, judged, worst, "")

    step, verdict = next(pair for pair in judged if pair[1].outcome is worst)
    result = _verdict(evidence, judged, worst, verdict.reason, step)

    return msgspec.structs.replace(result, path=verdict.path, expected=verdict.expected, seen=verdict.seen)


def _teardown(evidence: Evidence) -> int | None:
    return next((number for (part, _), number in evidence.steps.items() if part == TEARDOWN), None)


def _verdict(
    evidence: Evidence,
    judged: Judged,
    outcome: Outcome,
    reason: str,
    step: Step | None = None,
    notes: tuple[str, ...] = (),
    broken: tuple[str, ...] = (),
) -> Verdict:
    if outcome in (Outcome.FAIL, Outcome.WARN) and step is not None:
        broken = step.covers or evidence.scenario.covers

    return Verdict(
        scenario=evidence.scenario.id,
        outcome=outcome,
        reason=reason,
        step=step,
        broken=broken,
        alternatives=tuple((one.text, verdict.because) for one, verdict in judged if verdict.because),
        notes=(*(note for _, verdict in judged for note in verdict.notes), *notes),
    )


def _obituary(evidence: Evidence, death: int) -> str:
    lines = evidence.log_lines(LAST_LOG_LINES)
    log = f"; its last log lines: {' | '.join(map(_line, lines))}" if lines else ""

    return f"the system failed: {_text(evidence.entries[death])}{log}"


def _text(entry: Entry) -> str:
    return _line(str(entry.data.get("text") or "no reason is on record"))


def _line(text: str) -> str:
    return " ".join(text.split())
