"""How the steps about dialback and reachability of a partner are played.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.scenario import take
from simulator.scenario.model import Step
from simulator.world.acts.barriers import QUIET_PERIOD, quiet_period
from simulator.world.acts.streams import (
    ended,
    fill_values,
    mapping,
    partner_of,
    stream_of,
    target,
    what_came,
)
from simulator.world.partner import words
from simulator.world.partner.automation import answer
from simulator.world.partner.negotiating import Refused, authenticate
from simulator.world.partner.stream import PartnerStream
from simulator.world.stage import Act, Seen, Stage
from simulator.xmpp.element import serialize


async def offers_a_dialback_key(stage: Stage, step: Step) -> Seen:
    """Send db:result: the right key for the stream, unless the mapping says otherwise."""
    stream = stream_of(stage, step)
    given = fill_values(stage, mapping(step))
    partner = partner_of(stage, step)
    sender = str(given.get("from") or stage.real(step.actor))
    to = str(given.get("to") or target(stage, {}))
    key = given.get("key")

    if key == "wrong":
        # The right one with its last digit changed: what a careless comparison would let through.
        right = partner.key(to, sender, stream.id)
        key = right[:-1] + ("0" if right[-1] != "0" else "1")
    elif key in (None, "right"):
        key = partner.key(to, sender, str(given["id"])) if "id" in given else None

    partner.offer_key(stream, sender, to, key)

    return Seen(captures=known(stream))


async def is_authenticated(stage: Stage, step: Step) -> Seen:
    """Connect unless connected, then whatever both are able to: TLS, SASL EXTERNAL, else the key called valid."""
    given = fill_values(stage, mapping(step))
    partner = partner_of(stage, step)
    sender = str(given.get("from") or stage.real(step.actor))
    to = str(given.get("to") or target(stage, given))
    stream: PartnerStream | None = partner.streams.get(step.label)

    header = {key: value for key, value in given.items() if key in ("to", "from", "version")}

    async with stage.within(step, "the pair to be authenticated"):
        if stream is None or stream.over:
            try:
                stream = await partner.dial(step.label, target(stage, mapping(step)), header, sender=sender)
            except OSError as error:
                return Seen({"connected": False, "why": str(error)})

        try:
            arrived = await authenticate(partner, stream, sender, to, header)
        except Refused as refused:
            if refused.arrived is None:
                return Seen({"ended": ended(stream.ending), **what_came(stream)})

            return Seen({"xml": refused.arrived.xml}, (refused.arrived.entry,), known(stream))

    partner.use_stream(stream, sender, to)

    return Seen({"xml": arrived.xml, "authenticated_by": stream.method}, (arrived.entry,), known(stream))


async def is_asked_to_verify(stage: Stage, step: Step) -> Seen:
    """Wait for db:verify; the stream on which it came goes by the step's label from then on."""
    partner = partner_of(stage, step)

    async with stage.within(step, f"a request to verify a key, sent to {partner.domain}"):
        while True:
            waiting = [serialize(element).decode() for _, element, _ in partner.asked]
            number = (
                (0 if waiting else None)
                if step.argument is None
                else take.choose(stage.scenario, step, waiting, stage.captures, stage.cast)
            )

            if number is not None:
                stream, _, entry = partner.asked[number]
                del partner.asked[number]
                partner.streams.setdefault(step.label, stream)
                return Seen({"xml": waiting[number]}, (entry,))

            await partner.changed()


async def answers_verification(stage: Stage, step: Step) -> Seen:
    """Answer the oldest request that waits for an answer."""
    partner = partner_of(stage, step)
    given: Mapping[str, Any] = step.argument if isinstance(step.argument, Mapping) else {"type": step.argument}
    given = fill_values(stage, given)

    async with stage.within(step, f"a request to verify a key, sent to {partner.domain}"):
        while not partner.unanswered:
            await partner.changed()

    stream, asked = partner.unanswered.popleft()
    kind = str(given.get("type") or ("error" if "condition" in given else "honest"))
    condition = str(given.get("condition") or "")

    if kind not in ("valid", "invalid", "error", "honest") and not isinstance(step.argument, Mapping):
        kind, condition = "error", kind

    if set(given) & {"from", "to", "id"}:
        # Somebody else's answer: the addresses and the id are the scenario's.
        stream.send_xml(
            words.dialback(
                stream.behaviour,
                "verify",
                sender=str(given.get("from") or asked.get("to", "")),
                to=str(given.get("to") or asked.get("from", "")),
                stream_id=str(given.get("id") or asked.get("id", "")),
                type_=kind,
                condition=condition,
            )
        )
    elif kind == "honest":
        partner.answer_honestly(stream, asked)
    else:
        answer(stream, "verify", asked, f"error {condition}" if kind == "error" else _spelled(kind))

    return Seen()


async def is_not_contacted(stage: Stage, step: Step) -> Seen:
    """Nothing of ours can prove that nobody will come: wait a while, and say how long."""
    await quiet_period(stage, stage.real(step.actor))

    return Seen({"quiet_s": QUIET_PERIOD})


def known(stream: PartnerStream) -> dict[str, str]:
    """What patterns may name once a key was offered: ``{stream-id}`` and ``{offered-key}``."""
    return {"stream-id": stream.id, **({"offered-key": stream.key} if stream.key else {})}


def _spelled(kind: str) -> str:
    return kind if kind in ("valid", "invalid") else f"type {kind}"


ACTS: dict[str, Act] = {
    "offers a dialback key": offers_a_dialback_key,
    "is authenticated": is_authenticated,
    "is asked to verify": is_asked_to_verify,
    "answers verification": answers_verification,
    "is not contacted": is_not_contacted,
}
