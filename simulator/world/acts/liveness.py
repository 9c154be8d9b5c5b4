"""How the steps about connections that die, what is sent to find out, and how much reaches a person, are played.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

import asyncio

from simulator.journal import Entry
from simulator.scenario.liveness_steps import DEAD, NONE, RESET
from simulator.scenario.model import Step
from simulator.scenario.names import recast
from simulator.scenario.news import bare
from simulator.wire.connection import Connection
from simulator.wire.rough import be_deaf, make_room
from simulator.world.acts.settling import settle
from simulator.world.acts.streams import ended, mapping, partner_of, stream_of
from simulator.world.partner.stream import PartnerStream
from simulator.world.stage import Act, Seen, Stage
from simulator.world.users.user import PRESENCE

#: Seconds after which the stream is looked at again: what is no element wakes nobody up.
AGAIN = 0.01
#: Octets that are taken without being read.
LITTLE = 4096


async def loses_its_connections(stage: Stage, step: Step) -> Seen:
    """End every connection of a partner, whoever opened it."""
    for stream in tuple(partner_of(stage, step).open_streams):
        if step.argument == DEAD:
            be_deaf(stream.connection)
            # It is of no use to the partner either.
            stream.verified.clear()
        else:
            stream.drop(RESET)

    return Seen()


async def stops_reading(stage: Stage, step: Step) -> Seen:
    """Let what the system sends lie, and tell it soon to send no more."""
    seconds, times = mapping(step).get("seconds"), int(mapping(step).get("times", 1))

    for stream in tuple(partner_of(stage, step).open_streams):
        if not stream.dialed:
            make_room(stream.connection, LITTLE)
            stream.connection.pause_reading()

            if seconds is not None:
                _read_later(stream.connection, float(seconds), times)

    return Seen()


def _read_later(connection: Connection, seconds: float, times: int) -> None:
    """Read what there is room for whenever so many seconds have gone by, and from the last time on as it comes."""
    loop = asyncio.get_running_loop()

    def read(left: int) -> None:
        connection.resume_reading()

        if left > 1:
            # The loop reads once between the two turns.
            loop.call_soon(loop.call_soon, connection.pause_reading)
            loop.call_later(seconds, read, left - 1)

    loop.call_later(seconds, read, times)


async def receives_white_space(stage: Stage, step: Step) -> Seen:
    """Wait for the next of it; or look at what has come, where there must be none."""
    stream = stream_of(stage, step)

    if step.argument == NONE:
        return Seen({"white_space": bool(_white_space(stage, stream))})

    known, began = _white_space(stage, stream), stage.journal.entries[-1].at

    async with stage.within(step, "white space between elements"):
        while len(found := _white_space(stage, stream)) == len(known):
            if stream.over:
                return Seen({"ended": ended(stream.ending)})

            await asyncio.sleep(AGAIN)

    return Seen({"white_space": True, "after": found[len(known)] - (known[-1] if known else began)})


def _white_space(stage: Stage, stream: PartnerStream) -> list[float]:
    """When white space has come by itself, which is between elements."""
    return [
        entry.at
        for entry in stage.journal.entries
        if entry.kind == "received"
        and entry.actor == stream.actor
        and entry.stream == stream.label
        and str(entry.data.get("text") or "x").isspace()
    ]


async def has_received_at_most(stage: Stage, step: Step) -> Seen:
    """Count the presences that have reached a user, once everything sent before has been read."""
    consumed = tuple(await settle(stage))
    given = recast(mapping(step), stage.cast)
    sender = str(given.get("from", "")).lower()
    found = [
        entry
        for entry in stage.journal.entries
        if entry.kind == "delivered"
        and entry.actor == stage.user(step.actor).address
        and entry.data.get("what") == PRESENCE
        and (not sender or sender in _names(entry))
    ]

    return Seen({"presences": len(found)}, consumed)


def _names(delivered: Entry) -> tuple[str, str]:
    """Whom a stanza may be said to be from: that device, and its contact."""
    sender = str(delivered.data.get("from", ""))

    return sender.lower(), bare(sender)


ACTS: dict[str, Act] = {
    "loses its connections": loses_its_connections,
    "stops reading": stops_reading,
    "receives white space": receives_white_space,
    "has received at most": has_received_at_most,
}
