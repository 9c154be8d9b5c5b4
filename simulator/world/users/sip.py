"""A person inside who speaks SIP: a user agent on one TCP or TLS connection to the system.

Knows REGISTER and MESSAGE. Does not know the gateway: addresses are translated here by other code, on purpose.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import random
import re
from typing import Any
from urllib.parse import quote

from simulator.journal import Journal
from simulator.sip.agent import Agent, Answered, Broken, Incoming
from simulator.sip.errors import SIPError, conditions_behind_code
from simulator.sip.identifiers import Identifiers, id_in_branch
from simulator.sip.message import HeaderList, Request, build_request
from simulator.sip.uri import parse_uri
from simulator.wire.connection import Connection, open_connection
from simulator.wire.tls import TLSContext
from simulator.world.users.user import ACCEPTED, MESSAGE, REFUSAL, Inbox

#: seconds that the system has to take us in or to let us go
PATIENCE = 3.0
GOODBYE = 0.5
_SCHEME = re.compile(r"(?:sips?|im|pres|tel):", re.IGNORECASE)
_XEP_0106 = {"20": " ", "22": '"', "26": "&", "27": "'", "2f": "/", "3a": ":", "3c": "<", "3e": ">", "40": "@"}
_NUMBERS = itertools.count(1)

#: an id of a MESSAGE, or who waits for the answer to a REGISTER
Context = str | asyncio.Future[int]


class SIPUser:
    """One user agent; `address` is bare (``user@domain``). Raises PermissionError off loopback.

    `answer_code` is what it answers to a MESSAGE, 200 unless told otherwise, 0 for silence; `answer_phrase` and
    `answer_headers` go with it. What it refuses it does not show: nothing reaches the inbox then.
    """

    def __init__(
        self,
        address: str,
        host: str,
        port: int,
        journal: Journal,
        *,
        tls: TLSContext | None = None,
        server_name: str | None = None,
        timeout: float = 32.0,
        entropy: random.Random | None = None,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise PermissionError(f"{host} is not on loopback: users contact nobody else")

        self.address = address
        self.inbox = Inbox(journal, address)
        self.answer_code = 200
        self.answer_phrase = ""
        self.answer_headers: HeaderList = ()
        self._journal, self._host, self._port = journal, host, port
        self._tls, self._server_name, self._timeout = tls, server_name, timeout
        self._identifiers = Identifiers(entropy)
        self._uri = uri_of(address)
        self._connection: Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sequence = itertools.count(1)

    async def sign_in(self, device: str = "") -> None:
        """Connect and register. Raises ConnectionError."""
        await self.sign_out()

        try:
            connection = await open_connection(
                self._host, self._port, timeout=PATIENCE, tls=self._tls, server_name=self._server_name
            )
        except OSError as error:
            raise ConnectionError(f"{self.address} cannot sign in at {self._host}:{self._port}: {error}") from None

        self._attach(connection)
        code = await self._register(3600, PATIENCE)

        if not 200 <= code < 300:
            connection.close()
            raise ConnectionError(f"{self.address} cannot sign in at {self._host}:{self._port}: REGISTER got {code}")

    async def sign_out(self, device: str = "") -> None:
        """Remove the registration and disconnect; never raises."""
        if self._connection is None:
            return

        connection = self._connection
        await self._register(0, GOODBYE)
        connection.close()
        self._connection = None

    def vanish(self) -> None:
        """Lose the connection (RST) without a word."""
        if self._connection is not None:
            self._connection.abort()

    async def send_message(
        self,
        to: str,
        body: str,
        *,
        id: str,  # noqa: A002
        type: str | None = None,  # noqa: A002
        subject: str | None = None,
        thread: str | None = None,
        language: str | None = None,
        extra: str = "",
        content_type: str = "text/plain;charset=UTF-8",
        sender: str | None = None,
        method: str = "MESSAGE",
    ) -> None:
        """Send a MESSAGE; its answer reaches the inbox as ``accepted`` or ``refusal`` with the same `id`.

        `to` is an address, or a URI that is used as it is. `sender` is another From than our own, `method` another
        request: for those who test what is refused. `type` and `extra` have no place in SIP. Raises ConnectionError.

        Messages may overlap, although RFC 3428 §8 forbids it outside of a dialog: clients do so inside of theirs, and
        how a gateway queues could not be tested otherwise.
        """
        target = to if _SCHEME.match(to) else uri_of(to)
        optional = (("Subject", subject), ("Content-Language", language), ("Content-Type", content_type))
        headers = [
            ("To", f"<{target}>"),
            ("From", f"<{sender or self._uri}>;tag={self._identifiers.fresh()}"),
            ("Call-ID", thread or self._identifiers.fresh()),
            ("CSeq", f"{next(self._sequence)} {method}"),
            *((name, text) for name, text in optional if text is not None),
        ]
        self._request(method, target, headers, id, id, body.encode("utf-8"))

    async def _register(self, expires: int, patience: float) -> int:
        """The code of the answer, 0 when there is none."""
        connection = self._connection

        if connection is None or connection.closed:
            return 0

        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        host, port = connection.local
        transport = "tls" if connection.tls else "tcp"
        user = self._uri.removeprefix("sip:").partition("@")[0]
        headers = [
            ("To", f"<{self._uri}>"),
            ("From", f"<{self._uri}>;tag={self._identifiers.fresh()}"),
            ("Call-ID", self._identifiers.fresh()),
            ("CSeq", f"{next(self._sequence)} REGISTER"),
            ("Contact", f"<sip:{user}@{_bracketed(host)}:{port};transport={transport}>"),
            ("Expires", str(expires)),
        ]

        try:
            self._request("REGISTER", f"sip:{self.address.rpartition('@')[2]}", headers, "", answer)

            return await asyncio.wait_for(answer, patience)
        except (TimeoutError, ConnectionError):
            return 0

    def _request(
        self, method: str, uri: str, headers: HeaderList, carried: str, context: Context, body: bytes = b""
    ) -> None:
        connection = self._connection

        if connection is None or connection.closed:
            raise ConnectionError(f"{self.address} is not signed in")

        host, port = connection.local
        branch = self._identifiers.branch(carried)
        via = f"SIP/2.0/{'TLS' if connection.tls else 'TCP'} {_bracketed(host)}:{port};branch={branch}"
        data = build_request(method, uri, [("Via", via), ("Max-Forwards", "70"), *headers], body)
        self._agent.begin(branch, method, context, asyncio.get_running_loop().time())
        self._write(data)
        self._schedule()

    def _attach(self, connection: Connection) -> None:
        self._connection = connection
        self._label = f"sip-{self.address}-{next(_NUMBERS)}"
        self._agent: Agent[Context] = Agent(
            source=connection.remote[0],
            tag=self._identifiers.fresh(),
            timeout=self._timeout,
            body_bytes=1 << 20,
            on_malformed=self._violated,
        )
        local, remote = (f"{_bracketed(host)}:{port}" for host, port in (connection.local, connection.remote))
        self._journal.record("opened", self.address, self._label, local=local, remote=remote, by="us")
        connection.on_data = self._received
        connection.on_closed = self._closed

    def _write(self, data: bytes) -> None:
        if self._connection is not None:
            self._journal.record_bytes("sent", self.address, self._label, data)
            self._connection.write(data)

    def _received(self, data: bytes) -> None:
        self._journal.record_bytes("received", self.address, self._label, data)

        for event in self._agent.receive(data):
            match event:
                case Incoming():
                    self._incoming(event)
                case Answered():
                    self._answered(event)
                case Broken(text=text):
                    self._violated(text)
                    self.vanish()

        if self._agent.outgoing:
            self._write(bytes(self._agent.outgoing))
            self._agent.outgoing.clear()

    def _violated(self, error: SIPError | str) -> None:
        """The system sent what is no SIP: nobody announces that, so it fails the scenario."""
        self._journal.record("element", self.address, self._label, xml="", protocol="SIP", violation=str(error))

    def _incoming(self, incoming: Incoming) -> None:
        request = incoming.request
        code = self.answer_code if request.method == "MESSAGE" else 405

        if 200 <= code < 300:
            self.inbox.arrived(MESSAGE, **_fields(request))

        if code:
            headers = self.answer_headers if request.method == "MESSAGE" else [("Allow", "MESSAGE")]
            tag = self._identifiers.fresh()
            self._write(incoming.answer(code, tag=tag, phrase=self.answer_phrase, headers=headers))

    def _answered(self, answered: Answered[Context]) -> None:
        context, code = answered.context, answered.code

        if isinstance(context, asyncio.Future):
            if not context.done():
                context.set_result(code)
        elif code < 300:
            self.inbox.arrived(ACCEPTED, id=context, code=code)
        else:
            phrase = answered.response.phrase if answered.response else None
            self.inbox.arrived(REFUSAL, id=context, code=code, conditions=conditions_behind_code(code), text=phrase)

    def _schedule(self) -> None:
        """One timer for all requests: it wakes for the oldest."""
        deadline = self._agent.next_deadline

        if deadline is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None

        for answered in self._agent.expire(asyncio.get_running_loop().time()):
            self._answered(answered)

        self._schedule()

    def _closed(self, how: str, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

        self._journal.record("ended", self.address, self._label, tcp=how, by="us" if how == "local" else "them")

        for answered in self._agent.lost():
            self._answered(answered)


def uri_of(address: str) -> str:
    """The SIP URI of an address, by RFC 7247 §6.5 and XEP-0106."""
    bare, _, resource = address.partition("/")
    local, _, domain = bare.rpartition("@")
    plain = re.sub(r"\\([0-9a-f]{2})", lambda match: _XEP_0106.get(match[1], match[0]), local)
    user = quote(plain.replace("\\5c", "\\"), safe="-_.!~*'()&=+$,;?/")
    suffix = f";gr={quote(resource, safe='-_.!~*()[]/:&+$')}" if resource else ""

    return f"sip:{user}@{domain}{suffix}" if user else f"sip:{domain}{suffix}"


def address_of(uri: str) -> str:
    """The address behind a SIP URI, by RFC 7247 §6.4 and XEP-0106; what is no URI is given back as it is."""
    try:
        parsed = parse_uri(uri)
    except SIPError:
        return uri

    escapes = {character: f"\\{code}" for code, character in _XEP_0106.items()}
    user = "".join(escapes.get(character, character) for character in parsed.user)
    resource = parsed.parameters.get("gr")
    bare = f"{user}@{parsed.host}" if user else parsed.host

    return f"{bare}/{resource}" if resource else bare


def _fields(request: Request) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": id_in_branch(request.via.branch),
        "subject": request.header("subject"),
        "thread": request.call_id,
        "xml:lang": request.header("content-language"),
        "body": request.body.decode("utf-8", "replace"),
        "type": "normal",
        "content-type": request.header("content-type"),
    }

    for name, value in (("from", request.sender.uri), ("to", request.to.uri)):
        fields[name], fields[f"{name}-uri"] = address_of(value), value

    return fields


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
