"""The steps about contacts and presence, where the system between the people is another partner."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.document import parse_document
from simulator.scenario.loader import read_scenarios
from simulator.scenario.model import ADMINISTRATOR
from simulator.scenario.subscription import LISTED
from simulator.verdict import judge_step
from simulator.world.acts.table import perform
from simulator.world.stage import DeadlinePassed, NotPlayable, Seen, Stage, Unreached, Unsupported
from simulator.world.users.partner_user import PartnerUser
from simulator.world.users.user import Inbox
from tests.world.conftest import Town

ALICE, JULIET = "alice@contoso.com", "juliet@gmail.com"


@dataclass
class Twins:
    """A world in which contoso.com is a partner as gmail.com is, and takes the system's place."""

    town: Town
    stage: Stage
    alice: PartnerUser
    control: PartnerUser
    outside: PartnerUser
    plan: Any = field(default_factory=lambda: SimpleNamespace(uses_presence=True))
    system: Any = field(default_factory=SimpleNamespace)

    def __post_init__(self) -> None:
        self.administrator = Inbox(self.town.journal, ADMINISTRATOR)

    async def control_user(self, domain: str) -> PartnerUser:
        return self.control

    async def control_partner(self) -> PartnerUser:
        return self.outside

    async def let_in(self, name: str) -> None:
        await self.alice.sign_in()

        # RFC 6121 §3.1.3: who asks is shown again at every sign-in.
        if (await self.alice.contact_list()).get(JULIET, {}).get("pending"):
            self.alice.inbox.arrived("subscription", **{"from": JULIET, "type": "subscribe"})

    async def perform(self, number: int) -> Seen:
        return await perform(self.stage, self.stage.scenario.steps[number])

    async def verdict(self, number: int) -> str:
        """What the step comes to by what it saw."""
        seen = await self.perform(number)
        step = self.stage.scenario.steps[number]

        return judge_step(step, {"seen": seen.data}, {}).outcome.value

    def unconsumed(self) -> list[tuple[str, str]]:
        """Whom something waits for, and what."""
        users = [self.alice, self.stage.users[JULIET]]

        return [(user.address, arrival.what) for user in users for arrival in user.inbox.arrivals]


async def twins(town: Town, *steps: str) -> Twins:
    lines = "\n".join(f"- {step}" for step in steps)
    scenario = read_scenarios(parse_document(f"claim: x\ndeadline: 0.3\nsteps:\n{lines}\n"), "test")[0]
    gmail, contoso = await town.partner("gmail.com"), await town.partner("contoso.com")
    third = await town.partner("third.example")
    stage = Stage(scenario, SimpleNamespace(), town.journal, {}, random.Random(1), {"gmail.com": gmail})  # type: ignore[arg-type]
    alice = PartnerUser(ALICE, contoso, town.journal, uses_presence=True)
    world = Twins(
        town,
        stage,
        alice,
        PartnerUser("control@contoso.com", contoso, town.journal),
        PartnerUser("control@third.example", third, town.journal),
    )
    stage.world = world  # type: ignore[assignment]
    stage.users = {ALICE: alice, JULIET: PartnerUser(JULIET, gmail, town.journal, uses_presence=True)}

    return world


async def test_who_is_added_and_accepts_is_seen(town: Any) -> None:
    world = await twins(
        town,
        f"{ALICE} adds {JULIET}",
        f"{JULIET} is asked by {ALICE}",
        f"{ALICE} has {JULIET} in its contact list: {{subscription: none, ask: subscribe}}",
        f"{JULIET} accepts {ALICE}",
        f"{ALICE} is told by {JULIET}: subscribed",
        f"{ALICE} sees {JULIET}: available",
        f"{JULIET} sets its presence: {{show: away, note: Lunch}}",
        f"{ALICE} sees {JULIET}: {{show: away, note: Lunch}}",
        f"{JULIET} sets its presence: unavailable",
        f"{ALICE} sees {JULIET}: unavailable",
        f"{ALICE} has {JULIET} in its contact list: to",
        f"{JULIET} has received nothing",
        f"{ALICE} has received nothing",
    )

    for number in range(len(world.stage.scenario.steps)):
        assert await world.verdict(number) == "PASS", world.stage.scenario.steps[number].text

    assert world.unconsumed() == []


async def test_what_is_not_wanted_is_reported(town: Any) -> None:
    world = await twins(
        town,
        f"{JULIET} sends its presence to {ALICE}: dnd",
        f"{ALICE} sees {JULIET}: away",
        f"{ALICE} has {JULIET} in its contact list",
        f"{ALICE} does not have {JULIET} in its contact list",
    )

    assert await world.verdict(0) == "PASS"
    assert await world.verdict(1) == "FAIL"
    assert await world.verdict(2) == "FAIL"
    assert await world.verdict(3) == "PASS"


async def test_presence_that_says_nothing_new_is_passed_over(town: Any) -> None:
    world = await twins(
        town,
        f"{JULIET} sends its presence to {ALICE}: dnd",
        f"{JULIET} sends its presence to {ALICE}: dnd",
        f"{JULIET} sends its presence to {ALICE}: away",
        f"{ALICE} sees {JULIET}: dnd",
        f"{ALICE} sees {JULIET}: away",
    )

    for number in (0, 1, 2):
        await world.perform(number)

    assert await world.verdict(3) == "PASS"
    assert await world.verdict(4) == "PASS"
    assert world.unconsumed() == [(ALICE, "presence")]


async def test_presence_is_counted_by_contact_or_by_device(town: Any) -> None:
    """A repetition is no news, and counts."""
    world = await twins(
        town,
        f"{JULIET} sends its presence to {ALICE}: dnd",
        f"{JULIET} sends its presence to {ALICE}: dnd",
        f"{ALICE} has received at most: {{presences: 1}}",
        f"{ALICE} has received at most: {{presences: 1, from: {JULIET}}}",
        f"{ALICE} has received at most: {{presences: 1, from: {JULIET}/balcony}}",
        f"{ALICE} has received at most: {{presences: 2, from: {JULIET}/balcony}}",
        f"{ALICE} has received at most: {{presences: 0, from: {JULIET}/elsewhere}}",
    )

    found = [await world.verdict(number) for number in range(len(world.stage.scenario.steps))]

    assert found == ["PASS", "PASS", "FAIL", "FAIL", "FAIL", "PASS", "PASS"]


async def test_chat_states_arrive(town: Any) -> None:
    world = await twins(
        town,
        f"{JULIET} sends a chat state to {ALICE}: composing",
        f"{ALICE} sees a chat state of {JULIET}: composing",
    )

    assert [await world.verdict(number) for number in (0, 1)] == ["PASS", "PASS"]


async def test_what_does_not_come_is_late(town: Any) -> None:
    world = await twins(town, f"{ALICE} sees {JULIET}")

    with pytest.raises(DeadlinePassed, match=f"presence of {JULIET} to reach {ALICE}"):
        await world.perform(0)


# -- states


@pytest.mark.parametrize("state", LISTED)
async def test_a_state_is_reached_and_seen(town: Any, state: str) -> None:
    others = [other for other in LISTED if other != state]
    world = await twins(
        town,
        f"{ALICE} has reached a subscription with {JULIET}: {state}",
        f"{ALICE} has a subscription with {JULIET}: {state}",
        f"{ALICE} has a subscription with {JULIET}: {random.Random(state).choice(others)}",
    )
    reached = await world.perform(0)

    assert world.unconsumed() == []
    assert await world.verdict(1) == "PASS"
    assert await world.verdict(2) == "FAIL"
    assert world.unconsumed() == []
    assert bool(reached.consumed) == (state != "N")


async def test_a_state_that_is_not_reached_is_no_finding(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.world.acts.subscriptions.PATIENCE", 0.3)
    world = await twins(town, f"{ALICE} has reached a subscription with {JULIET}: T", f"{ALICE} sees {JULIET}")
    await world.alice.block(JULIET)

    with pytest.raises(Unreached, match="T was not reached, for nothing came; waiting for subscribed of juliet"):
        await world.perform(0)


async def test_states_are_those_of_a_user_inside(town: Any) -> None:
    world = await twins(
        town,
        f"{JULIET} has reached a subscription with {ALICE}: T",
        f"{ALICE} has reached a subscription with romeo@gmail.com: T",
        f"{ALICE} sees {JULIET}",
    )

    for number in (0, 1):
        with pytest.raises(NotPlayable, match="of a user inside, and of a contact at a partner"):
            await world.perform(number)


# -- the administrator, and processes


async def test_what_commands_say_reaches_the_administrator(town: Any) -> None:
    world = await twins(
        town,
        "the administrator runs: Set-CsXmppAllowedPartner gmail.com",
        "the administrator is told: {output: done}",
        "the administrator is told: {error: missing}",
    )
    typed = []

    async def run_commands(text: str) -> list[tuple[str, str]]:
        typed.append(text)
        return [("output", "It is done."), ("error", "A parameter is missing.")]

    world.system.run_commands = run_commands

    assert [await world.verdict(number) for number in range(3)] == ["PASS", "PASS", "PASS"]
    assert typed == ["Set-CsXmppAllowedPartner gmail.com"]


async def test_a_system_without_commands_lacks_them(town: Any) -> None:
    world = await twins(
        town,
        "the administrator runs: Get-CsXmppAllowedPartner",
        "the system's process is killed: edge",
        f"{ALICE} sees {JULIET}",
    )

    for number, capability in enumerate(("cmdlets", "processes")):
        with pytest.raises(Unsupported, match=capability):
            await world.perform(number)


async def test_processes_are_killed_by_name(town: Any) -> None:
    world = await twins(
        town,
        "the system's process is killed: edge2.contoso.com",
        "the system's process starts: edge2.contoso.com",
        f"{ALICE} sees {JULIET}",
    )
    done = []

    async def kill(name: str) -> None:
        done.append(f"-{name}")

    async def start(name: str) -> None:
        done.append(f"+{name}")

    world.system.kill_process, world.system.start_process = kill, start

    for number in (0, 1):
        await world.perform(number)

    assert done == ["-edge2.contoso.com", "+edge2.contoso.com"]
