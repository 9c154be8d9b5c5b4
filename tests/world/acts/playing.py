"""Plays the steps of a scenario in which the system is one more partner.

Knows how such a stage is set up, and what is told of steps that were not fulfilled. Does not know what a step does.
"""

import random
from typing import Any

from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, judge_step
from simulator.world.acts.table import perform
from simulator.world.ca import CertificateAuthority
from simulator.world.partner.making import make_partner
from simulator.world.stage import Stage
from simulator.xmpp.element import parse_element


async def set_up(town: Any, scenario: Scenario, world: Any, authority: CertificateAuthority | None = None) -> Stage:
    """A stage on which the partners of a scenario have started."""
    stage = Stage(scenario, world, town.journal, {}, random.Random(1))

    for name, given in scenario.partners.items():
        partner = stage.partners[name] = make_partner(
            given,
            journal=town.journal,
            names=town.names,
            addresses=town.addresses,
            entropy=random.Random(name),
            scenario=scenario,
            authority=authority,
        )
        town.partners.append(partner)
        await partner.start()

    return stage


async def play_all(stage: Stage, system: Any) -> dict[str, str]:
    """Play every step; gives, by sentence, the reasons of those that were not fulfilled.

    Whatever alice@contoso.com is to do, the system sends an empty message in her name.
    """
    wrong: dict[str, str] = {}

    for step in stage.scenario.all_steps:
        if step.actor == "alice@contoso.com":
            system.send_stanza(parse_element("<message from='alice@contoso.com' to='juliet@gmail.com'/>"))
            continue

        seen = await perform(stage, step)
        stage.captures.update(seen.captures)
        verdict = judge_step(step, {"seen": seen.data}, stage.captures)
        stage.captures.update(verdict.captures)

        if verdict.outcome is not Outcome.PASS:
            wrong[step.text] = verdict.reason

    return wrong
