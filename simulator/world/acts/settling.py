"""One more exchange on the scenario's own streams: what came before it has been read, what was sent before it is here.

Knows which streams can be asked for it. Judges nothing; what cannot be asked is left as it is.
"""

from __future__ import annotations

from contextlib import suppress

from simulator.scenario.model import Scenario
from simulator.world.acts.barriers import barrier
from simulator.world.acts.streams import target
from simulator.world.pace import bounded
from simulator.world.partner.partner import Partner
from simulator.world.partner.stream import PartnerStream, StreamOver
from simulator.world.stage import Stage

#: Seconds for the exchange on one stream. A system that does not answer is no finding here: no step asked it to.
PATIENCE = 0.5

#: After these a control question would not stand on its own, or would find nobody.
NO_MORE_QUESTIONS = frozenset(
    {"sends bytes", "closes the stream", "drops the connection", "is disconnected", "breaks TLS"}
)


async def settle(stage: Stage) -> list[int]:
    """Have one exchange on every open stream that a step dialled; return the entries that it accounts for.

    Where people use presence, which nothing acknowledges, also on the streams on which their own stanzas have left.
    Without it an element that follows the last step by a millisecond would be seen in one run and missed in another,
    and a stanza that the system has not read yet would pass for one that it has refused.
    """
    consumed: list[int] = []

    for name, partner in stage.partners.items():
        for label, stream in partner.streams.items():
            usable = stream.dialed and stream.header and not stream.connection.closed

            if usable and not _has_ended_talk(stage.scenario, name, label):
                await _ask(stage, partner, stream, target(stage, {}), consumed)

        if stage.world.plan.uses_presence:
            await _settle_routes(stage, partner, consumed)

    return consumed


async def _settle_routes(stage: Stage, partner: Partner, consumed: list[int]) -> None:
    # What a user has sent waits for a stream, until there is one or it has come back.
    await partner.routes.flushed()

    for stream in partner.routes.streams:
        if stream.dialed and not stream.connection.closed and stream not in partner.streams.values():
            await _ask(stage, partner, stream, stream.pair[1] or target(stage, {}), consumed)


async def _ask(stage: Stage, partner: Partner, stream: PartnerStream, system: str, consumed: list[int]) -> None:
    with suppress(StreamOver, TimeoutError):
        async with bounded(PATIENCE):
            consumed.extend(await barrier(stage, partner, stream, system, waits=False))


def _has_ended_talk(scenario: Scenario, actor: str, label: str) -> bool:
    return any(
        step.verb in NO_MORE_QUESTIONS and step.label == label and step.actor == actor for step in scenario.all_steps
    )
