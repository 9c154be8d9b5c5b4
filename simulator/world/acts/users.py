"""How the steps about people are played, whatever they speak.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from simulator.scenario import take
from simulator.scenario.model import Step
from simulator.scenario.news import old_news
from simulator.world.acts.barriers import QUIET_PERIOD
from simulator.world.acts.settling import settle
from simulator.world.acts.streams import mapping
from simulator.world.pace import bounded
from simulator.world.stage import Act, NotPlayable, Seen, Stage, Unreached
from simulator.world.users.user import REFUSAL, Arrival, Inbox, User

#: Seconds after which a control message is taken for lost, and sent again.
LOST = 2.0
#: Seconds for a control message after the last step.
REST = 1.0
#: Steps after which a partner's streams do nothing by themselves.
TAKES_STREAMS = frozenset({"accepts a stream", "accepts TLS", "accepts a restart"})
#: How a scenario calls the parts of a message -> how a user does.
PARTS = {
    "type": "type",
    "subject": "subject",
    "thread": "thread",
    "xml:lang": "language",
    "extra": "extra",
    "content-type": "content_type",
    "from": "sender",
}


async def sends_a_message(stage: Stage, step: Step) -> Seen:
    """Send it; what becomes of it arrives later."""
    given = _message(step)
    parts: dict[str, Any] = {PARTS[key]: stage.fill(str(value)) for key, value in given.items() if key in PARTS}
    message_id = stage.fill(str(given["id"])) if "id" in given else stage.token("m")

    async with stage.within(step, f"{step.actor} to get rid of the message"):
        try:
            await stage.user(step.actor).send_message(
                stage.fill(str(given["to"])),
                stage.fill(str(given.get("body", ""))),
                id=message_id,
                device=step.device,
                **parts,
            )
        except ConnectionError as error:
            raise Unreached(str(error)) from None

    return Seen()


async def receives_a_message(stage: Stage, step: Step) -> Seen:
    """Take the next thing that reached the user."""
    return await take_arrival(stage, step, f"a message to {step.actor}")


async def receives(stage: Stage, step: Step) -> Seen:
    """Take the next stanza that reached the user, as XML."""
    seen = await take_arrival(stage, step, f"a stanza to {step.actor}")

    return Seen({"xml": seen.data["delivered"].get("xml", "")}, seen.consumed)


async def refuses_messages(stage: Stage, step: Step) -> Seen:
    """Let a user who speaks SIP answer as the step says."""
    given = step.argument if isinstance(step.argument, Mapping) else {"code": step.argument}
    user: Any = stage.user(step.actor)

    if not hasattr(user, "answer_messages"):
        raise NotPlayable(f"{step.actor} does not speak SIP")

    contact = [("Contact", f"<{stage.fill(str(given['contact']))}>")] if "contact" in given else []
    user.answer_messages(int(given["code"]), str(given.get("phrase", "")), contact, device=step.device)

    return Seen()


async def is_refused(stage: Stage, step: Step) -> Seen:
    """Take the error that answers what the user sent."""
    return await take_arrival(stage, step, f"an error that answers {step.actor}")


async def is_accepted(stage: Stage, step: Step) -> Seen:
    """Take the acknowledgement of what the user sent, or the error that stands in its place."""
    return await take_arrival(stage, step, f"an answer to {step.actor}")


async def has_received_nothing(stage: Stage, step: Step) -> Seen:
    """Prove it: what is sent now by somebody else on the same path has arrived, or was refused in the same place."""
    async with stage.within(step, f"a control message to {step.actor}"):
        # Connections know no order among each other: first the system has read what came on those of the scenario.
        consumed = tuple(await settle(stage))
        quiet = await control(stage, stage.user(step.actor))

    return Seen({"quiet_s": quiet} if quiet else {}, consumed)


async def come_to_rest(stage: Stage) -> list[int]:
    """After the last step, let come what is under way; returns the entries that this accounts for.

    Nothing acknowledges presence, so where people use it each of them is written to once more: else what follows the
    last step by a millisecond would be seen in one run and missed in another. Where there is no way it is left so.
    """
    consumed = await settle(stage)

    for name, user in stage.users.items() if stage.world.plan.uses_presence else ():
        if any(step.actor == name for step in stage.scenario.all_steps) and not _is_in_hand(stage, name):
            with suppress(TimeoutError, ConnectionError, RuntimeError):
                async with bounded(REST):
                    await control(stage, user)

    return consumed


def _is_in_hand(stage: Stage, name: str) -> bool:
    """Whether steps read the streams on which the system writes to this user's domain."""
    partner = next((one for one in stage.partners.values() if name.rpartition("@")[2] in one.names_in_scenario), None)

    return partner is not None and (
        partner.scripted
        or any(
            step.verb in TAKES_STREAMS and step.actor in partner.names_in_scenario for step in stage.scenario.all_steps
        )
    )


async def control(stage: Stage, user: User) -> float:
    """Let somebody who takes part in nothing write to a user, on the path of everything that may have been sent before.

    Returns 0, or the seconds of quiet where there is no such path. The caller bounds the wait.
    """
    inside = user.address.rpartition("@")[2] in {stage.real(domain) for domain in stage.scenario.domains}
    by = await (_control_inwards if inside else _control_outwards)(stage, user)

    if by:
        stage.journal.record("barrier", user.address, by=by)
        return 0.0

    await asyncio.sleep(QUIET_PERIOD)
    stage.journal.record("barrier", user.address, quiet_s=QUIET_PERIOD)

    return QUIET_PERIOD


async def signs_in(stage: Stage, step: Step) -> Seen:
    """Become reachable."""
    async with stage.within(step, f"{step.actor} to be let in"):
        try:
            await stage.user(step.actor).sign_in(step.device, **mapping(step))
        except ConnectionError as error:
            raise Unreached(str(error)) from None

    return Seen()


async def signs_out(stage: Stage, step: Step) -> Seen:
    """Become unreachable."""
    async with stage.within(step, f"{step.actor} to be let out"):
        await stage.user(step.actor).sign_out(step.device)

    return Seen()


async def take_arrival(stage: Stage, step: Step, waiting_for: str, inbox: Inbox | None = None) -> Seen:
    """Take the arrival that the step is about, from the actor's inbox if no other is given; raises DeadlinePassed."""
    inbox = inbox or stage.user(step.actor).inbox

    async with stage.within(step, waiting_for):
        while True:
            waiting = [_data(arrival) for arrival in inbox.arrivals]
            old = _old(stage, inbox)
            number = take.choose(stage.scenario, step, waiting, stage.captures, stage.cast, old)

            if number is not None:
                arrival = inbox.take(number)
                return Seen({"delivered": _data(arrival)}, (arrival.entry,))

            await inbox.changed()


def _old(stage: Stage, inbox: Inbox) -> set[int]:
    """The places of arrivals that say nothing new, by everything that reached this user before them."""
    delivered = [
        (number, entry.data)
        for number, entry in enumerate(stage.journal.entries)
        if entry.kind == "delivered" and entry.actor == inbox.address
    ]
    old = old_news(inbox.address, delivered)

    return {place for place, arrival in enumerate(inbox.arrivals) if arrival.entry in old}


def _data(arrival: Arrival) -> dict[str, Any]:
    return {"what": arrival.what, **arrival.fields}


async def _control_inwards(stage: Stage, user: User) -> str:
    """A partner that is allowed sends the same user a message: what was accepted before it has arrived before it."""
    control = await stage.world.control_partner()
    token = stage.token("control")
    arrived = user.inbox.expect_control(token)
    await control.send_message(user.address, token, id=token)

    return await _whichever(arrived, control.inbox, "message from a control partner")


async def _control_outwards(stage: Stage, user: User) -> str:
    """A user inside writes to somebody else at the same partner: the stream is the same, and it is ordered."""
    name, _, domain = user.address.partition("@")
    partner = next(one for one in stage.partners.values() if domain in one.domains)
    token = stage.token("control")
    inbox = Inbox(stage.journal, f"{token}@{domain}")
    arrived = inbox.expect_control(token)
    # Sent once more, it may come under another id, and both may come.
    partner.add_user(
        inbox.address,
        lambda stanza: inbox.arrived("control", id=stanza.get("id"), body=stanza.findtext("{jabber:server}body")),
    )

    try:
        control = await stage.world.control_user(_correspondent(stage))
        known = asyncio.ensure_future(_whichever(arrived, control.inbox, f"message from a control user, beside {name}"))

        try:
            # A server that has just given up a stream to the partner may lose what is written meanwhile.
            while not known.done():
                await control.send_message(inbox.address, token, id=token)
                await asyncio.wait([known], timeout=LOST)
        finally:
            known.cancel()
    except (ConnectionError, RuntimeError):
        # The system is down, or lets nobody in: there is no path on which anything could be proven.
        return ""

    return known.result()


async def _whichever(arrived: asyncio.Future[None], sender: Inbox, by: str) -> str:
    """Wait until the control message has arrived or has come back: either way everything before it is dealt with."""

    async def refused() -> None:
        await sender.next(lambda arrival: arrival.what == REFUSAL)

    back = asyncio.ensure_future(refused())

    try:
        await asyncio.wait([arrived, back], return_when=asyncio.FIRST_COMPLETED)
    finally:
        back.cancel()

    return by if arrived.done() else f"{by}, which was refused"


def _correspondent(stage: Stage) -> str:
    """The domain whose user inside has most likely written to this one."""
    senders = [step.actor for step in stage.scenario.all_steps if step.verb == "sends a message"]
    domains = [sender.rpartition("@")[2] for sender in senders]

    return next((domain for domain in domains if domain in stage.scenario.domains), stage.scenario.domains[0])


def _message(step: Step) -> Mapping[str, Any]:
    """The argument as a mapping; ``to: body`` as text is one, too."""
    given = step.argument

    if isinstance(given, str):
        to, colon, body = given.partition(":")
        given = {"to": to.strip(), "body": body.strip()} if colon else {}

    if not isinstance(given, Mapping) or "to" not in given:
        raise NotPlayable("a message needs at least `to`: {to: juliet@gmail.com, body: Hello}")

    return given


ACTS: dict[str, Act] = {
    "sends a message": sends_a_message,
    "receives a message": receives_a_message,
    "refuses messages": refuses_messages,
    "is refused": is_refused,
    "is accepted": is_accepted,
    "has received nothing": has_received_nothing,
    "signs in": signs_in,
    "signs out": signs_out,
}
