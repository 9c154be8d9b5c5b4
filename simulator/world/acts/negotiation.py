"""How *negotiates* is played: a partner goes as far as it can with the system, and says how far that was.

Inbound it dials, takes TLS, SASL EXTERNAL and dialback in this order, each if it is able to, and tries what is left to
it even where nobody offers it; what stands after a refusal is tried with a stanza. Outbound it lets its streams run by
themselves and waits for what comes of the message that a step before has sent.

Knows what each point of a negotiation looks like. Does not know what must come of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from simulator.journal import Entry
from simulator.scenario.encounter import Direction, Means, Point
from simulator.scenario.model import Step
from simulator.world.acts.barriers import QUIET_PERIOD, barrier
from simulator.world.acts.streams import partner_of, target
from simulator.world.partner.ending import Arrived
from simulator.world.partner.negotiating import (
    Refused,
    answer_for,
    external,
    mechanisms_of,
    offers,
    offers_dialback,
    secure,
)
from simulator.world.partner.partner import Partner
from simulator.world.partner.stream import DIALBACK_METHOD, PartnerStream, StreamOver
from simulator.world.stage import Act, DeadlinePassed, NotPlayable, Seen, Stage
from simulator.world.users.user import REFUSAL, Inbox
from simulator.xmpp.element import parse_element
from simulator.xmpp.namespaces import DIALBACK, DIALBACK_FEATURE, SASL, STANZA_ERRORS, TLS


async def negotiates(stage: Stage, step: Step) -> Seen:
    """Go as far as possible, in the direction that the step says."""
    inbound = step.argument["direction"] == Direction.INBOUND

    return await (_inbound if inbound else _outbound)(stage, step, partner_of(stage, step))


# -- the partner dials


@dataclass
class Attempt:
    """One stream that the partner dialled, on its way to be authenticated for a pair."""

    stage: Stage
    partner: Partner
    stream: PartnerStream
    sender: str
    to: str
    silence_is_right: bool
    """Some text lets the system ignore a request for dialback."""
    consumed: list[int] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Whether the stream can still be used."""
        ending = self.stream.ending

        return not (self.stream.connection.closed or ending.condition or ending.closing_tag)


async def _inbound(stage: Stage, step: Step, partner: Partner) -> Seen:
    sender, to = stage.real(step.actor), target(stage, {})

    async with stage.within(step, "what comes of the negotiation"):
        try:
            stream = await partner.dial(step.label, to, sender=sender)
        except OSError as error:
            return Seen({"connected": False, "why": str(error)})

        attempt = Attempt(stage, partner, stream, sender, to, _may_be_silent(step))

        try:
            await _prove(attempt)
        except Refused as refused:
            return await _refused(attempt, refused)

    partner.use_stream(stream, sender, to)

    return Seen({"method": stream.method}, tuple(attempt.consumed))


async def _prove(attempt: Attempt) -> None:
    """Raises Refused."""
    partner, stream, behaviour = attempt.partner, attempt.stream, attempt.partner.behaviour
    await secure(partner, stream, attempt.sender, attempt.to, insists=behaviour.tls == "required")

    if behaviour.external and stream.tls and "EXTERNAL" in mechanisms_of(stream.features):
        try:
            arrived = await external(partner, stream, attempt.sender, attempt.to)
        except Refused:
            # XEP-0178 §3: dialback may follow, where the stream still stands.
            if not (attempt.stands and behaviour.dialback):
                raise
        else:
            attempt.consumed.append(arrived.entry)
            return

    if stream.tls and offers_dialback(stream) and not offers(stream.features, f"{{{DIALBACK_FEATURE}}}dialback"):
        await _hear_out(attempt)

    if not behaviour.dialback:
        raise Refused(Point.STANZA)

    await _offer_key(attempt)


async def _hear_out(attempt: Attempt) -> None:
    """Who offers nothing but the declaration may have closed the stream, for TLS has shown who is there; and that may
    not be here yet. Raises Refused."""
    with suppress(StreamOver):
        attempt.consumed += await barrier(attempt.stage, attempt.partner, attempt.stream, attempt.to, waits=False)

    if not attempt.stands:
        raise Refused("stream")


async def _offer_key(attempt: Attempt) -> None:
    """Offer the key, and wait for its judgement. Raises Refused."""
    stream, sender, to = attempt.stream, attempt.sender, attempt.to
    contacts = len(attempt.partner.contacts)
    attempt.partner.offer_key(stream, sender, to)
    judged = asyncio.ensure_future(stream.next_element(answer_for(sender, to)))

    try:
        if attempt.silence_is_right and await _is_ignored(attempt, judged, contacts):
            raise Refused(Point.DIALBACK, Means.SILENCE)

        arrived = await judged
    except StreamOver:
        raise Refused(Point.DIALBACK) from None
    finally:
        judged.cancel()

    attempt.consumed.append(arrived.entry)

    if arrived.element.get("type") != "valid":
        raise Refused(Point.DIALBACK, arrived=arrived)

    stream.authenticated(DIALBACK_METHOD, sender, to)


async def _is_ignored(attempt: Attempt, judged: asyncio.Future[Arrived], contacts: int) -> bool:
    """Whether nothing comes of the key, neither an answer nor a question to its authoritative server.

    The answer to a later question shows that the key was read; that it will not be asked about, only time can.
    """
    with suppress(StreamOver):
        attempt.consumed += await barrier(attempt.stage, attempt.partner, attempt.stream, attempt.to, waits=False)

    await asyncio.wait([judged], timeout=QUIET_PERIOD)

    if judged.done() or not attempt.stands or len(attempt.partner.contacts) > contacts:
        return False

    attempt.stage.journal.record("barrier", attempt.partner.domain, attempt.stream.label, quiet_s=QUIET_PERIOD)

    return True


async def _refused(attempt: Attempt, refused: Refused) -> Seen:
    """Where it was refused, and what a stanza is answered with that is sent all the same."""
    said = {"at": _point(attempt.stream, refused), **_manner(attempt.stream, refused)}

    if attempt.stands and not _ends_the_stream(said):
        answer = await _send_all_the_same(attempt)
        said |= answer if said["at"] == Point.STANZA else {"then": answer.get("condition", answer["by"])}
    elif "by" not in said:
        said |= await _by_the_end(attempt)
    else:
        await _by_the_end(attempt)

    return Seen({"refused": said}, tuple(attempt.consumed))


def _ends_the_stream(said: Mapping[str, str]) -> bool:
    """Whether the end must follow by itself: RFC 6120 §5.4.2.2 for STARTTLS, XEP-0220 §2.2.1 for an invalid key."""
    return said.get("by") == Means.STARTTLS_FAILURE or said.get("condition") == "invalid"


def _point(stream: PartnerStream, refused: Refused) -> str:
    """Where in the matrix's words: the partner's own words tell the steps that it takes."""
    if refused.at == "TLS" and refused.arrived is not None:
        return Point.STARTTLS.value

    if refused.at == "TLS":
        # A TLS server may refuse our certificate when our side of the handshake is over (RFC 8446 §4.4.2).
        has_spoken = stream.header is not None or stream.ending.condition
        return (Point.SECURED_FEATURES if has_spoken else Point.TLS).value

    if refused.at == "stream":
        return (Point.SECURED_FEATURES if stream.tls else Point.FEATURES).value

    return (Point.SASL if refused.at == "SASL" else Point(refused.at)).value


def _manner(stream: PartnerStream, refused: Refused) -> dict[str, str]:
    """By what it was refused, where that was an element or silence."""
    if refused.condition == Means.SILENCE:
        return {"by": Means.SILENCE.value}

    if refused.arrived is None:
        return {}

    element = refused.arrived.element

    if element.tag.startswith(f"{{{TLS}}}"):
        return {"by": Means.STARTTLS_FAILURE.value}

    if element.tag.startswith(f"{{{SASL}}}"):
        return {"by": Means.SASL_FAILURE.value, "condition": refused.condition}

    return {"by": Means.DIALBACK_ERROR.value, "condition": _dialback_condition(refused.arrived)}


def _dialback_condition(arrived: Arrived) -> str:
    """The condition of XEP-0220 §2.5; else the type, which is invalid or none that exists."""
    names = [one.tag for one in arrived.element.iter() if one.tag.startswith(f"{{{STANZA_ERRORS}}}")]
    conditions = [name.rpartition("}")[2] for name in names if not name.endswith("}text")]

    return conditions[0] if conditions else str(arrived.element.get("type", ""))


async def _by_the_end(attempt: Attempt) -> dict[str, str]:
    ending = await attempt.stream.ended()

    if ending.entry is not None:
        attempt.consumed.append(ending.entry)

    if ending.condition:
        return {"by": Means.STREAM_ERROR.value, "condition": ending.condition}

    return {"by": Means.END.value}


async def _send_all_the_same(attempt: Attempt) -> dict[str, str]:
    """Send somebody inside a message that must not arrive, and see what becomes of the stream."""
    scenario = attempt.stage.scenario
    inside = [address for address in scenario.users if address.rpartition("@")[2] in scenario.domains]

    if not inside:
        raise NotPlayable("nobody inside could be written to")

    name = attempt.stage.token("uninvited")
    recipient = attempt.stage.real(inside[0])
    attempt.stream.send_xml(
        f"<message from='{name}@{attempt.sender}' to='{recipient}' id='{name}'><body>Uninvited</body></message>"
    )

    with suppress(StreamOver):
        asked = await barrier(attempt.stage, attempt.partner, attempt.stream, attempt.to, waits=False)
        attempt.consumed += asked

        # Who answers what comes after the stanza, and lets the stream be, has let it pass.
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET_PERIOD if asked else None):
                return await _by_the_end(attempt)

        return {"by": Means.SILENCE.value}

    return await _by_the_end(attempt)


def _may_be_silent(step: Step) -> bool:
    arguments = [step.argument, *(other.argument for other in step.alternatives)]

    return any(isinstance(one, dict) and one.get("by") == Means.SILENCE for one in arguments)


# -- the system dials


async def _outbound(stage: Stage, step: Step, partner: Partner) -> Seen:
    """Wait until the message has arrived or come back; then look at what became of the streams."""
    inside = [stage.user(name).inbox for name in _writers(stage, step)]
    outside = [user.inbox for name, user in stage.users.items() if name.rpartition("@")[2] in partner.names_in_scenario]

    with suppress(DeadlinePassed):
        async with stage.within(step, "the message to arrive, or to come back"):
            await _decided(inside, outside)

    method = next((stream.method for stream in partner.contacts if _is_authenticated(stage, stream)), "")

    if method:
        return Seen({"method": method})

    if not any(_is_back(inbox) for inbox in inside):
        raise DeadlinePassed("the message to arrive, or to come back")

    points = [_reached(stage, stream) for stream in partner.contacts]

    return Seen({"refused": {"at": max(points, key=list(Point).index).value} if points else {}})


async def _decided(inside: list[Inbox], outside: list[Inbox]) -> None:
    while True:
        changes = [asyncio.ensure_future(inbox.changed()) for inbox in (*inside, *outside)]

        try:
            # They listen from their first turn on; what came before it is there to be seen.
            await asyncio.sleep(0)

            if any(_is_back(inbox) for inbox in inside) or any(inbox.arrivals for inbox in outside):
                return

            await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for change in changes:
                change.cancel()


def _writers(stage: Stage, step: Step) -> Iterator[str]:
    """Who inside has written before this step."""
    for other in stage.scenario.all_steps:
        if (other.part, other.index) == (step.part, step.index):
            return

        if other.verb == "sends a message" and other.actor.rpartition("@")[2] in stage.scenario.domains:
            yield other.actor


def _is_back(inbox: Inbox) -> bool:
    return any(arrival.what == REFUSAL for arrival in inbox.arrivals)


def _is_authenticated(stage: Stage, stream: PartnerStream) -> bool:
    systems = {stage.real(domain).lower() for domain in stage.scenario.domains}

    return any(sender in systems for sender, _ in stream.verified)


def _reached(stage: Stage, stream: PartnerStream) -> Point:
    """How far a stream of the system has come, by what the journal has of it."""
    own = [entry for entry in stage.journal if entry.stream == stream.label and entry.actor == stream.actor]
    asked = {_asked(entry) for entry in own if entry.kind == "element"}

    for tag, point in ((f"{{{DIALBACK}}}result", Point.DIALBACK), (f"{{{SASL}}}auth", Point.SASL)):
        if tag in asked:
            return point

    if stream.securing:
        return Point.SECURED_FEATURES if stream.tls and stream.header else Point.TLS

    return Point.STARTTLS if f"{{{TLS}}}starttls" in asked else Point.FEATURES


def _asked(entry: Entry) -> Any:
    xml = entry.data.get("xml")

    return parse_element(str(xml)).tag if xml else ""


ACTS: dict[str, Act] = {"negotiates": negotiates}
