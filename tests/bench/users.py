"""Users of the system in raw bytes: SIP users of the gateway, clients of an XMPP server.

Knows each protocol as patterns of bytes, and answers as cheaply as it can. Checks nothing.
"""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Protocol

from tests.bench.partner import MessageScanner, Note

SYSTEM = "contoso.example"
PARTNER = "partner.example"
PASSWORD = "pass"
TEXT = "A message as people write them: not long, not short, one line."
#: how many addresses outside are written to: more than ever wait for an answer, for a SIP user agent must not have
#: two messages under way to the same URI (RFC 3428 §8)
CORRESPONDENTS = 2000

_BODY_END = TEXT[-12:].encode()
_BRANCH = re.compile(rb"branch=z9hG4bKb(\d+)~")
_ECHOED = (b"Via:", b"From", b"Call", b"CSeq")
_GREETING = (
    f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    f" to='{SYSTEM}' version='1.0'>"
)


class Users(Protocol):
    """The connection of some users."""

    note: Note
    answered: int

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def close(self) -> None:
        """End the connection."""


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.note: Note = lambda ids: None
        self.answered = 0
        self._received = b""
        self._more = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._more.set()

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    async def _until(self, pattern: bytes) -> None:
        """Wait for these bytes, and forget them and what came before."""
        async with asyncio.timeout(10):
            while not (found := re.search(pattern, self._received)):
                self._more.clear()
                await self._more.wait()

        self._received = self._received[found.end() :]


class SIPUsers(_Connection):
    """Some SIP users behind one connection."""

    def __init__(self) -> None:
        super().__init__()
        self._ready = False

    async def sign_in(self, names: list[str]) -> None:
        """Register."""
        host, port = self._transport.get_extra_info("sockname")

        for name in names:
            uri = f"sip:{name}@{SYSTEM}"
            head = [
                f"REGISTER sip:{SYSTEM} SIP/2.0",
                f"Via: SIP/2.0/TCP {host}:{port};branch=z9hG4bKr{name}",
                f"To: <{uri}>",
                f"From: <{uri}>;tag=r",
                f"Call-ID: register-{name}",
                "CSeq: 1 REGISTER",
                "Max-Forwards: 70",
                f"Contact: <sip:{name}@{host}:{port};transport=tcp>;expires=3600",
                "Content-Length: 0\r\n\r\n",
            ]
            self.write("\r\n".join(head).encode())
            await self._until(rb"SIP/2\.0 200 [^\0]*?\r\n\r\n")

        self._ready = True

    def data_received(self, data: bytes) -> None:
        if not self._ready:
            super().data_received(data)
            return

        data = self._received + data

        if data.startswith(b"SIP/2.0"):
            self._take_answers(data)
        else:
            self._take_messages(data)

    def _take_answers(self, data: bytes) -> None:
        whole, mark, self._received = data.rpartition(b"\r\n\r\n")
        answers = whole.count(b"SIP/2.0 200 ")

        if mark and answers != whole.count(b"SIP/2.0 "):
            raise ConnectionError(f"a message was refused: {whole[:300]!r}")

        self.answered += answers
        self.note([])

    def _take_messages(self, data: bytes) -> None:
        *messages, self._received = data.split(_BODY_END)
        answers, numbers = [], []

        for message in messages:
            head = message.partition(b"\r\n\r\n")[0]
            numbers += _BRANCH.findall(head)
            answers.append(b"SIP/2.0 200 OK\r\n")

            for line in head.split(b"\r\n"):
                if line[:4] in _ECHOED:
                    answers.append(line + b"\r\n")
                elif line[:4] == b"To: ":
                    answers.append(line + b";tag=a\r\n")

            answers.append(b"Content-Length: 0\r\n\r\n")

        self._transport.write(b"".join(answers))
        self.answered += len(messages)
        self.note(numbers)


def sip_message(number: int, name: str) -> bytes:
    """A MESSAGE of a user to somebody outside."""
    uri = f"sip:p{number % CORRESPONDENTS}@{PARTNER}"
    head = [
        f"MESSAGE {uri} SIP/2.0",
        f"Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKb{number}",
        "Max-Forwards: 70",
        f"To: <{uri}>",
        f"From: <sip:{name}@{SYSTEM}>;tag=m{number}",
        f"Call-ID: c{number}",
        "CSeq: 1 MESSAGE",
        "Content-Type: text/plain",
        f"Content-Length: {len(TEXT)}",
    ]

    return ("\r\n".join(head) + f"\r\n\r\n{TEXT}").encode()


class XMPPUsers(_Connection):
    """A client of an XMPP server: one user, for XMPP has one to a connection."""

    def __init__(self) -> None:
        super().__init__()
        self._scanner: MessageScanner | None = None

    async def sign_in(self, names: list[str]) -> None:
        """Log in with PLAIN, bind a resource and be available."""
        (name,) = names
        self.write(_GREETING.encode())
        await self._until(b"</stream:features>")
        secret = base64.b64encode(f"\0{name}\0{PASSWORD}".encode()).decode()
        self.write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>".encode())
        await self._until(b"<success[^>]*>")
        self.write(_GREETING.encode())
        await self._until(b"</stream:features>")
        self.write(b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        await self._until(b"</iq>")
        self.write(b"<presence/><iq type='get' id='there'><ping xmlns='urn:xmpp:ping'/></iq>")
        await self._until(rb"<iq[^>]*id=['\"]there['\"]")
        self._scanner = MessageScanner()

    def data_received(self, data: bytes) -> None:
        if self._scanner is None:
            super().data_received(data)
        elif numbers := self._scanner.ids(data):
            self.answered += len(numbers)
            self.note(numbers)


def client_message(number: int, name: str) -> bytes:
    """A message of a client to somebody outside."""
    to = f"p{number % CORRESPONDENTS}@{PARTNER}"

    return f"<message to='{to}' id='b{number}'><body>{TEXT}</body></message>".encode()


def partner_message(number: int, name: str) -> bytes:
    """A message of somebody outside to a user."""
    sender, to = f"p{number % CORRESPONDENTS}@{PARTNER}/desk", f"{name}@{SYSTEM}"

    return f"<message from='{sender}' to='{to}' id='b{number}' type='chat'><body>{TEXT}</body></message>".encode()
