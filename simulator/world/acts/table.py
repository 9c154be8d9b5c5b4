"""Every verb and how it is played.

Knows where each is. Plug-ins add theirs with `register`.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.scenario.model import Step
from simulator.world.acts import (
    administration,
    hello,
    liveness,
    names,
    negotiation,
    partners,
    presence,
    streams,
    subscriptions,
    surroundings,
    trust,
    users,
)
from simulator.world.stage import Act, NotPlayable, Seen, Stage

QUIET, RECEIVES = "has received nothing", "receives"


async def _has_received_nothing(stage: Stage, step: Step) -> Seen:
    """A person and a domain prove it in different ways."""
    act = users.ACTS[QUIET] if "@" in step.actor else streams.ACTS[QUIET]

    return await act(stage, step)


async def _receives(stage: Stage, step: Step) -> Seen:
    """A person has an inbox, a domain its streams."""
    return await (users.receives if "@" in step.actor else streams.receives)(stage, step)


ACTS: dict[str, Act] = {
    **administration.ACTS,
    **hello.ACTS,
    **liveness.ACTS,
    **names.ACTS,
    **negotiation.ACTS,
    **partners.ACTS,
    **presence.ACTS,
    **streams.ACTS,
    **subscriptions.ACTS,
    **surroundings.ACTS,
    **trust.ACTS,
    **users.ACTS,
    QUIET: _has_received_nothing,
    RECEIVES: _receives,
}


def register(acts: Mapping[str, Act]) -> None:
    """Add the acts of a plug-in; raises ValueError for a verb that is played already."""
    for verb, act in acts.items():
        if verb in ACTS:
            raise ValueError(f"{verb!r} is played already")

        ACTS[verb] = act


async def perform(stage: Stage, step: Step) -> Seen:
    """Play one step; raises what acts raise (see `stage.Act`)."""
    act = ACTS.get(step.verb)

    if act is None:
        raise NotPlayable(f"nobody knows how to play {step.verb!r}")

    return await act(stage, step)
