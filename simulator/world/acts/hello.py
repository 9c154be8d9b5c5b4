"""How the steps about a ClientHello by hand are played.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from simulator.scenario.model import Step
from simulator.wire.rough import write_beside
from simulator.world.acts.streams import ended, fill_values, mapping, stream_of
from simulator.world.partner.answer import Answer
from simulator.world.partner.hello import client_hello
from simulator.world.stage import Act, NotPlayable, Seen, Stage


async def sends_a_client_hello(stage: Stage, step: Step) -> Seen:
    """A ClientHello and nothing after it; what comes is no XMPP from here on."""
    stream = stream_of(stage, step)

    try:
        data = client_hello(fill_values(stage, mapping(step)), stage.entropy.randbytes(64))
    except ValueError as error:
        raise NotPlayable(f"this is no ClientHello: {error}") from None

    stream.on_bytes = Answer()
    stage.journal.record_bytes("sent", stream.actor, stream.label, data)
    write_beside(stream.connection, data)

    return Seen()


async def receives_a_tls_answer(stage: Stage, step: Step) -> Seen:
    """A ServerHello, or the end of the connection and the alert before it."""
    stream = stream_of(stage, step)
    answer = stream.on_bytes

    if not isinstance(answer, Answer):
        raise NotPlayable("nothing was sent in place of a handshake")

    async with stage.within(step, "an answer to what was sent in place of a handshake"):
        waiting = [asyncio.ensure_future(answer.hello.wait()), asyncio.ensure_future(stream.ended())]

        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

            with suppress(asyncio.CancelledError):
                await asyncio.gather(*waiting)

    entry = stream.ending.entry

    return Seen(
        {"answer": answer.seen(), **({"ended": ended(stream.ending)} if stream.over else {})},
        () if entry is None else (entry,),
    )


ACTS: dict[str, Act] = {
    "sends a ClientHello": sends_a_client_hello,
    "receives a TLS answer": receives_a_tls_answer,
}
