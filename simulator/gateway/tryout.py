"""Sends one message as a user inside, over SIP like any user's client, and tells what became of it.

Knows REGISTER and MESSAGE. Does not know the front end: it stands on the other side of a socket.
"""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import suppress

from simulator.gateway.frontend.addressing import uri_of
from simulator.gateway.management.running import Attempt
from simulator.sip.agent import Agent, Answered, Broken, Incoming
from simulator.sip.errors import PHRASES, SIPError
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import Response, build_request
from simulator.wire.connection import Connection, open_connection
from simulator.wire.tls import TLSContext
from simulator.xmpp.address import AddressError

#: the code of a final response, and the response, if one came
Answer = tuple[int, Response | None]
#: seconds to connect
PATIENCE = 5.0
BODY = b"This is a test message of Test-CsXmppIM."


async def send_message(
    host: str, port: int, sender: str, receiver: str, *, tls: TLSContext | None = None, timeout: float = 32.0
) -> Attempt:
    """Register as `sender` (bare address) at a registrar, send a message to `receiver`, and leave again.

    `timeout` bounds the wait for each answer, in seconds. Raises nothing: what goes wrong is in the result.
    """
    loop = asyncio.get_running_loop()

    try:
        connection = await open_connection(host, port, timeout=PATIENCE, tls=tls)
    except OSError as error:
        # 10060 is Windows' number of ETIMEDOUT, 10061 that of ECONNREFUSED; the documents show the former.
        number = {errno.ETIMEDOUT: 10060, errno.ECONNREFUSED: 10061}.get(error.errno or 0, error.errno)
        text = os.strerror(error.errno) if error.errno else str(error)
        return Attempt(error=f"{number} {text} {host}:{port}", diagnosis="the registrar is not there")

    client = _Client(connection, sender, timeout, "TLS" if tls is not None else "TCP")

    try:
        target = uri_of(receiver)
        code, response = await client.register(expires=120)

        if code != 200:
            return _failed(code, response, "REGISTER")

        began = loop.time()
        code, response = await client.message(target)
        took = loop.time() - began

        return Attempt(latency=took) if 200 <= code < 300 else _failed(code, response, "MESSAGE")
    except (AddressError, SIPError) as error:
        return Attempt(error=f"{receiver} is no address: {error}", diagnosis="the receiver cannot be written to")
    finally:
        with suppress(asyncio.CancelledError):
            await client.leave()


def _failed(code: int, response: Response | None, method: str) -> Attempt:
    if response is None:
        said = "was not answered in time" if code == 408 else "was not answered: the connection was lost"
        return Attempt(error=f"{code} {method} {said}")

    # What the first line says besides the number is free text; the reason is in a header of Microsoft's.
    diagnosis = response.header("ms-diagnostics") or ""

    return Attempt(error=f"{code} {response.phrase or PHRASES.get(code, '')} ({method})", diagnosis=diagnosis)


class _Client:
    """A user agent that signs in, writes once, and leaves."""

    def __init__(self, connection: Connection, user: str, timeout: float, transport: str) -> None:
        self._connection, self._uri, self._timeout, self._transport = connection, uri_of(user), timeout, transport
        self._identifiers = Identifiers()
        self._agent: Agent[asyncio.Future[Answer]] = Agent(
            source=connection.remote[0], tag=self._identifiers.fresh(), timeout=timeout
        )
        self._sequence = 0
        self._call = self._identifiers.fresh()
        self._tag = self._identifiers.fresh()
        connection.on_data = self._received
        connection.on_closed = self._closed

    async def register(self, *, expires: int) -> Answer:
        """Sign in, or out where `expires` (seconds) is 0."""
        host, port = self._connection.local[0], self._connection.local[1]
        contact = ("Contact", f"<sip:{host}:{port};transport={self._transport.lower()}>")
        registrar = f"sip:{self._uri.rpartition('@')[2]}"

        return await self._ask("REGISTER", registrar, self._uri, [contact, ("Expires", str(expires))])

    async def message(self, target: str) -> Answer:
        """Write to somebody (RFC 3428)."""
        return await self._ask("MESSAGE", target, target, [("Content-Type", "text/plain;charset=UTF-8")], BODY)

    async def leave(self) -> None:
        """Sign out and close the connection."""
        if not self._connection.closed:
            self._timeout = PATIENCE
            await self.register(expires=0)

        self._connection.close()

    async def _ask(self, method: str, target: str, to: str, more: list[tuple[str, str]], body: bytes = b"") -> Answer:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        branch = self._identifiers.branch()
        self._sequence += 1
        host, port = self._connection.local[0], self._connection.local[1]
        headers = [
            ("Via", f"SIP/2.0/{self._transport} {host}:{port};branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<{self._uri}>;tag={self._tag}"),
            ("To", f"<{to}>"),
            ("Call-ID", self._call if method == "REGISTER" else self._identifiers.fresh()),
            ("CSeq", f"{self._sequence} {method}"),
            *more,
        ]
        self._agent.begin(branch, method, answer, loop.time())
        self._connection.write(build_request(method, target, headers, body))
        timer = loop.call_later(self._timeout, lambda: self._tell(self._agent.expire(loop.time() + 1)))

        try:
            return await answer
        finally:
            timer.cancel()

    def _received(self, data: bytes) -> None:
        events = self._agent.receive(data)

        if self._agent.outgoing:
            self._connection.write(bytes(self._agent.outgoing))
            self._agent.outgoing.clear()

        for event in events:
            if isinstance(event, Incoming):
                # Whoever writes to the user now finds a device that takes nothing.
                self._connection.write(event.answer(480, tag=self._identifiers.fresh()))

        self._tell([event for event in events if isinstance(event, Answered)])

        if any(isinstance(event, Broken) for event in events):
            self._connection.close()

    def _closed(self, how: str, error: Exception | None) -> None:
        self._tell(self._agent.lost())

    def _tell(self, answers: list[Answered[asyncio.Future[Answer]]]) -> None:
        for answered in answers:
            if not answered.context.done():
                answered.context.set_result((answered.code, answered.response))
