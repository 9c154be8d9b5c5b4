"""Plays one scenario on one system and records it: the pure job (scenario, system, seed) -> journal.

Knows steps, deadlines and what a run may come to. Judges nothing: it asks `verdict` only whether to go on.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from simulator.document import DocumentError
from simulator.journal import Journal
from simulator.scenario.evidence import TEARDOWN
from simulator.scenario.model import Scenario, Step
from simulator.scenario.names import entropy
from simulator.scenario.steps import ENDS_THE_SYSTEM, VERBS
from simulator.verdict import does_not_apply, judge_step, stream_is_over
from simulator.world.acts.table import perform
from simulator.world.acts.users import come_to_rest
from simulator.world.casting import plan
from simulator.world.quirks import QuirkError
from simulator.world.seating import Seats
from simulator.world.stage import DeadlinePassed, NotPlayable, Seen, Stage, Unreached, Unsupported
from simulator.world.systems.system import NotInstalled, SettingsRefused, SystemFailed
from simulator.world.world import World

#: Seconds beyond its deadline after which a step that still has not ended is our own fault.
GRACE = 20.0


@dataclass(frozen=True)
class Outcome:
    """What a step came to: a name of `evidence.OUTCOMES`, and what it saw."""

    name: str
    seen: Seen


async def play(scenario: Scenario, seats: Seats) -> Journal:
    """Play a scenario; whatever goes wrong is in the journal. Raises NotInstalled, and CancelledError when cut."""
    journal = Journal(time.monotonic)
    seat = seats.seat
    system: dict[str, Any] = {"name": seat.name, "version": "", "capabilities": sorted(seat.capabilities)}
    head: dict[str, Any] = {"scenario": scenario.id, "seed": seats.seed, "system": system, "cast": {}}
    journal.record("run", "runner", **head)

    if not scenario.needs <= seat.capabilities:
        return journal

    try:
        planned = plan(scenario, seats.seed, shared=seat.shared)
        journal.entries[0].data["cast"] = planned.cast

        async with World(scenario, planned, seats, journal) as world:
            system["version"] = world.system.version
            source = entropy(seats.seed, scenario.id, "steps")
            stage = Stage(scenario, world, journal, planned.cast, source, world.partners, world.users)
            reached_the_end = await _perform_all(stage)
            _record_teardown(stage, await come_to_rest(stage) if reached_the_end else [])
    except (SettingsRefused, SystemFailed) as error:
        journal.record("problem", "system", text=str(error))
    except (OSError, DocumentError, QuirkError) as error:
        journal.record("problem", "runner", text=f"the world did not come up: {error}")
    except NotInstalled:
        raise
    except Exception as error:
        journal.record("problem", "runner", text=f"{type(error).__name__}: {error}")

    return journal


async def _perform_all(stage: Stage) -> bool:
    """Play step after step; false: one of them ended the play."""
    over: set[tuple[str, str]] = set()
    may_end, negotiated = False, ""

    for step in stage.scenario.all_steps:
        if stream_is_over(step, over) or does_not_apply(step, negotiated):
            outcome = Outcome("skipped", Seen())
        else:
            may_end = (may_end or step.verb in ENDS_THE_SYSTEM) and step.verb != "starts"
            outcome = await _perform(stage, step, may_end=may_end)

        stage.captures.update(outcome.seen.captures)
        record = {"outcome": outcome.name, "seen": outcome.seen.data}
        verdict = judge_step(step, record, stage.captures, stage.cast)
        stage.captures.update(verdict.captures)
        negotiated = verdict.negotiated or negotiated
        _record(stage, step, outcome)

        if verdict.ends_stream:
            over.add((step.actor, step.label))
        elif VERBS[step.verb].opens:
            over.discard((step.actor, step.label))

        if not verdict.goes_on:
            return False

    return True


async def _perform(stage: Stage, step: Step, *, may_end: bool) -> Outcome:
    """Play one step, unless the system dies under it."""
    system = stage.world.system
    act = asyncio.ensure_future(_attempt(stage, step))
    death = asyncio.ensure_future(system.died.wait())

    try:
        await asyncio.wait([act, death], timeout=stage.deadline(step) + GRACE, return_when=asyncio.FIRST_COMPLETED)

        if act.done():
            return act.result()

        if death.done() and may_end:
            return await act

        if death.done():
            stage.journal.record("problem", "system", text=system.cause_of_death)
            return Outcome("problem", Seen({"text": f"the system died: {system.cause_of_death}"}))

        text = f"the step did not end {GRACE:g} s after its deadline"
        stage.journal.record("problem", "runner", text=text)

        return Outcome("problem", Seen({"text": text}))
    finally:
        await _put_away(act, death)


async def _attempt(stage: Stage, step: Step) -> Outcome:
    try:
        return Outcome("done", await perform(stage, step))
    except DeadlinePassed as passed:
        return Outcome("deadline", Seen({"waiting_for": passed.waiting_for, "within": stage.deadline(step)}))
    except Unsupported as lacking:
        return Outcome("unsupported", Seen({"capability": str(lacking)}))
    except Unreached as why:
        return Outcome("unreached", Seen({"why": str(why)}))
    except SystemFailed as failed:
        # Its own doing, unlike any other problem: it goes on record as the system's.
        stage.journal.record("problem", "system", text=str(failed))
        return Outcome("problem", Seen({"text": str(failed)}))
    except NotPlayable as error:
        return Outcome("problem", Seen({"text": str(error)}))
    except Exception as error:
        return Outcome("problem", Seen({"text": f"{type(error).__name__}: {error}"}))


async def _put_away(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()

    await asyncio.wait(tasks)


def _record(stage: Stage, step: Step, outcome: Outcome) -> None:
    stage.journal.record(
        "step",
        step.actor,
        step.label,
        index=step.index,
        part=step.part,
        text=step.text,
        outcome=outcome.name,
        seen=outcome.seen.data,
        consumed=list(outcome.seen.consumed),
        captures=dict(stage.captures),
    )


def _record_teardown(stage: Stage, consumed: list[int]) -> None:
    stage.journal.record("step", part=TEARDOWN, index=0, outcome="done", seen={}, consumed=consumed, captures={})
