"""Both roles of a SIP user agent on one connection: what it must answer by itself, and whose answer came.

Knows framing, parsing and transactions put together. Does not know sockets, users, or what a MESSAGE is for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from simulator.sip.errors import SIPError
from simulator.sip.framing import PONG, Frame, FramingError, KeepAlive, MessageReader
from simulator.sip.message import HeaderList, Request, Response, build_response, parse_message
from simulator.sip.transaction import (
    SERVER,
    TIMER_F,
    ClientTransactions,
    State,
    Transaction,
    TransactionEvent,
    event_of,
)

Context = TypeVar("Context")


class Incoming:
    """A request that reached us, until it is answered. `answer` gives the bytes; a second final answer is refused."""

    __slots__ = ("_source", "_transaction", "request")

    def __init__(self, request: Request, source: str) -> None:
        self.request, self._source = request, source
        self._transaction = Transaction(SERVER)

    @property
    def over(self) -> bool:
        """It has its final answer, or nobody waits for one."""
        return self._transaction.state is State.TERMINATED

    def answer(self, code: int, *, tag: str, phrase: str = "", headers: HeaderList = (), body: bytes = b"") -> bytes:
        """The response, to be written to the connection; raises TransactionError after a final one."""
        self._transaction.handle(event_of(code))

        return build_response(self.request, code, phrase, tag=tag, source=self._source, headers=headers, body=body)

    def lost(self) -> None:
        """The connection is gone."""
        if not self.over:
            self._transaction.handle(TransactionEvent.TRANSPORT_ERROR)


@dataclass(frozen=True, slots=True)
class Answered(Generic[Context]):
    """A request of ours has its final answer; `response` is None when none came in time, or the connection is gone."""

    context: Context
    response: Response | None
    code: int
    """The response's, or 408 and 503 for what RFC 3261 §8.1.3.1 calls timeout and transport error."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The stream cannot be followed any further: close the connection once everything is written."""

    text: str


class Agent(Generic[Context]):
    """A user agent on one connection. Bytes that it must send by itself are added to `outgoing`.

    `on_malformed` hears of messages that are answered or dropped here because nobody can read them.
    """

    def __init__(
        self,
        *,
        source: str,
        tag: str,
        timeout: float = TIMER_F,
        head_bytes: int = 16384,
        body_bytes: int = 65536,
        on_malformed: Callable[[SIPError], None] = lambda error: None,
    ) -> None:
        self._reader = MessageReader(head_bytes=head_bytes, body_bytes=body_bytes)
        self._clients: ClientTransactions[Context] = ClientTransactions(timeout)
        self._source, self._tag = source, tag
        self._broken = False
        self._on_malformed = on_malformed
        self.outgoing = bytearray()

    def begin(self, branch: str, method: str, context: Context, now: float) -> None:
        """Note a request that the owner sends; an `Answered` with its context will follow."""
        self._clients.begin(branch, method, context, now)

    def receive(self, data: bytes) -> list[Incoming | Answered[Context] | Broken]:
        """Take bytes; malformed requests are answered here, and strange responses dropped."""
        if self._broken:
            return []

        try:
            frames: list[Frame | KeepAlive] = self._reader.receive(data)
        except FramingError as error:
            self._broken = True
            found = [event for frame in error.frames if (event := self._take(frame)) is not None]
            self._refuse(error.head, error)

            return [*found, Broken(str(error))]

        return [event for frame in frames if (event := self._take(frame)) is not None]

    def expire(self, now: float) -> list[Answered[Context]]:
        """Requests of ours that nobody answered in time."""
        return [Answered(context, None, 408) for context in self._clients.expired(now)]

    def lost(self) -> list[Answered[Context]]:
        """The connection is gone: all our requests failed."""
        return [Answered(context, None, 503) for context in self._clients.lost()]

    @property
    def next_deadline(self) -> float | None:
        """When `expire` has something next."""
        return self._clients.next_deadline

    def _take(self, frame: Frame | KeepAlive) -> Incoming | Answered[Context] | None:
        if isinstance(frame, KeepAlive):
            self.outgoing += PONG
            return None

        try:
            message = parse_message(frame.head, frame.body)

            if isinstance(message, Response):
                context = self._clients.answered(message)

                return None if context is None else Answered(context, message, message.code)

            message.check()
        except SIPError as error:
            self._on_malformed(error)
            self._refuse(frame.head, error)
            return None

        # RFC 3261 §17.1.1.3: an ACK is never answered; without INVITE there is nothing that it could belong to.
        return None if message.method == "ACK" else Incoming(message, self._source)

    def _refuse(self, head: bytes, error: SIPError) -> None:
        """Answer what cannot be understood, as far as it can: a response needs the headers that it echoes.

        RFC 3261 §8.2: a malformed request is answered 400, "The Reason-Phrase SHOULD identify the syntax problem"
        (§21.4.1). A malformed response is dropped.
        """
        request: Request | Response | None

        try:
            request = parse_message(head, b"")
        except SIPError:
            request = _readable(head)

        needed = ("via", "from", "to", "call-id", "cseq")

        if not isinstance(request, Request) or request.method == "ACK" or any(n not in request.headers for n in needed):
            return

        phrase = "".join(character if " " <= character <= "~" else "?" for character in str(error))

        try:
            self.outgoing += build_response(request, error.code, phrase, tag=self._tag, source=self._source)
        except (SIPError, ValueError):
            # Not even its To can be read: there is no answer that would reach anybody.
            return


def _readable(head: bytes) -> Request | None:
    """The request without the header lines that nobody can read."""
    start, *lines = head.decode("utf-8", "replace").split("\r\n")
    kept = [line for line in lines if ":" in line and line[:1] not in " \t"]

    try:
        method, uri, _ = start.split(" ", 2)
        message = parse_message("\r\n".join([f"{method} {uri} SIP/2.0", *kept]).encode(), b"")
    except (SIPError, ValueError):
        return None

    return message if isinstance(message, Request) else None
