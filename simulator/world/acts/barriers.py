"""How a quiet is proven: by one more exchange on the same path, or by a period that goes on record.

Knows which exchange a system must answer on which stream. Judges nothing.
"""

from __future__ import annotations

import asyncio
from xml.etree.ElementTree import Element

from simulator.world.pace import bounded
from simulator.world.partner import words
from simulator.world.partner.negotiating import DIALBACK_OFFERED, offers
from simulator.world.partner.partner import Partner
from simulator.world.partner.stream import PartnerStream
from simulator.world.stage import Stage
from simulator.xmpp.namespaces import TLS

#: Seconds of quiet that are put on record where no exchange can prove it.
QUIET_PERIOD = 0.15
#: Seconds for an answer that comes on a stream which the system may have to open first.
ROUND_TRIP = 1.0


async def quiet_period(stage: Stage, actor: str) -> None:
    """Wait a while, and say how long."""
    await asyncio.sleep(QUIET_PERIOD)
    stage.journal.record("barrier", actor, quiet_s=QUIET_PERIOD)


async def barrier(
    stage: Stage, partner: Partner, stream: PartnerStream, system: str, *, waits: bool = True
) -> tuple[int, ...]:
    """One more exchange on a stream that the partner dialled; returns the entries that it accounts for.

    Where nothing can be asked a quiet period goes on record, if the caller `waits`. Raises StreamOver.
    """
    if _may_be_asked(stream):
        return await _ask_to_verify(stage, partner, stream, system)

    if not (stream.authenticated_by_sasl and await _ask_for_an_error(stage, partner, stream, system)) and waits:
        await quiet_period(stage, partner.domain)

    return ()


async def reverse_barrier(stage: Stage, partner: Partner, stream: PartnerStream, system: str) -> tuple[int, ...]:
    """Let somebody inside, who takes part in nothing else, write to the partner: on a stream of the system that has
    been authenticated, the message comes where the stanzas before it came. Raises StreamOver."""
    name = stage.token("barrier")
    to = (stream.header.to if stream.header else None) or partner.domain
    control = await stage.world.control_user((stream.header.sender if stream.header else None) or system)
    await control.send_message(f"{name}@{to}", name, id=name)

    def answers(waiting: list[str]) -> int | None:
        return next((at for at, xml in enumerate(waiting) if name in xml), None)

    arrived = await stream.next_element(answers)
    stage.journal.record("barrier", partner.domain, stream.label, by="message of a control user")

    return (arrived.entry,)


def _may_be_asked(stream: PartnerStream) -> bool:
    """Whether a db:verify on this stream is answered rather than refused."""
    if stream.tls and stream.features is not None:
        # Whoever does TLS may allow no dialback, whatever the header declares: only the feature is a promise.
        return offers(stream.features, DIALBACK_OFFERED)

    # RFC 6120 §5.3.1: where TLS is mandatory to negotiate, nothing else comes before it.
    return not offers(stream.features, f"{{{TLS}}}starttls/{{{TLS}}}required")


async def _ask_to_verify(stage: Stage, partner: Partner, stream: PartnerStream, system: str) -> tuple[int, ...]:
    """Ask the system to verify a key that nobody issued: any server with dialback answers, and answers in order.

    XEP-0220 §2.2.2: "The Authoritative Server then notifies the Receiving Server whether the key is valid", on the
    stream on which it was asked, authenticated or not.
    """
    name = stage.token("barrier")
    # Nobody else knows this id; and an answer that comes too late for the question is no news either.
    stream.accounted[name] = "the answer to a control question"
    stream.send_xml(
        words.dialback(stream.behaviour, "verify", sender=partner.domain, to=system, stream_id=name, key="0" * 64)
    )

    def answers(waiting: list[str]) -> int | None:
        return next((at for at, xml in enumerate(waiting) if name in xml and "verify" in xml), None)

    arrived = await stream.next_element(answers)
    stage.journal.record("barrier", partner.domain, stream.label, by="db:verify")

    return (arrived.entry,)


async def _ask_for_an_error(stage: Stage, partner: Partner, stream: PartnerStream, system: str) -> bool:
    """Write to nobody: RFC 6121 §8.5.1 has the system answer a message to a user who does not exist with an error.

    The answer comes on a stream of the system's own (RFC 6120 §4.5), so it proves that everything before the message
    was read, and whatever was answered on this stream was sent before it: on loopback it is here. False: no answer
    came, as where the steps have taken the system's streams into hand.
    """
    name = stage.token("barrier")
    sender = next((pair[0] for pair in sorted(stream.verified)), partner.domain)
    answered = asyncio.Event()

    def heard(_: Element) -> None:
        answered.set()

    partner.add_user(f"{name}@{sender}", heard)
    stream.send_xml(
        f"<message from='{name}@{sender}/s2sim' to='{name}@{system}' id='{name}' type='chat'>"
        f"<body>{name}</body></message>"
    )

    try:
        async with bounded(ROUND_TRIP):
            await answered.wait()
    except TimeoutError:
        return False

    stage.journal.record("barrier", partner.domain, stream.label, by="error for a message to nobody")

    return True
