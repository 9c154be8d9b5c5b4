"""How the steps about contacts, presence and chat states are played, whatever the people speak.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from simulator.scenario.match import match_fields
from simulator.scenario.model import Step
from simulator.scenario.names import recast
from simulator.scenario.presence_steps import UNAVAILABLE
from simulator.world.acts.settling import settle
from simulator.world.acts.users import take_arrival
from simulator.world.pace import bounded
from simulator.world.stage import Act, Seen, Stage, Unreached, Unsupported
from simulator.world.users.user import Unable, User

#: Seconds after which a contact list is asked for again, where nothing has announced a change of it.
AGAIN = 0.1


async def attempt(step: Step, work: Awaitable[None]) -> Seen:
    """Do what a user does. Raises Unreached where the user is not there, Unsupported where they cannot do it."""
    try:
        await work
    except ConnectionError as error:
        raise Unreached(str(error)) from None
    except Unable as error:
        raise Unsupported(str(error)) from None

    return Seen()


async def adds(stage: Stage, step: Step) -> Seen:
    """Put somebody on the list and ask to see them."""
    given = filled(stage, step)
    parts = {key: given[key] for key in ("name", "groups") if key in given}
    work = stage.user(step.actor).add_contact(given["contact"], device=step.device, **parts)

    async with stage.within(step, f"{step.actor} to add {given['contact']}"):
        return await attempt(step, work)


def _action(method: str) -> Act:
    """An act that is one method of a user, about one contact."""

    async def act(stage: Stage, step: Step) -> Seen:
        contact = filled(stage, step)["contact"]
        work = getattr(stage.user(step.actor), method)(contact, device=step.device)

        async with stage.within(step, f"what {step.actor} does to be taken"):
            return await attempt(step, work)

    return act


async def sets_its_presence(stage: Stage, step: Step) -> Seen:
    """Show presence to those who may see it."""
    given = filled(stage, step)
    user = stage.user(step.actor)
    work = (
        user.set_unavailable(note=given.get("note") or "", device=step.device)
        if given.get("type") == UNAVAILABLE
        else user.set_presence(
            show=given.get("show") or "",
            note=given.get("note") or "",
            priority=given.get("priority"),
            extra=given.get("extra") or "",
            device=step.device,
        )
    )

    async with stage.within(step, f"the presence of {step.actor} to be taken"):
        return await attempt(step, work)


async def sends_its_presence(stage: Stage, step: Step) -> Seen:
    """Show presence to one address."""
    given = filled(stage, step)
    show = None if given.get("type") == UNAVAILABLE else given.get("show") or ""
    user = stage.user(step.actor)
    work = user.direct_presence(given["to"], show=show, note=given.get("note") or "", device=step.device)

    async with stage.within(step, f"the presence of {step.actor} to be taken"):
        return await attempt(step, work)


async def sends_a_chat_state(stage: Stage, step: Step) -> Seen:
    """Say how far a conversation is."""
    given = filled(stage, step)
    work = stage.user(step.actor).send_state(given["to"], given["state"], device=step.device)

    async with stage.within(step, f"the chat state of {step.actor} to be taken"):
        return await attempt(step, work)


async def vanishes(stage: Stage, step: Step) -> Seen:
    """Break the connection off."""
    stage.user(step.actor).vanish(step.device)

    return Seen()


async def is_asked(stage: Stage, step: Step) -> Seen:
    """Take the next thing that reached the user from this contact."""
    return await take_arrival(stage, step, f"a request of {_contact(stage, step)} to {step.actor}")


async def is_told(stage: Stage, step: Step) -> Seen:
    """Take the next thing that reached the user from this contact."""
    return await take_arrival(stage, step, f"a decision of {_contact(stage, step)} to reach {step.actor}")


async def sees(stage: Stage, step: Step) -> Seen:
    """Take the next thing that reached the user from this contact."""
    return await take_arrival(stage, step, f"presence of {_contact(stage, step)} to reach {step.actor}")


async def sees_a_chat_state(stage: Stage, step: Step) -> Seen:
    """Take the next chat state of this contact."""
    return await take_arrival(stage, step, f"a chat state of {_contact(stage, step)} to reach {step.actor}")


async def has_in_its_contact_list(stage: Stage, step: Step) -> Seen:
    """Ask for the list until it is as the step says, or the time is up: then report what it says."""
    given = filled(stage, step)
    entry: dict[str, Any] | None = None

    def fits() -> bool:
        wanted = {key: value for key, value in given.items() if key not in ("contact", "listed")}
        on_it = entry is not None and (given.get("listed", True) or "subscription" in entry)
        return on_it == given.get("listed", True) and not (
            entry and match_fields(wanted, entry, dict(stage.captures), "")
        )

    # What the list must not have become is known once everything that was sent before has been read.
    consumed = tuple(await settle(stage))

    try:
        async with bounded(stage.deadline(step)):
            while True:
                entry = await entry_of(stage.user(step.actor), given["contact"], step.device)

                if fits():
                    break

                await change(stage.user(step.actor))
    except TimeoutError:
        pass

    return Seen({"listed": entry}, consumed)


async def entry_of(user: User, contact: str, device: str = "") -> dict[str, Any] | None:
    """What the system's list for a user says of somebody. Raises Unreached, Unsupported."""
    try:
        entries = await user.contact_list(device=device)
    except ConnectionError as error:
        raise Unreached(str(error)) from None
    except Unable as error:
        raise Unsupported(str(error)) from None

    return next((entry for address, entry in entries.items() if address.lower() == contact.lower()), None)


async def change(user: User) -> None:
    """Wait until something reaches a user, or a moment: not every change is announced."""
    try:
        async with bounded(AGAIN):
            await user.inbox.changed()
    except TimeoutError:
        pass


def filled(stage: Stage, step: Step) -> dict[str, Any]:
    """The argument with real names and what was captured; a mapping, for `presence_steps.in_full` made it one."""
    named = recast(step.argument, stage.cast)

    return {key: _filled(stage, value) for key, value in named.items()} if isinstance(named, Mapping) else {}


def _filled(stage: Stage, value: Any) -> Any:
    if isinstance(value, str):
        return stage.fill(value)

    return {key: _filled(stage, one) for key, one in value.items()} if isinstance(value, Mapping) else value


def _contact(stage: Stage, step: Step) -> str:
    return str(filled(stage, step).get("from", ""))


ACTS: dict[str, Act] = {
    "adds CONTACT": adds,
    "removes CONTACT": _action("remove_contact"),
    "accepts CONTACT": _action("accept"),
    "refuses CONTACT": _action("refuse"),
    "cancels the subscription of CONTACT": _action("cancel"),
    "unsubscribes from CONTACT": _action("unsubscribe"),
    "blocks CONTACT": _action("block"),
    "unblocks CONTACT": _action("unblock"),
    "probes CONTACT": _action("probe"),
    "sets its presence": sets_its_presence,
    "sends its presence to CONTACT": sends_its_presence,
    "sends a chat state to CONTACT": sends_a_chat_state,
    "vanishes": vanishes,
    "is asked by CONTACT": is_asked,
    "is told by CONTACT": is_told,
    "sees CONTACT": sees,
    "sees a chat state of CONTACT": sees_a_chat_state,
    "has CONTACT in its contact list": has_in_its_contact_list,
    "does not have CONTACT in its contact list": has_in_its_contact_list,
}
