"""What tests wait for at people's inboxes, whoever they are and wherever they live.

Knows the User of the world. Does not know how anything travels.
"""

from __future__ import annotations

import asyncio
from typing import Any

from simulator.world.users.user import PRESENCE, SUBSCRIPTION, User

#: seconds for what has to cross real servers; nobody waits for it where something is to stay away
PATIENCE = 20.0


async def arrived(user: User, what: str, **wanted: Any) -> dict[str, Any]:
    """Take the first arrival of this kind that has these fields. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        arrival = await user.inbox.next(
            lambda arrival: arrival.what == what and wanted.items() <= arrival.fields.items()
        )

    return arrival.fields


async def befriend(one: User, other: User) -> None:
    """`one` asks, is accepted, and sees the other."""
    await one.add_contact(other.address)
    await arrived(other, SUBSCRIPTION, type="subscribe")
    await other.accept(one.address)
    await arrived(one, SUBSCRIPTION, type="subscribed")
    await arrived(one, PRESENCE, type="available")
