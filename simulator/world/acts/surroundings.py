"""How the steps about the system itself are played: starting, stopping, and its link.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from simulator.scenario.model import Step
from simulator.world.stage import Act, Seen, Stage, Unreached, Unsupported
from simulator.world.systems.system import SettingsRefused

#: A system gets more time for these than a message does: it may be a process that has to load.
START = 15.0


async def starts(stage: Stage, step: Step) -> Seen:
    """Start it, and be told when it is ready."""
    try:
        await _bounded(stage, step, stage.world.start_system, "the system to be ready")
    except SettingsRefused as error:
        raise Unreached(f"the system refuses its settings: {error}") from None

    return Seen()


async def refuses_its_settings(stage: Stage, step: Step) -> Seen:
    """Try to start it, and keep what it says against it."""
    try:
        await _bounded(stage, step, stage.world.start_system, "the system to refuse its settings")
    except SettingsRefused as error:
        return Seen({"refusal": str(error)})

    return Seen()


async def stops(stage: Stage, step: Step) -> Seen:
    """End it, and wait until it has."""
    await _bounded(stage, step, stage.world.stop_system, "the system to end")

    return Seen()


async def is_told_to_shut_down(stage: Stage, step: Step) -> Seen:
    """Ask it to end in order; the steps that follow see how it does."""
    stage.world.beside(asyncio.ensure_future(stage.world.system.shut_down()))

    return Seen()


async def has_its_certificate_renewed(stage: Stage, step: Step) -> Seen:
    """Exchange what is in the files of its certificates; whether it reads them again is its own business."""
    stage.world.seated.ground.authority.renew()

    return Seen()


async def link_goes_down(stage: Stage, step: Step) -> Seen:
    """Cut front end and edge apart."""
    await _bounded(stage, step, _of_system(stage, "cut_link"), "the link to go down")

    return Seen()


async def link_comes_up(stage: Stage, step: Step) -> Seen:
    """Let front end and edge meet, and wait until they have."""
    await _bounded(stage, step, _of_system(stage, "mend_link"), "the link to come up")

    return Seen()


async def _bounded(stage: Stage, step: Step, work: Callable[[], Awaitable[None]], waiting_for: str) -> None:
    async with stage.within(step, waiting_for, least=START):
        await work()


def _of_system(stage: Stage, name: str) -> Callable[[], Awaitable[None]]:
    found: Callable[[], Awaitable[None]] | None = getattr(stage.world.system, name, None)

    if found is None:
        raise Unsupported("link")

    return found


ACTS: dict[str, Act] = {
    "starts": starts,
    "refuses its settings": refuses_its_settings,
    "stops": stops,
    "is told to shut down": is_told_to_shut_down,
    "has its certificate renewed": has_its_certificate_renewed,
    "link goes down": link_goes_down,
    "link comes up": link_comes_up,
}
