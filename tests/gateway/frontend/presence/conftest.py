"""Users with presence on real connections to a real front end; the other end of its link stands for the partner.

Every phone is told of in the order of its connection, so that a test says all that comes, and in which order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from simulator.gateway.access.authorization import AuthorizationSettings
from simulator.gateway.configuration import FrontendSettings
from tests.gateway.frontend.presence.phone import LYNC, Phone, befriend

Enter = Callable[..., Any]


@pytest.fixture
def enter(start: Any, connect: Any) -> Enter:
    """``async with enter() as (inside, phone)``: a front end that asks its users, and a device of alice's."""

    @asynccontextmanager
    async def entered(rules: Any = None, *, methods: str = LYNC, **settings: Any) -> AsyncIterator[tuple[Any, Phone]]:
        frontend = FrontendSettings(sip_tcp_port=0, sip_tls_port=None, shortest_subscription=2)
        usual = {"frontend": frontend, "authorization": AuthorizationSettings(public_verified_prompts=True)}

        async with start(rules, **(usual | settings)) as inside, connect(inside.port) as wire:
            phone = Phone(wire)
            await phone.registers(methods=methods)
            yield inside, phone

    return entered


@pytest.fixture
async def here(enter: Enter) -> AsyncIterator[tuple[Any, Phone]]:
    """The front end, and alice's device ``desk``, of Lync's kind."""
    async with enter() as both:
        yield both


@pytest.fixture
async def friends(here: tuple[Any, Phone]) -> tuple[Any, Phone]:
    """Alice is available, and sees juliet, who has said nothing yet."""
    inside, phone = here
    await befriend(inside, phone)

    return here
