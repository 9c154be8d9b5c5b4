"""A stranger's SIP: sipp (Debian sip-tester) watches a contact over TCP, and is told in NOTIFY."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator.gateway.access.authorization import AuthorizationSettings
from tests.gateway.frontend.presence.phone import of_juliet
from tests.gateway.frontend.sipp import CONTACT, REQUEST, Sipp, answer, message, needs_sipp, register, scenario

pytestmark = needs_sipp

# The call is that of the subscription, so that sipp takes the NOTIFYs for its own.
REGISTER = register(methods="MESSAGE, NOTIFY", call="r///")

#: the tag of the dialog, which sipp's own memory loses with the next answer to anything else
KEEP_TAG = """
  <recv response="200"><action>
    <ereg regexp="tag=(.*)" search_in="hdr" header="To:" check_it="true" assign_to="8,9"/>
    <log message="[$8]"/>
  </action></recv>
"""

NOTIFY = """
  <recv request="NOTIFY"><action>
    <ereg regexp="{state}" search_in="hdr" header="Subscription-State:" check_it="true" assign_to="{number}"/>
    <ereg regexp="{body}" search_in="body" check_it="true" assign_to="{number}"/>
    <log message="[${number}]"/>
  </action></recv>
"""


def subscribe(number: int, expires: int, to: str) -> str:
    return REQUEST.format(
        start="SUBSCRIBE sip:juliet@gmail.com SIP/2.0",
        to=to,
        call="",
        number=number,
        method="SUBSCRIBE",
        headers=f"Event: presence\nAccept: application/pidf+xml\n{CONTACT}\nExpires: {expires}",
        body="",
        code=200,
    )


def notify(number: int, state: str, body: str = ".*") -> str:
    return NOTIFY.format(number=number, state=state, body=body) + answer("200 OK")


@pytest.fixture
async def inside(start: Any) -> AsyncIterator[Any]:
    async with start(authorization=AuthorizationSettings(public_verified_prompts=True)) as made:
        yield made


async def test_sipp_watches_a_contact(inside: Any, sipp: Sipp) -> None:
    await sipp.start(
        scenario(
            REGISTER,
            subscribe(2, 3600, "<sip:juliet@gmail.com>").replace('<recv response="200"/>', KEEP_TAG),
            notify(1, "pending;expires=3600"),
            # Says that sipp has answered: it takes a second NOTIFY before that for a mistake.
            message("juliet@gmail.com", 200),
            notify(2, "active"),
            subscribe(3, 0, "<sip:juliet@gmail.com>;tag=[$9]"),
            notify(3, "terminated;reason=timeout", "closed"),
        )
    )
    assert "type='subscribe'" in await inside.next_stanza()
    assert "<message" in await inside.next_stanza()
    inside.sends(of_juliet("subscribed"))
    stanza = await inside.next_stanza()

    assert await sipp.succeeded() == ""
    assert "type='unavailable'" in stanza
