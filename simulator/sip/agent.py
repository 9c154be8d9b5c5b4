"""Both roles of a SIP user agent on one connection: what it must answer by itself, and whose answer came.

Knows framing, parsing and transactions put together. Does not know sockets, users, or what a MESSAGE is for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from simulator.sip.errors import SIPError
from simulator.sip.framing import PONG, Frame, FramingError, KeepAlive, MessageReader
from simulator.sip.invite import (
    INVITE_SERVER,
    InviteClients,
    InviteEvent,
    InviteServers,
    InviteState,
    InviteTransaction,
    invite_event_of,
)
from simulator.sip.message import HeaderList, Request, Response, build_response, parse_message
from simulator.sip.transaction import (
    SERVER,
    TIMER_F,
    ClientTransactions,
    State,
    Transaction,
    TransactionError,
    TransactionEvent,
    event_of,
)

Context = TypeVar("Context")

#: requests that are never answered, not even to refuse them: an ACK (RFC 3261 §17), and a notification by "best effort"
#: ([MS-SIP] §3.5)
UNANSWERED = frozenset({"ACK", "BENOTIFY"})


class Incoming:
    """A request that reached us, until it is answered. `answer` gives the bytes; a second final answer is refused."""

    __slots__ = ("_source", "_transaction", "request")

    def __init__(self, request: Request, source: str) -> None:
        self.request, self._source = request, source
        self._transaction = Transaction(SERVER)

        if request.method in UNANSWERED:
            self._transaction.state = State.TERMINATED

    @property
    def over(self) -> bool:
        """It has its final answer, or nobody waits for one."""
        return self._transaction.state is State.TERMINATED

    def answer(self, code: int, *, tag: str, phrase: str = "", headers: HeaderList = (), body: bytes = b"") -> bytes:
        """The response, to be written to the connection; raises TransactionError after a final one."""
        self._advance(code)

        return build_response(self.request, code, phrase, tag=tag, source=self._source, headers=headers, body=body)

    def lost(self) -> None:
        """The connection is gone."""
        if not self.over:
            self._transaction.handle(TransactionEvent.TRANSPORT_ERROR)

    def _advance(self, code: int) -> None:
        self._transaction.handle(event_of(code))


class IncomingInvite(Incoming):
    """An INVITE. Its 2xx may be repeated by the owner, who keeps the bytes (RFC 3261 §13.3.1.4)."""

    __slots__ = ("invite",)

    def __init__(self, request: Request, source: str) -> None:
        super().__init__(request, source)
        self.invite = InviteTransaction(INVITE_SERVER)

    @property
    def over(self) -> bool:
        """It has its final answer, or nobody waits for one."""
        return self.invite.state is not InviteState.PROCEEDING

    def lost(self) -> None:
        """The connection is gone."""
        if not self.over:
            self.invite.handle(InviteEvent.TRANSPORT_ERROR)

    def _advance(self, code: int) -> None:
        if self.over:
            raise TransactionError(f"a second final answer: {code}")

        self.invite.handle(invite_event_of(code))


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The peer takes an INVITE back; the CANCEL is answered already, the INVITE must be: 487 (RFC 3261 §9.2)."""

    incoming: Incoming


@dataclass(frozen=True, slots=True)
class Progress(Generic[Context]):
    """A provisional response to an INVITE of ours."""

    context: Context
    response: Response


@dataclass(frozen=True, slots=True)
class Repeated(Generic[Context]):
    """A 2xx to an INVITE of ours came once more: whoever sent it has not seen our ACK."""

    context: Context
    response: Response


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


Event = Incoming | Answered[Context] | Broken | Cancelled | Progress[Context] | Repeated[Context]


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
        self._invite_clients: InviteClients[Context] = InviteClients(timeout)
        self._invite_servers: InviteServers[Incoming] = InviteServers(timeout)
        self._source, self._tag = source, tag
        self._broken = False
        self._on_malformed = on_malformed
        self.outgoing = bytearray()

    def begin(self, branch: str, method: str, context: Context, now: float) -> None:
        """Note a request that the owner sends; an `Answered` with its context will follow."""
        self._clients.begin(branch, method, context, now)

    def begin_invite(self, data: bytes, context: Context, now: float) -> None:
        """Note an INVITE that the owner sends, as bytes; `Progress`, one `Answered` and perhaps `Repeated` follow.

        A refusal is acknowledged here, a 2xx by the owner.
        """
        head, _, body = data.partition(b"\r\n\r\n")
        request = parse_message(head, body)
        assert isinstance(request, Request)
        self._invite_clients.begin(request, context, now)

    def cancel(self, branch: str, now: float) -> None:
        """Take an INVITE of ours back, as soon as that is allowed; its `Answered` still comes."""
        self.outgoing += self._invite_clients.cancel(branch, now)

    def receive(self, data: bytes) -> list[Event[Context]]:
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
        self._invite_servers.expire(now)
        invites = [Answered(context, None, code) for context, code in self._invite_clients.expired(now)]

        return [*(Answered(context, None, 408) for context in self._clients.expired(now)), *invites]

    def lost(self) -> list[Answered[Context]]:
        """The connection is gone: all our requests failed."""
        return [Answered(context, None, 503) for context in (*self._clients.lost(), *self._invite_clients.lost())]

    @property
    def next_deadline(self) -> float | None:
        """When `expire` has something next."""
        deadlines = (self._clients.next_deadline, self._invite_clients.next_deadline)

        return min((each for each in deadlines if each is not None), default=None)

    def _take(self, frame: Frame | KeepAlive) -> Event[Context] | None:
        if isinstance(frame, KeepAlive):
            self.outgoing += PONG
            return None

        try:
            message = parse_message(frame.head, frame.body)

            if isinstance(message, Response):
                return self._response(message)

            message.check()
        except SIPError as error:
            self._on_malformed(error)
            self._refuse(frame.head, error)
            return None

        return self._request(message)

    def _response(self, response: Response) -> Event[Context] | None:
        if response.cseq[1] != "INVITE":
            context = self._clients.answered(response)

            return None if context is None else Answered(context, response, response.code)

        heard = self._invite_clients.receive(response)

        if heard is None:
            return None

        self.outgoing += heard.reply

        if heard.event is InviteEvent.PROVISIONAL:
            return Progress(heard.context, response)

        return Answered(heard.context, response, response.code) if heard.first else Repeated(heard.context, response)

    def _request(self, request: Request) -> Incoming | Cancelled | None:
        if request.method == "INVITE":
            invite = IncomingInvite(request, self._source)

            return invite if self._invite_servers.begin(request, invite, invite.invite) else None

        # The ACK of a refusal ends here; that of a 2xx is for whoever sent the 2xx (RFC 3261 §13.3.1.4).
        if request.method == "ACK" and self._invite_servers.acknowledge(request):
            return None

        found = self._invite_servers.find(request) if request.method == "CANCEL" else None

        if found is None:
            return Incoming(request, self._source)

        # RFC 3261 §9.2: "If it finds one, it answers the CANCEL with a 200 (OK)"; one that has its final answer is
        # not touched.
        self.outgoing += build_response(request, 200, tag=self._tag, source=self._source)

        return None if found.over else Cancelled(found)

    def _refuse(self, head: bytes, error: SIPError) -> None:
        """Answer what cannot be understood, as far as it can.

        RFC 3261 §8.2: a malformed request is answered 400, "The Reason-Phrase SHOULD identify the syntax problem"
        (§21.4.1). RFC 4475 §3.3.1 has the same for one without Call-ID, From or To: its sender knows it by the branch.
        A malformed response is dropped.
        """
        request: Request | Response | None

        try:
            request = parse_message(head, b"")
        except SIPError:
            request = _readable(head)

        # Without Via nobody can tell which request was meant; of the others, those that are there are echoed.
        if not isinstance(request, Request) or request.method in UNANSWERED or "via" not in request.headers:
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
