"""The steps about people, where the system between them is another partner."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.document import parse_document
from simulator.scenario.loader import read_scenarios
from simulator.world.acts import users
from simulator.world.acts.table import perform
from simulator.world.partner.making import make_partner
from simulator.world.stage import Stage
from simulator.world.users.user import Inbox
from simulator.xmpp.element import parse_element


async def test_a_control_message_that_was_lost_is_sent_again(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "LOST", 0.05)
    text = "claim: A test\nsteps: [juliet@gmail.com has received nothing]"
    scenario = read_scenarios(parse_document(text), "test")[0]
    system, sent = await town.partner("contoso.com"), []

    async def send_message(to: str, body: str, *, id: str) -> None:  # noqa: A002
        sent.append(to)

        if len(sent) == 2:
            system.send_stanza(parse_element(f"<message from='control@contoso.com' to='{to}' id='{id}'/>"))

    async def control_user(domain: str) -> Any:
        return SimpleNamespace(send_message=send_message, inbox=Inbox(town.journal, f"control@{domain}"))

    plan = SimpleNamespace(uses_presence=False)
    world: Any = SimpleNamespace(name_server=town.names, control_user=control_user, plan=plan)
    stage = Stage(scenario, world, town.journal, {}, random.Random(1))
    partner = stage.partners["gmail.com"] = make_partner(
        scenario.partners["gmail.com"],
        journal=town.journal,
        names=town.names,
        addresses=town.addresses,
        entropy=random.Random(2),
        scenario=scenario,
    )
    town.partners.append(partner)
    await partner.start()
    juliet: Any = SimpleNamespace(address="juliet@gmail.com", inbox=Inbox(town.journal, "juliet@gmail.com"))
    stage.users["juliet@gmail.com"] = juliet

    assert (await perform(stage, scenario.all_steps[0])).data == {}
    # Once more where the second takes long; always to the same person.
    assert len(sent) >= 2
    assert len(set(sent)) == 1
