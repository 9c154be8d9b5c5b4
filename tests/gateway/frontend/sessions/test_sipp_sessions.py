"""A stranger's SIP in sessions: sipp (Debian sip-tester) invites, is invited, talks and hangs up over TCP."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.gateway.frontend.sipp import CONTACT, Sipp, answer, message, needs_sipp, register, scenario

pytestmark = needs_sipp

REGISTER = register(methods="INVITE, MESSAGE, BYE")

SDP = """
v=0
o=- 0 0 IN IP4 [local_ip]
s=session
c=IN IP4 [local_ip]
t=0 0
m=message 5060 sip null
a=accept-types:text/plain application/im-iscomposing+xml
"""


def request(method: str, number: int, headers: str = "", body: str = "") -> str:
    """A request of sipp's within the dialog that it opened itself."""
    return f"""
  <send><![CDATA[

{method} [next_url] SIP/2.0
Via: SIP/2.0/TCP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
To: <sip:juliet@gmail.com>[peer_tag_param]
From: <sip:alice@contoso.com>;tag=sipp
Call-ID: m///[call_id]
CSeq: {number} {method}
{headers or "Subject: sipp"}
Content-Length: [len]
{body}
  ]]></send>
"""


def invite(headers: str) -> str:
    return f"""
  <send><![CDATA[

INVITE sip:juliet@gmail.com SIP/2.0
Via: SIP/2.0/TCP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
To: <sip:juliet@gmail.com>
From: <sip:alice@contoso.com>;tag=sipp
Call-ID: m///[call_id]
CSeq: 1 INVITE
{CONTACT}
{headers}
Content-Type: application/sdp
Content-Length: [len]
{SDP}
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="200" rrs="true"/>
"""


RECEIVED_200 = '<recv response="200"/>'


async def test_sipp_opens_a_session_talks_and_hangs_up(inside: Any, sipp: Sipp) -> None:
    await sipp.start(
        scenario(
            REGISTER,
            invite("Supported: ms-text-format\nms-text-format: text/plain; charset=UTF-8;ms-body=SGk="),
            request("ACK", 1),
            request("MESSAGE", 2, "Content-Type: text/plain;charset=UTF-8", "\nArt thou not Romeo?"),
            RECEIVED_200,
            '<recv request="MESSAGE"/>',
            answer("200 OK"),
            request("BYE", 3),
            RECEIVED_200,
        )
    )
    first, second = await inside.next_stanza(), await inside.next_stanza()
    assert "<body>Hi</body>" in first
    assert "<body>Art thou not Romeo?" in second
    assert "type='chat'" in second
    inside.sends(
        "<message from='juliet@gmail.com/balcony' to='alice@contoso.com' type='chat' id='m1'><body>Neither</body>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )

    assert "to='juliet@gmail.com/balcony'" in (gone := await inside.next_stanza())
    assert "<gone xmlns='http://jabber.org/protocol/chatstates'/>" in gone
    assert await sipp.succeeded() == ""


async def test_sipp_is_invited_talks_and_is_hung_up_on(inside: Any, sipp: Sipp) -> None:
    # One call of sipp is one Call-ID: the thread of its first message makes our INVITE belong to the call.
    await sipp.start(
        scenario(
            REGISTER,
            message("juliet@gmail.com", 200),
            '<recv request="INVITE" rrs="true"/>',
            answer("180 Ringing", ";tag=sipp", ""),
            answer("200 OK", f";tag=sipp\n{CONTACT}\nContent-Type: application/sdp", SDP),
            '<recv request="ACK"/>',
            '<recv request="MESSAGE"/>',
            answer("200 OK"),
            '<recv request="BYE"/>',
            answer("200 OK"),
        )
    )
    thread = (await asyncio.wait_for(inside.stanzas.get(), 5)).findtext("{jabber:server}thread")
    start = (
        f"<message from='juliet@gmail.com/balcony' to='alice@contoso.com' type='chat' id='m1'><thread>{thread}</thread>"
    )
    inside.sends(f"{start}<body>Art thou not Romeo?</body></message>")
    inside.sends(f"{start}<gone xmlns='http://jabber.org/protocol/chatstates'/></message>")

    assert await sipp.succeeded() == ""


async def test_sipp_takes_its_invite_back(inside: Any, sipp: Sipp) -> None:
    inside.hands_over = False
    cancelled = invite("ms-text-format: text/plain;ms-body=SGk=").replace('<recv response="200" rrs="true"/>', "")
    await sipp.start(
        scenario(
            REGISTER,
            cancelled.replace(' optional="true"', ""),
            """
  <send><![CDATA[

CANCEL sip:juliet@gmail.com SIP/2.0
[last_Via:]
Max-Forwards: 70
To: <sip:juliet@gmail.com>
From: <sip:alice@contoso.com>;tag=sipp
Call-ID: m///[call_id]
CSeq: 1 CANCEL
Content-Length: 0

  ]]></send>
  <recv response="200"/>
  <recv response="487"/>
  <send><![CDATA[

ACK sip:juliet@gmail.com SIP/2.0
[last_Via:]
Max-Forwards: 70
[last_To:]
From: <sip:alice@contoso.com>;tag=sipp
Call-ID: m///[call_id]
CSeq: 1 ACK
Content-Length: 0

  ]]></send>
""",
        )
    )

    assert await sipp.succeeded() == ""


async def test_refusal_of_sipp_reaches_the_contact(inside: Any, sipp: Sipp) -> None:
    await sipp.start(
        scenario(
            REGISTER,
            message("juliet@gmail.com", 200),
            '<recv request="INVITE"/>',
            answer("486 Busy Here", ";tag=sipp"),
            '<recv request="ACK"/>',
        )
    )
    thread = (await asyncio.wait_for(inside.stanzas.get(), 5)).findtext("{jabber:server}thread")
    inside.sends(
        "<message from='juliet@gmail.com/balcony' to='alice@contoso.com' type='chat' id='m1'>"
        f"<body>Art thou not Romeo?</body><thread>{thread}</thread></message>"
    )

    assert "<recipient-unavailable " in await inside.next_stanza()
    assert await sipp.succeeded() == ""
