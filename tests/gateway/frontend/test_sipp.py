"""A stranger's SIP: sipp (Debian sip-tester) exchanges MESSAGE with the front end over TCP, in both directions."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.gateway.frontend.sipp import Sipp, message, needs_sipp, receive, register, scenario

pytestmark = needs_sipp


async def test_sipp_sends_a_message(inside: Any, sipp: Sipp) -> None:
    await sipp.start(scenario(register(), message("juliet@gmail.com", 200)))
    stanza = await inside.next_stanza()

    assert await sipp.succeeded() == ""
    assert "from='alice@contoso.com' to='juliet@gmail.com'" in stanza
    assert "<subject>From sipp</subject><body>Neither, fair saint, if either thee dislike." in stanza


async def test_sipp_is_told_what_the_edge_says(inside: Any, sipp: Sipp) -> None:
    inside.hands_over = False
    await sipp.start(scenario(register(), message("juliet@gmail.com", 604)))
    stanza = await asyncio.wait_for(inside.stanzas.get(), 5)
    inside.sends(
        f"<message type='error' id='{stanza.get('id')}' from='juliet@gmail.com' to='alice@contoso.com'>"
        "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )

    assert await sipp.succeeded() == ""


async def test_sipp_receives_a_message(inside: Any, sipp: Sipp) -> None:
    # One call of sipp is one Call-ID: the thread of the stanza makes our MESSAGE belong to the call that registered.
    await sipp.start(scenario(register(), message("juliet@gmail.com", 200), receive("200 OK")))
    thread = (await asyncio.wait_for(inside.stanzas.get(), 5)).findtext("{jabber:server}thread")
    inside.sends(
        "<message from='juliet@gmail.com/balcony' to='alice@contoso.com' id='m1'>"
        f"<body>Art thou not Romeo?</body><thread>{thread}</thread></message>"
    )

    assert await sipp.succeeded() == ""


async def test_refusal_of_sipp_comes_back(inside: Any, sipp: Sipp) -> None:
    await sipp.start(scenario(register(), message("juliet@gmail.com", 200), receive("486 Busy")))
    thread = (await asyncio.wait_for(inside.stanzas.get(), 5)).findtext("{jabber:server}thread")
    inside.sends(
        "<message from='juliet@gmail.com/balcony' to='alice@contoso.com' id='m1'>"
        f"<body>Art thou not Romeo?</body><thread>{thread}</thread></message>"
    )

    assert "<recipient-unavailable " in await inside.next_stanza()
    assert await sipp.succeeded() == ""
