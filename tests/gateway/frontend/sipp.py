"""sipp (Debian sip-tester) as a user's device: the parts of its scenarios, and one run of it.

Knows how its scenarios are written and how it is run. Does not know at which gateway, nor what is to happen.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

needs_sipp = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="sipp is not installed: apt-get install sip-tester (Debian)"
)

CONTACT = "Contact: <sip:alice@[local_ip]:[local_port];transport=tcp>"

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


def register(*, methods: str = "", call: str = "") -> str:
    """Alice registers, as a device that says which methods it takes, or says nothing; `call` begins the Call-ID."""
    return REQUEST.format(
        start="REGISTER sip:contoso.com SIP/2.0",
        to="<sip:alice@contoso.com>",
        call=call,
        number=1,
        method="REGISTER",
        headers=CONTACT + (f';methods="{methods}"' if methods else "") + "\nExpires: 60",
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


def answer(code: str, headers: str = "", body: str = "") -> str:
    """An answer to what has come last; `headers` follow the To, whose tag they may begin with."""
    return f"""
  <send><![CDATA[

SIP/2.0 {code}
[last_Via:]
[last_From:]
[last_To:]{headers}
[last_Call-ID:]
[last_CSeq:]
Content-Length: [len]
{body}
  ]]></send>
"""


def receive(code: str) -> str:
    """A MESSAGE comes, and this is the answer."""
    return f'\n  <recv request="MESSAGE"/>{answer(code, ";tag=sipp")}'


def scenario(*parts: str) -> str:
    return (
        "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE scenario SYSTEM 'sipp.dtd'>"
        f"<scenario name='front end'>{''.join(parts)}</scenario>"
    )


class Sipp:
    """One run of sipp with one call on one TCP connection, from an address of its own.

    sipp takes no port 0 for itself; on an address of its own every port is free. `patience` is in seconds.
    """

    def __init__(self, folder: Path, place: tuple[str, int], own: str, patience: int = 10) -> None:
        self._folder, self._place, self._own, self._patience = folder, place, own, patience

    async def start(self, text: str, *options: str) -> None:
        """Begin with a scenario; `options` are more of the command's own."""
        (self._folder / "scenario.xml").write_text(text)
        patience = ("-timeout", str(self._patience), "-timeout_error", "-recv_timeout", str(self._patience * 750))
        self._process = await asyncio.create_subprocess_exec(
            *("sipp", f"{self._place[0]}:{self._place[1]}", "-sf", "scenario.xml", "-t", "t1", "-m", "1"),
            *("-i", self._own, "-p", "5060", "-nostdin", *patience),
            *("-trace_err", "-error_file", "errors", *options),
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def succeeded(self) -> str:
        """Empty, or what went wrong."""
        try:
            async with asyncio.timeout(self._patience + 5):
                code = await self._process.wait()
        except TimeoutError:
            return "sipp does not end"
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

        # It writes the file only where there is something to tell.
        file = self._folder / "errors"
        errors = file.read_text() if file.exists() else ""

        return "" if code == 0 and "nexpected" not in errors else f"exit {code}: {errors}"
