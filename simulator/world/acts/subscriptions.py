"""How two people are brought to a state of subscription, and how the state is seen from outside.

Knows the nine states of RFC 6121 Appendix A by what people do and see, in the system's user's point of view. Does not
judge what was seen: that is `verdict`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.scenario.model import Step
from simulator.scenario.news import bare
from simulator.scenario.presence_steps import HAS_SUBSCRIPTION, REACHES
from simulator.scenario.subscription import LISTED
from simulator.world.acts.presence import attempt, change, entry_of, filled
from simulator.world.acts.settling import settle
from simulator.world.acts.users import control
from simulator.world.stage import Act, DeadlinePassed, NotPlayable, Seen, Stage, Unreached
from simulator.world.users.user import CONTACT, PRESENCE, SUBSCRIPTION, Arrival, User

#: Seconds at least for one of the exchanges that lead to a state, or tell one.
PATIENCE = 5.0

ASKS, IS_GRANTED, IS_ASKED, GRANTS = "asks", "is granted", "is asked", "grants"

#: state -> what leads to it from N: the user asks, is granted, is asked, grants.
WAYS: dict[str, tuple[str, ...]] = {
    "N": (),
    "NPO": (ASKS,),
    "NPI": (IS_ASKED,),
    "NPOI": (ASKS, IS_ASKED),
    "T": (ASKS, IS_GRANTED),
    "TPI": (ASKS, IS_GRANTED, IS_ASKED),
    "F": (IS_ASKED, GRANTS),
    "FPO": (IS_ASKED, GRANTS, ASKS),
    "B": (ASKS, IS_GRANTED, IS_ASKED, GRANTS),
}


@dataclass(frozen=True)
class Couple:
    """A user inside, the contact at a partner, and the number of the first entry that is about what they do now."""

    user: User
    contact: User
    since: int

    def arrivals(self, stage: Stage, whose: User, of: User) -> list[tuple[int, dict[str, Any]]]:
        """Numbers and data of what reached one from the other, or said something of them, meanwhile."""
        return [
            (number, entry.data)
            for number, entry in enumerate(stage.journal.entries[self.since :], self.since)
            if entry.kind == "delivered"
            and entry.actor == whose.address
            and entry.data.get("what") in (PRESENCE, SUBSCRIPTION, CONTACT)
            and bare(str(entry.data.get("from") or entry.data.get("contact") or "")) == of.address.lower()
        ]

    def take_all(self, stage: Stage) -> tuple[int, ...]:
        """Take from both what reached them from the other; returns the numbers of the entries."""
        numbers: list[int] = []

        for whose, of in ((self.user, self.contact), (self.contact, self.user)):
            taken = {number for number, _ in self.arrivals(stage, whose, of)}
            numbers += sorted(taken)

            for arrival in [one for one in whose.inbox.arrivals if one.entry in taken]:
                whose.inbox.arrivals.remove(arrival)

        return tuple(numbers)


async def has_reached(stage: Stage, step: Step) -> Seen:
    """Let both do what leads to the state. Whatever is in the way makes the scenario undecided: it is no claim."""
    couple, state = _couple(stage, step), str(filled(stage, step)["state"])

    try:
        for move in WAYS[state]:
            await _move(stage, step, couple, move)

        await _confirm(stage, step, couple, state)
        consumed = await _let_come(stage, step, couple)
    except DeadlinePassed as passed:
        raise Unreached(f"{state} was not reached, for nothing came; waiting for {passed.waiting_for}") from None

    return Seen({}, (*consumed, *couple.take_all(stage)))


async def has_subscription(stage: Stage, step: Step) -> Seen:
    """Look at the list, at what is shown at the next sign-in, and at what a probe brings."""
    couple, state = _couple(stage, step), str(filled(stage, step)["state"])
    consumed = list(await settle(stage))
    entry = await _listed(stage, step, couple, state)
    consumed += await _let_come(stage, step, couple)
    signed_out = len(stage.journal.entries)
    await _sign_out_and_in(stage, step)
    consumed += await _let_come(stage, step, couple)
    asked = any(
        number >= signed_out and data["what"] == SUBSCRIPTION and data.get("type") == "subscribe"
        for number, data in couple.arrivals(stage, couple.user, couple.contact)
    )
    # The probe comes last: a server may take its own refusal for the user's answer to a request that waits for one.
    probed = len(stage.journal.entries)
    await attempt(step, couple.contact.probe(couple.user.address))
    consumed += await _let_come(stage, step, couple)
    probe = _answer(data for number, data in couple.arrivals(stage, couple.contact, couple.user) if number >= probed)
    found = {"contact_list": entry, "probe": probe, "asked": asked}

    return Seen({"subscription": found}, (*consumed, *couple.take_all(stage)))


async def _move(stage: Stage, step: Step, couple: Couple, move: str) -> None:
    user, contact = couple.user, couple.contact

    if move == ASKS:
        await attempt(step, user.add_contact(contact.address))
        await _arrival(stage, step, couple, contact, user, "subscribe")
    elif move == IS_GRANTED:
        await attempt(step, contact.accept(user.address))
        await _arrival(stage, step, couple, user, contact, "subscribed")
    elif move == IS_ASKED:
        await attempt(step, contact.add_contact(user.address))
        await _arrival(stage, step, couple, user, contact, "subscribe")
    else:
        await attempt(step, user.accept(contact.address))
        await _arrival(stage, step, couple, contact, user, "subscribed")


async def _arrival(stage: Stage, step: Step, couple: Couple, whose: User, of: User, kind: str) -> None:
    """Wait until a presence of this type has come."""
    waiting_for = f"{kind} of {of.address} to reach {whose.address}"

    def is_it(arrival: Arrival) -> bool:
        return (
            arrival.entry >= couple.since
            and arrival.what == SUBSCRIPTION
            and arrival.fields.get("type") == kind
            and bare(str(arrival.fields.get("from", ""))) == of.address.lower()
        )

    async with stage.within(step, waiting_for, least=PATIENCE):
        await whose.inbox.next(is_it)


async def _confirm(stage: Stage, step: Step, couple: Couple, state: str) -> None:
    """The system's own list must have come as far."""
    entry: dict[str, Any] | None = None

    try:
        async with stage.within(step, "the contact list", least=PATIENCE):
            while _fields(entry := await entry_of(couple.user, couple.contact.address)) != LISTED[state]:
                await change(couple.user)
    except DeadlinePassed:
        subscription, ask = _fields(entry)
        said = f"subscription={subscription}, ask={ask or 'none'}"
        raise Unreached(f"{state} was not reached: the contact list says {said}") from None


async def _listed(stage: Stage, step: Step, couple: Couple, state: str) -> dict[str, Any] | None:
    """The entry, once it is that of the state, or as it is when the time is up."""
    entry: dict[str, Any] | None = None

    try:
        async with stage.within(step, "the contact list"):
            while _fields(entry := await entry_of(couple.user, couple.contact.address)) != LISTED[state]:
                await change(couple.user)
    except DeadlinePassed:
        pass

    return entry


async def _let_come(stage: Stage, step: Step, couple: Couple) -> tuple[int, ...]:
    """One more exchange in both directions: whatever was under way to either of the two is there after it."""
    async with stage.within(
        step, f"control messages to {couple.user.address} and {couple.contact.address}", least=PATIENCE
    ):
        consumed = tuple(await settle(stage))
        await control(stage, couple.user)
        await control(stage, couple.contact)

        # What has reached the contact may have been answered by their server meanwhile.
        consumed += tuple(await settle(stage))
        await control(stage, couple.user)

    return consumed


async def _sign_out_and_in(stage: Stage, step: Step) -> None:
    async with stage.within(step, f"{step.actor} to be let out and in", least=PATIENCE):
        await stage.user(step.actor).sign_out()

        try:
            await stage.world.let_in(step.actor)
        except ConnectionError as error:
            raise Unreached(str(error)) from None


def _answer(arrivals: Any) -> str:
    """What a probe brought: RFC 6121 §4.3.2 has presence for those who may see it, `unsubscribed` or silence else."""
    kinds = [(data["what"], data.get("type")) for data in arrivals]

    if (PRESENCE, "available") in kinds:
        return "answered"

    return "refused" if (SUBSCRIPTION, "unsubscribed") in kinds else "silent"


def _fields(entry: dict[str, Any] | None) -> tuple[str, str]:
    return str((entry or {}).get("subscription") or "none"), str((entry or {}).get("ask") or "")


def _couple(stage: Stage, step: Step) -> Couple:
    contact = filled(stage, step)["contact"]
    inside = step.actor.rpartition("@")[2] in stage.scenario.domains
    others = [other for name, other in stage.users.items() if other.address == contact and _is_outside(stage, name)]

    if not inside or not others:
        raise NotPlayable(f"{step.verb} is said of a user inside, and of a contact at a partner: not of {contact}")

    return Couple(stage.user(step.actor), others[0], len(stage.journal.entries))


def _is_outside(stage: Stage, name: str) -> bool:
    return name.rpartition("@")[2] not in stage.scenario.domains


ACTS: dict[str, Act] = {REACHES: has_reached, HAS_SUBSCRIPTION: has_subscription}
