"""How the steps of the administrator, and those about the system's processes, are played.

Knows verbs and what each reports. Does not know what commands mean, nor judge what was seen: that is `verdict`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from simulator.scenario.model import Step
from simulator.world.acts.users import take_arrival
from simulator.world.stage import Act, Seen, Stage, Unsupported

#: Seconds at least: a command may have to end processes, and a process may have to load.
PATIENCE = 15.0


async def runs(stage: Stage, step: Step) -> Seen:
    """Type commands; what the shell says arrives in its order, as `output` or `error`."""
    run: Callable[[str], Awaitable[Sequence[tuple[str, str]]]] = _of_system(stage, "run_commands", "cmdlets")

    async with stage.within(step, "the commands to end", least=PATIENCE):
        for what, text in await run(stage.fill(str(step.argument))):
            stage.world.administrator.arrived(what, text=text)

    return Seen()


async def is_told(stage: Stage, step: Step) -> Seen:
    """Take the next thing that the shell said."""
    return await take_arrival(stage, step, "something that the shell says", stage.world.administrator)


def _process(method: str) -> Act:
    """An act that is one method of the system, about one of its processes."""

    async def act(stage: Stage, step: Step) -> Seen:
        change: Callable[[str], Awaitable[None]] = _of_system(stage, method, "processes")

        async with stage.within(step, f"the process {step.argument}", least=PATIENCE):
            await change(stage.fill(str(step.argument)))

        return Seen()

    return act


def _of_system(stage: Stage, name: str, capability: str) -> Any:
    found = getattr(stage.world.system, name, None)

    if found is None:
        raise Unsupported(capability)

    return found


ACTS: dict[str, Act] = {
    "runs": runs,
    "is told": is_told,
    "process is killed": _process("kill_process"),
    "process stops": _process("stop_process"),
    "process starts": _process("start_process"),
}
