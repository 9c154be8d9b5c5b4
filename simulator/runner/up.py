"""Keeps a world up until it is told to end, for people who want to look at it or join in.

Knows where everything listens. Plays no step.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from simulator.journal import Entry, Journal
from simulator.scenario.model import (
    DEFAULT_DOMAINS,
    DEFAULT_PARTNER_USERS,
    DEFAULT_PARTNERS,
    DEFAULT_SYSTEM_USERS,
    Partner,
    Scenario,
)
from simulator.world.casting import plan
from simulator.world.seating import Seats
from simulator.world.teardown import surely
from simulator.world.world import World

#: Seconds between two looks at the journal.
PACE = 0.1


async def stay_up(scenario: Scenario, seats: Seats, say: Callable[[str], None], show: Callable[[Entry], None]) -> None:
    """Bring the world of a scenario up, say where everything listens, and show what happens until cancelled.

    Raises what bringing up a world raises.
    """
    journal = Journal(time.monotonic)

    try:
        async with World(scenario, plan(scenario, seats.seed, shared=False), seats, journal) as world:
            for line in places(world):
                say(line)

            seen = len(journal.entries)

            while not world.system.died.is_set():
                for entry in journal.entries[seen:]:
                    show(entry)

                seen = len(journal.entries)
                await asyncio.sleep(PACE)

            say(f"the system died: {world.system.cause_of_death}")
    finally:
        await surely(seats.close())


def a_world() -> Scenario:
    """The usual world: the gateway's one domain, Google Talk, and two people at each."""
    inside = [f"{name}@{domain}" for domain in DEFAULT_DOMAINS for name in DEFAULT_SYSTEM_USERS]
    outside = [f"{name}@{domain}" for domain in DEFAULT_PARTNERS for name in DEFAULT_PARTNER_USERS]

    return Scenario(
        id="up",
        claim="A world that is only looked at",
        partners={name: Partner(domain=name, profile=given["profile"]) for name, given in DEFAULT_PARTNERS.items()},
        users={address: {} for address in (*inside, *outside)},
    )


def places(world: World) -> Iterator[str]:
    """Where everything listens, one line each."""
    host, port = world.seated.ground.name_server
    yield f"{'name server':<14}{host} port {port}   dig @{host} -p {port} {_service(world)} SRV"

    for domain in world.system.domains:
        host, port = world.system.address_of(domain)
        yield f"{'system':<14}{host} port {port}   {domain} ({world.system.name} {world.system.version})"

    for service, (host, port) in world.system.listening.items():
        yield f"{service:<14}{host} port {port}"

    for partner in world.partners.values():
        for name, (host, port) in partner.places.items():
            yield f"{'partner':<14}{host} port {port}   {partner.domain} ({partner.profile.name}) at {name}"

    for address in world.users:
        yield f"{'user':<14}{address}"


def _service(world: World) -> str:
    return f"_xmpp-server._tcp.{world.system.domains[0]}"
