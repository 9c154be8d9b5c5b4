"""A stranger's user agent inside, baresip over TCP and TLS, and a stranger's server outside, Prosody.

baresip is of RFC 8048's kind: it asks its contacts by SUBSCRIBE, and whoever asks for its own user it lets in.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.users.habits import Habits
from simulator.world.users.user import MESSAGE, PRESENCE, REFUSAL, SUBSCRIPTION
from tests.gateway.frontend.baresip import baresip, needs_baresip
from tests.interop.conftest import OUTSIDE, row
from tests.world.systems.conftest import Town
from tests.world.users.arrivals import arrived

pytestmark = needs_baresip

ALICE = "alice@contoso.com"


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_baresip_and_a_contact_see_each_other_and_talk(town: Town, outside: Any, transport: str) -> None:
    server, gateway = await asyncio.gather(
        outside(OUTSIDE), town.seat(EmbeddedProcess, partners={OUTSIDE: row("not-supported/not-supported/yes")})
    )
    place = gateway.listening["sips" if transport == "tls" else "sip"]
    juliet = await town.user(server, f"juliet@{OUTSIDE}", Habits(uses_presence=True))

    async with baresip(
        ALICE,
        town.addresses,
        place,
        authority=town.authority.authority,
        transport=transport,
        contacts=[juliet.address],
    ) as alice:
        await arrived(juliet, SUBSCRIPTION, type="subscribe")
        await alice.shows("Unknown")
        await juliet.accept(ALICE)
        await alice.shows("Online")
        await juliet.set_presence(show="dnd")
        await alice.shows("Busy")
        # Its own reading of <rpid:away/>, beside which the document says "open".
        await juliet.set_presence(show="away")
        await alice.shows("Offline")

        # The contact asks, which is a SUBSCRIBE here, too; its first document says neither open nor closed.
        await juliet.add_contact(ALICE)
        await arrived(juliet, SUBSCRIPTION, type="subscribed")
        assert (await juliet.contact_list())[ALICE]["subscription"] == "both"
        await alice.command("presence_online")
        assert (await arrived(juliet, PRESENCE))["type"] == "available"
        await alice.command("presence_offline")
        assert (await arrived(juliet, PRESENCE))["type"] == "unavailable"

        await juliet.send_message(ALICE, "Art thou not Roméo? <&>", id="m1")
        await alice.hears("MESSAGE", "Art thou not Roméo? <&>")
        await alice.command("message", "Neither, fair saint")
        assert (await arrived(juliet, MESSAGE))["body"] == "Neither, fair saint"
        # Calls do not cross: RFC 3261 §21.4.26, "not acceptable here".
        await alice.command("dial", f"sip:{juliet.address}")
        assert (await alice.tells(type="CALL_CLOSED"))["param"].startswith("488 ")

        await juliet.remove_contact(ALICE)
        await alice.shows("Unknown")
        assert ALICE not in await juliet.contact_list()
        assert [arrival for arrival in juliet.inbox.arrivals if arrival.what == REFUSAL] == []
