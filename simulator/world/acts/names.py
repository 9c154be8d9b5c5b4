"""How the steps about the name server are played.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from simulator.scenario.model import Step
from simulator.world.acts.barriers import QUIET_PERIOD
from simulator.world.dns import fault_name, read_fault
from simulator.world.dns_zone import ZoneError, key_of
from simulator.world.stage import Act, NotPlayable, Seen, Stage


async def publishes(stage: Stage, step: Step) -> Seen:
    """Add records; earlier ones of the same name and type give way."""
    try:
        stage.world.name_server.publish(_zone_text(stage, step.argument), instead=True)
    except ZoneError as error:
        raise NotPlayable(str(error)) from None

    return Seen()


async def withdraws(stage: Stage, step: Step) -> Seen:
    """Remove the records of a name, or those of one type."""
    given = step.argument
    pairs = given.items() if isinstance(given, Mapping) else [tuple([*str(given).split(), ""][:2])]

    for name, record_type in pairs:
        try:
            stage.world.name_server.withdraw(stage.fill(str(name)), str(record_type or ""))
        except (ZoneError, AttributeError) as error:
            raise NotPlayable(str(error)) from None

    return Seen()


async def answers(stage: Stage, step: Step) -> Seen:
    """Fail questions about names from now on; null heals a name."""
    if not isinstance(step.argument, Mapping):
        raise NotPlayable("DNS answers takes a mapping of names to faults")

    declared: list[str] = []

    for given_name, given in step.argument.items():
        name = stage.fill(str(given_name))

        if given is None:
            stage.world.name_server.heal(name)
            continue

        try:
            fault = read_fault(_filled(stage, given))
        except ZoneError as error:
            raise NotPlayable(str(error)) from None

        stage.world.name_server.fail(name, fault)
        declared.append(fault_name(name, fault.kind))

    return Seen({"faults": declared})


async def is_asked(stage: Stage, step: Step) -> Seen:
    """Wait until the question has been asked; each question is taken once."""
    wanted = _question(stage, step.argument)

    async with stage.within(step, f"the question {' '.join(wanted.values())}"):
        while True:
            for number, entry in enumerate(stage.journal.entries):
                if entry.kind == "query" and number not in stage.questions and _is(entry.data, wanted):
                    stage.questions.add(number)
                    data = {key: entry.data[key] for key in ("name", "type", "transport")}
                    return Seen({"query": data}, (number,))

            await stage.world.name_server.asked()


async def is_not_asked(stage: Stage, step: Step) -> Seen:
    """Nothing can prove that nobody will ask: wait a while, and say how long."""
    await asyncio.sleep(QUIET_PERIOD)
    stage.journal.record("barrier", "dns", quiet_s=QUIET_PERIOD)

    return Seen({"quiet_s": QUIET_PERIOD})


def _zone_text(stage: Stage, given: Any) -> str:
    """Zone text, or a mapping of names to records (one, or a list), with real names and addresses filled in."""
    if isinstance(given, Mapping):
        lines = [
            f"{name} {record}"
            for name, records in given.items()
            for record in (records if isinstance(records, list) else [records])
        ]
        given = "\n".join(lines)

    text: str = _filled(stage, str(given))

    return text


def _filled(stage: Stage, given: Any) -> Any:
    """Real names and addresses in a text, or in every text of a mapping."""
    if isinstance(given, Mapping):
        return {key: _filled(stage, value) for key, value in given.items()}

    if not isinstance(given, str):
        return given

    text = stage.real(given)

    for partner in stage.partners.values():
        text = partner.place_for_all(text)

    if " of " in text:
        text = _with_places_of_the_system(stage, text)

    return stage.fill(text)


def _with_places_of_the_system(stage: Stage, text: str) -> str:
    """Records may point at the system as well: a partner that claims to live there, or one of several edges."""
    system = stage.world.system
    edges: Mapping[str, tuple[int, str, int]] = getattr(system, "edges", {})

    for name in (*stage.scenario.domains, *edges):
        if f" of {name}}}" in text:
            _, host, port = edges.get(name) or (0, *system.address_of(name))
            text = text.replace(f"{{address of {name}}}", host).replace(f"{{port of {name}}}", str(port))

    return text


def _question(stage: Stage, given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        given = dict(zip(("name", "type"), str(given).split(), strict=False))

    wanted = {str(key): str(value) for key, value in given.items()}

    return {**wanted, "name": key_of(stage.fill(wanted["name"]))} if "name" in wanted else wanted


def _is(data: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(str(data.get(key, "")).lower() == value.lower() for key, value in wanted.items())


ACTS: dict[str, Act] = {
    "publishes": publishes,
    "withdraws": withdraws,
    "answers": answers,
    "is asked": is_asked,
    "is not asked": is_not_asked,
}
