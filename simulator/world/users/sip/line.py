"""One connection of a user agent: its requests and the answers to them, in the journal byte by byte.

Knows transactions on their connection. Does not know what any request is for.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from simulator.journal import Journal
from simulator.sip.agent import Agent, Answered, Broken, Cancelled, Incoming, Progress, Repeated
from simulator.sip.errors import SIPError
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList, Response, build_request
from simulator.wire.connection import Connection
from simulator.world.users.sip.addresses import bracketed

_NUMBERS = itertools.count(1)

#: called with the final code and, if one came, the response
OnFinal = Callable[[int, Response | None], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of ours, until it has its final answer."""

    on_final: OnFinal
    on_repeated: Callable[[], None] = lambda: None
    """A 2xx to an INVITE came again: it must be acknowledged again."""


class Line:
    """A connection that is up. `on_request` gets the peer's requests, `on_cancelled` an INVITE that it takes back."""

    def __init__(
        self,
        connection: Connection,
        *,
        address: str,
        journal: Journal,
        identifiers: Identifiers,
        timeout: float,
        on_request: Callable[[Incoming], None],
        on_cancelled: Callable[[Incoming], None],
        on_closed: Callable[[], None],
    ) -> None:
        self.identifiers = identifiers
        self._connection, self._address, self._journal = connection, address, journal
        self._on_request, self._on_cancelled, self._on_closed = on_request, on_cancelled, on_closed
        self._label = f"sip-{address}-{next(_NUMBERS)}"
        self._timer: asyncio.TimerHandle | None = None
        self._sequence = itertools.count(1)
        self._unanswered = 0
        self._all_answered = asyncio.Event()
        self._all_answered.set()
        host, port = connection.local
        self._sent_by = f"SIP/2.0/{'TLS' if connection.tls else 'TCP'} {bracketed(host)}:{port}"
        self.host = host
        """Our own address."""
        self.place = f"{bracketed(host)}:{port};transport={'tls' if connection.tls else 'tcp'}"
        """What a Contact of ours says behind the ``@``."""
        self._agent: Agent[Asked] = Agent(
            source=connection.remote[0],
            tag=identifiers.fresh(),
            timeout=timeout,
            body_bytes=1 << 20,
            on_malformed=self.violated,
        )
        local, remote = (f"{bracketed(host)}:{port}" for host, port in (connection.local, connection.remote))
        journal.record("opened", address, self._label, local=local, remote=remote, by="us")
        connection.on_data = self._received
        connection.on_closed = self._closed

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return not self._connection.closed

    async def all_answered(self) -> None:
        """Wait until every request of ours has its final answer."""
        await self._all_answered.wait()

    def next_number(self) -> int:
        """A number for the CSeq of a request outside of any dialog."""
        return next(self._sequence)

    def send(
        self,
        method: str,
        uri: str,
        headers: HeaderList,
        on_final: OnFinal | None,
        *,
        carried: str = "",
        body: bytes = b"",
        branch: str = "",
        on_repeated: Callable[[], None] = lambda: None,
    ) -> str:
        """Send a request and return its branch; `headers` without Via, `carried` is an id for the branch.

        Without `on_final` there is no answer to wait for: an ACK has none. Raises ConnectionError.
        """
        if self._connection.closed:
            raise ConnectionError(f"{self._address} is not signed in")

        branch = branch or self.identifiers.branch(carried)
        maximum = [] if any(name == "Max-Forwards" for name, _ in headers) else [("Max-Forwards", "70")]
        data = build_request(method, uri, [("Via", f"{self._sent_by};branch={branch}"), *maximum, *headers], body)
        now = asyncio.get_running_loop().time()

        if on_final is not None:
            self._unanswered += 1
            self._all_answered.clear()

            if method == "INVITE":
                self._agent.begin_invite(data, Asked(on_final, on_repeated), now)
            else:
                self._agent.begin(branch, method, Asked(on_final), now)

        self._write(data)
        self._schedule()

        return branch

    async def ask(
        self, method: str, uri: str, headers: HeaderList, *, body: bytes = b""
    ) -> tuple[int, Response | None]:
        """Send a request and wait for its final answer. Raises ConnectionError."""
        answer: asyncio.Future[tuple[int, Response | None]] = asyncio.get_running_loop().create_future()

        def answered(code: int, response: Response | None) -> None:
            if not answer.done():
                answer.set_result((code, response))

        self.send(method, uri, headers, answered, body=body)

        return await answer

    def cancel(self, branch: str) -> None:
        """Take an INVITE of ours back."""
        self._agent.cancel(branch, asyncio.get_running_loop().time())
        self._flush()

    def answer(
        self,
        incoming: Incoming,
        code: int,
        *,
        tag: str = "",
        phrase: str = "",
        headers: HeaderList = (),
        body: bytes = b"",
    ) -> bytes:
        """Answer a request, unless that is done or the connection is gone; returns what was written."""
        if incoming.over or self._connection.closed:
            return b""

        tag = tag or self.identifiers.fresh()
        data = incoming.answer(code, tag=tag, phrase=phrase, headers=headers, body=body)
        self._write(data)

        return data

    def violated(self, error: SIPError | str) -> None:
        """The system sent what is no SIP, or says what it must not: nobody announces that, so it fails the scenario."""
        self._journal.record("element", self._address, self._label, xml="", protocol="SIP", violation=str(error))

    def close(self) -> None:
        """Send what is written and end the connection."""
        self._connection.close()

    def abort(self) -> None:
        """Lose the connection (RST) without a word."""
        self._connection.abort()

    # -- inside

    def _write(self, data: bytes) -> None:
        self._journal.record_bytes("sent", self._address, self._label, data)
        self._connection.write(data)

    def _received(self, data: bytes) -> None:
        self._journal.record_bytes("received", self._address, self._label, data)

        for event in self._agent.receive(data):
            match event:
                case Incoming():
                    self._on_request(event)
                case Cancelled(incoming=incoming):
                    self._on_cancelled(incoming)
                case Answered():
                    self._answered(event)
                case Repeated(context=asked):
                    asked.on_repeated()
                case Progress():
                    pass
                case Broken(text=text):
                    self.violated(text)
                    self.abort()

        self._flush()

    def _flush(self) -> None:
        if self._agent.outgoing:
            self._write(bytes(self._agent.outgoing))
            self._agent.outgoing.clear()

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

        self._journal.record("ended", self._address, self._label, tcp=how, by="us" if how == "local" else "them")

        for answered in self._agent.lost():
            self._answered(answered)

        self._on_closed()

    def _answered(self, answered: Answered[Asked]) -> None:
        self._unanswered -= 1

        if not self._unanswered:
            self._all_answered.set()

        answered.context.on_final(answered.code, answered.response)
