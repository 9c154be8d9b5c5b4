"""A stranger's SIP: sipp (Debian sip-tester) exchanges MESSAGE with the front end over TCP, in both directions."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulator.world.addresses import Addresses

pytestmark = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="sipp is not installed: apt-get install sip-tester (Debian)"
)

REQUEST = """
  <send><![CDATA[

{start}
Via: SIP/2.0/TCP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
To: {to}
From: <sip:alice@contoso.com>;tag=[call_number]
Call-ID: {call}[call_id]
CSeq: {number} {method}
{headers}
Content-Length: [len]
{body}
  ]]></send>
  <recv response="{code}"/>
"""

REGISTER = REQUEST.format(
    start="REGISTER sip:contoso.com SIP/2.0",
    to="<sip:alice@contoso.com>",
    call="",
    number=1,
    method="REGISTER",
    headers="Contact: <sip:alice@[local_ip]:[local_port];transport=tcp>\nExpires: 60",
    body="",
    code=200,
)


def message(to: str, code: int) -> str:
    return REQUEST.format(
        start=f"MESSAGE sip:{to} SIP/2.0",
        to=f"sip:{to}",
        # sipp takes a Call-ID with slashes for another call's and does not mistake the answer.
        call="m///",
        number=2,
        method="MESSAGE",
        headers="Content-Type: text/plain\nSubject: From sipp",
        body="\nNeither, fair saint, if either thee dislike.",
        code=code,
    )


RECEIVE = """
  <recv request="MESSAGE"/>
  <send><![CDATA[

SIP/2.0 {code} {phrase}
[last_Via:]
[last_From:]
[last_To:];tag=sipp
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

  ]]></send>
"""


def scenario(*parts: str) -> str:
    return (
        "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE scenario SYSTEM 'sipp.dtd'>"
        f"<scenario name='front end'>{''.join(parts)}</scenario>"
    )


class Sipp:
    """One run of sipp with one call on one TCP connection."""

    def __init__(self, folder: Path, port: int, host: str = "127.0.0.1") -> None:
        self._folder, self._port, self._host = folder, port, host

    async def start(self, text: str) -> None:
        file = self._folder / "scenario.xml"
        file.write_text(text)

        # sipp takes no port 0 for itself; on an address of its own every port is free.
        self._addresses = Addresses()
        own = self._addresses.take("sipp")

        self._process = await asyncio.create_subprocess_exec(
            *("sipp", f"{self._host}:{self._port}", "-sf", str(file), "-t", "t1", "-m", "1", "-i", own),
            *("-p", "5060", "-nostdin", "-timeout", "10", "-timeout_error", "-recv_timeout", "5000"),
            *("-trace_err", "-error_file", str(self._folder / "errors.log")),
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def succeeded(self) -> str:
        """Empty, or what went wrong."""
        try:
            code = await asyncio.wait_for(self._process.wait(), 15)
        except TimeoutError:
            return "sipp does not end"
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

            self._addresses.close()

        errors = self._folder / "errors.log"

        return "" if code == 0 else f"exit {code}: {errors.read_text() if errors.exists() else ''}"


@pytest.fixture
def sipp(inside: Any, tmp_path: Path) -> Sipp:
    return Sipp(tmp_path, inside.port)


async def test_sipp_sends_a_message(inside: Any, sipp: Sipp) -> None:
    await sipp.start(scenario(REGISTER, message("juliet@gmail.com", 200)))
    stanza = await inside.next_stanza()

    assert await sipp.succeeded() == ""
    assert "from='alice@contoso.com' to='juliet@gmail.com'" in stanza
    assert "<subject>From sipp</subject><body>Neither, fair saint, if either thee dislike." in stanza


async def test_sipp_is_told_what_the_edge_says(inside: Any, sipp: Sipp) -> None:
    inside.hands_over = False
    await sipp.start(scenario(REGISTER, message("juliet@gmail.com", 604)))
    stanza = await asyncio.wait_for(inside.stanzas.get(), 5)
    inside.sends(
        f"<message type='error' id='{stanza.get('id')}' from='juliet@gmail.com' to='alice@contoso.com'>"
        "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )

    assert await sipp.succeeded() == ""


async def test_sipp_receives_a_message(inside: Any, sipp: Sipp) -> None:
    # One call of sipp is one Call-ID: the thread of the stanza makes our MESSAGE belong to the call that registered.
    await sipp.start(scenario(REGISTER, message("juliet@gmail.com", 200), RECEIVE.format(code=200, phrase="OK")))
    thread = (await asyncio.wait_for(inside.stanzas.get(), 5)).findtext("{jabber:server}thread")
    inside.sends(
        "<message from='juliet@gmail.com/balcony' to='alice@contoso.com' id='m1'>"
        f"<body>Art thou not Romeo?</body><thread>{thread}</thread></message>"
    )

    assert await sipp.succeeded() == ""


async def test_refusal_of_sipp_comes_back(inside: Any, sipp: Sipp) -> None:
    await sipp.start(scenario(REGISTER, message("juliet@gmail.com", 200), RECEIVE.format(code=486, phrase="Busy")))
    thread = (await asyncio.wait_for(inside.stanzas.get(), 5)).findtext("{jabber:server}thread")
    inside.sends(
        "<message from='juliet@gmail.com/balcony' to='alice@contoso.com' id='m1'>"
        f"<body>Art thou not Romeo?</body><thread>{thread}</thread></message>"
    )

    assert "<recipient-unavailable " in await inside.next_stanza()
    assert await sipp.succeeded() == ""
