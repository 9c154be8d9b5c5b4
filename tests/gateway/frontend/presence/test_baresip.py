"""A stranger's device: baresip (Debian baresip-core) is asked for its user's presence and watches a contact, over TCP.

It is of RFC 8048's kind: it says nothing about methods, names no Accept, and before its status is set its documents
hold ``<basic>?</basic>``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator.gateway.access.authorization import AuthorizationSettings
from simulator.world.addresses import Addresses
from tests.gateway.frontend.baresip import Baresip, baresip, needs_baresip
from tests.gateway.frontend.presence.phone import has_taken, of_juliet

pytestmark = needs_baresip

ALICE, JULIET = "alice@contoso.com", "juliet@gmail.com"


@pytest.fixture
async def both(start: Any) -> AsyncIterator[tuple[Any, Baresip]]:
    with Addresses() as addresses:
        async with start(authorization=AuthorizationSettings(public_verified_prompts=True)) as inside:
            place, authority = ("127.0.0.1", inside.port), inside.authority.authority

            async with baresip(ALICE, addresses, place, authority=authority, contacts=[JULIET]) as alice:
                yield inside, alice


async def test_baresip_watches_a_contact(both: tuple[Any, Baresip]) -> None:
    inside, alice = both
    assert "type='subscribe'" in await inside.next_stanza()
    inside.sends(of_juliet("subscribed"))
    inside.sends(of_juliet(resource="home"))
    await alice.shows("Online")
    inside.sends(of_juliet(resource="home", content="<show>dnd</show>"))
    await alice.shows("Busy")
    inside.sends(of_juliet("unavailable", resource="home"))

    await alice.shows("Offline")


async def test_baresip_is_asked_for_presence(both: tuple[Any, Baresip]) -> None:
    inside, alice = both
    assert "type='subscribe'" in await inside.next_stanza()
    inside.sends(of_juliet("subscribe"))
    # Its first document holds <basic>?</basic>, which is consent and no presence.
    assert "type='subscribed'" in await inside.next_stanza()
    await has_taken(inside)
    await alice.command("presence_online")
    stanza = await inside.next_stanza()
    assert stanza.startswith("<presence from='alice@contoso.com/")
    assert "type=" not in stanza
    await alice.command("presence_offline")
    assert "type='unavailable'" in await inside.next_stanza()

    inside.sends(of_juliet("probe"))
    assert "type='unavailable'" in await inside.next_stanza()
