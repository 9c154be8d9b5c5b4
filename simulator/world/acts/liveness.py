"""How the steps about connections that die, and about how much reaches a person, are played.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

from simulator.scenario.liveness_steps import DEAD, RESET
from simulator.scenario.model import Step
from simulator.scenario.names import recast
from simulator.scenario.news import bare
from simulator.wire.rough import be_deaf, narrow
from simulator.world.acts.settling import settle
from simulator.world.acts.streams import mapping, partner_of
from simulator.world.stage import Act, Seen, Stage
from simulator.world.users.user import PRESENCE


async def loses_its_connections(stage: Stage, step: Step) -> Seen:
    """End every connection of a partner, whoever opened it."""
    for stream in tuple(partner_of(stage, step).open_streams):
        if step.argument == DEAD:
            be_deaf(stream.connection)
        else:
            stream.drop(RESET)

    return Seen()


async def stops_reading(stage: Stage, step: Step) -> Seen:
    """Let what the system sends lie, and tell it soon to send no more."""
    for stream in tuple(partner_of(stage, step).open_streams):
        if not stream.dialed:
            narrow(stream.connection)
            stream.connection.pause_reading()

    return Seen()


async def has_received_at_most(stage: Stage, step: Step) -> Seen:
    """Count the presences that have reached a user, once everything sent before has been read."""
    consumed = tuple(await settle(stage))
    given = recast(mapping(step), stage.cast)
    sender = bare(str(given.get("from", "")))
    found = [
        entry
        for entry in stage.journal.entries
        if entry.kind == "delivered"
        and entry.actor == stage.user(step.actor).address
        and entry.data.get("what") == PRESENCE
        and (not sender or bare(str(entry.data.get("from", ""))) == sender)
    ]

    return Seen({"presences": len(found)}, consumed)


ACTS: dict[str, Act] = {
    "loses its connections": loses_its_connections,
    "stops reading": stops_reading,
    "has received at most": has_received_at_most,
}
