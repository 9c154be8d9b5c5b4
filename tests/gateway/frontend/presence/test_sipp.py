"""A stranger's SIP: sipp (Debian sip-tester) watches a contact over TCP, and is told in NOTIFY."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulator.gateway.access.authorization import AuthorizationSettings
from tests.gateway.frontend.presence.phone import of_juliet
from tests.gateway.frontend.test_sipp import REQUEST, Sipp, message, scenario

pytestmark = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="sipp is not installed: apt-get install sip-tester (Debian)"
)

REGISTER = REQUEST.format(
    start="REGISTER sip:contoso.com SIP/2.0",
    to="<sip:alice@contoso.com>",
    # The call is that of the subscription, so that sipp takes the NOTIFYs for its own.
    call="r///",
    number=1,
    method="REGISTER",
    headers='Contact: <sip:alice@[local_ip]:[local_port];transport=tcp>;methods="MESSAGE, NOTIFY"\nExpires: 60',
    body="",
    code=200,
)

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
  <send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

  ]]></send>
"""


def subscribe(number: int, expires: int, to: str) -> str:
    return REQUEST.format(
        start="SUBSCRIBE sip:juliet@gmail.com SIP/2.0",
        to=to,
        call="",
        number=number,
        method="SUBSCRIBE",
        headers="Event: presence\nAccept: application/pidf+xml\n"
        f"Contact: <sip:alice@[local_ip]:[local_port];transport=tcp>\nExpires: {expires}",
        body="",
        code=200,
    )


def notify(number: int, state: str, body: str = ".*") -> str:
    return NOTIFY.format(number=number, state=state, body=body)


@pytest.fixture
async def asked(start: Any) -> AsyncIterator[Any]:
    async with start(authorization=AuthorizationSettings(public_verified_prompts=True)) as inside:
        yield inside


async def test_sipp_watches_a_contact(asked: Any, tmp_path: Path) -> None:
    sipp = Sipp(tmp_path, asked.port)
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
    assert "type='subscribe'" in await asked.next_stanza()
    assert "<message" in await asked.next_stanza()
    asked.sends(of_juliet("subscribed"))
    stanza = await asked.next_stanza()

    assert await sipp.succeeded() == ""
    assert "type='unavailable'" in stanza
