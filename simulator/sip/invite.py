"""INVITE transactions over a reliable transport (RFC 3261 §17.1.1, §17.2.1, as RFC 6026 corrects them), ACK and CANCEL.

Knows who acknowledges what, and when a CANCEL may leave. Does not know dialogs or sessions. `now` is an argument,
seconds from any origin.

How it works: nothing is retransmitted over TCP and TLS, so timers A, E and G do not exist, and D, I and K are zero
(of D: "at least 32 seconds for unreliable transports, and a value of zero seconds for reliable transports"). What
remains, each 64*T1: Timer B, how long a client waits for the first response, for after a provisional one people may
take their time; Timer H, how long a server waits for the ACK of a refusal; and Timers L and M of RFC 6026, how long a
2xx may come again. The 2xx is the affair of the cores: they repeat it and acknowledge it (§13.3.1.4, §13.2.2.4). A
refusal is acknowledged here. Sections without a name are those of RFC 3261.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from simulator.sip.message import HeaderList, Request, Response, build_request
from simulator.sip.transaction import TIMER_F, TransactionError

Context = TypeVar("Context")
Value = TypeVar("Value")

MAX_FORWARDS = 70


class InviteState(Enum):
    """Of an INVITE transaction, by the names of RFC 6026 figures 1 and 2."""

    CALLING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    """A 2xx passed; more of the same may."""
    COMPLETED = auto()
    """A refusal was sent, and waits for its ACK."""
    TERMINATED = auto()


class InviteEvent(Enum):
    """What moves an INVITE transaction."""

    PROVISIONAL = auto()
    SUCCESS = auto()
    FAILURE = auto()
    ACK = auto()
    TIMEOUT = auto()
    """B, H, L or M, whichever runs; or 64*T1 after a CANCEL (§9.1)."""
    TRANSPORT_ERROR = auto()


_E, _S = InviteEvent, InviteState
_ENDING = {_E.TIMEOUT: _S.TERMINATED, _E.TRANSPORT_ERROR: _S.TERMINATED}

INVITE_CLIENT: dict[InviteState, dict[InviteEvent, InviteState]] = {
    _S.CALLING: {
        _E.PROVISIONAL: _S.PROCEEDING,
        _E.SUCCESS: _S.ACCEPTED,
        _E.FAILURE: _S.TERMINATED,
        **_ENDING,
    },
    _S.PROCEEDING: {
        _E.PROVISIONAL: _S.PROCEEDING,
        _E.SUCCESS: _S.ACCEPTED,
        _E.FAILURE: _S.TERMINATED,
        **_ENDING,
    },
    _S.ACCEPTED: {_E.SUCCESS: _S.ACCEPTED, **_ENDING},
    _S.TERMINATED: {},
}

INVITE_SERVER: dict[InviteState, dict[InviteEvent, InviteState]] = {
    _S.PROCEEDING: {
        _E.PROVISIONAL: _S.PROCEEDING,
        _E.SUCCESS: _S.ACCEPTED,
        _E.FAILURE: _S.COMPLETED,
        _E.TRANSPORT_ERROR: _S.TERMINATED,
    },
    _S.ACCEPTED: {_E.SUCCESS: _S.ACCEPTED, **_ENDING},
    _S.COMPLETED: {_E.ACK: _S.TERMINATED, **_ENDING},
    _S.TERMINATED: {},
}


class InviteTransaction:
    """One INVITE transaction; `table` is INVITE_CLIENT or INVITE_SERVER."""

    __slots__ = ("_table", "state")

    def __init__(self, table: dict[InviteState, dict[InviteEvent, InviteState]]) -> None:
        self._table = table
        self.state = next(iter(table))

    def allows(self, event: InviteEvent) -> bool:
        """Whether the event may happen now."""
        return event in self._table[self.state]

    def handle(self, event: InviteEvent) -> InviteState:
        """Move on; raises TransactionError."""
        if not self.allows(event):
            raise TransactionError(f"{event.name} in state {self.state.name}")

        self.state = self._table[self.state][event]

        return self.state


def invite_event_of(code: int) -> InviteEvent:
    """What a response with this code is to an INVITE transaction."""
    return _E.PROVISIONAL if code < 200 else _E.SUCCESS if code < 300 else _E.FAILURE


@dataclass(slots=True)
class _Call(Generic[Context]):
    request: Request
    context: Context
    transaction: InviteTransaction
    deadline: float | None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Heard(Generic[Context]):
    """A response to an INVITE of ours. `event` is SUCCESS again for each 2xx that is repeated."""

    context: Context
    event: InviteEvent
    first: bool
    """Whether it is the first of its kind."""
    reply: bytes
    """What the transaction sends at once: the ACK of a refusal, or a CANCEL that had to wait."""


class InviteClients(Generic[Context]):
    """INVITEs of ours, by branch; each with a `context` of the owner's."""

    def __init__(self, timeout: float = TIMER_F) -> None:
        self._timeout = timeout
        self._calls: dict[str, _Call[Context]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def begin(self, request: Request, context: Context, now: float) -> None:
        """Note an INVITE that is being sent."""
        transaction = InviteTransaction(INVITE_CLIENT)
        self._calls[request.via.branch] = _Call(request, context, transaction, now + self._timeout)

    def receive(self, response: Response) -> Heard[Context] | None:
        """Take a response to an INVITE; None for a stranger's, and for one that comes too late. Raises SIPError."""
        call = self._calls.get(response.via.branch)
        event = invite_event_of(response.code)

        if call is None or not call.transaction.allows(event):
            return None

        before = call.transaction.state
        after = call.transaction.handle(event)
        reply = b""

        if after is _S.TERMINATED:
            del self._calls[response.via.branch]
            reply = acknowledgement(call.request, response)
        elif after is not before:
            # People take their time: from the first response on nothing runs but what `expired` begins.
            call.deadline = None

            if after is _S.PROCEEDING and call.cancelled:
                reply = cancellation(call.request)

        return Heard(call.context, event, after is not before, reply)

    def cancel(self, branch: str, now: float) -> bytes:
        """Ask for an end of an INVITE: the CANCEL to be sent now, or nothing.

        §9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent; rather, the client
        MUST wait for the arrival of a provisional response before sending the request." A final answer still comes.
        """
        call = self._calls.get(branch)

        if call is None or call.cancelled or call.transaction.state is _S.ACCEPTED:
            return b""

        call.cancelled = True

        if call.transaction.state is _S.CALLING:
            return b""

        call.deadline = now + self._timeout

        return cancellation(call.request)

    def expired(self, now: float) -> list[tuple[Context, int]]:
        """INVITEs that count as answered, and with which code: 408 after Timer B (§8.1.3.1), 487 after a CANCEL.

        §9.1: without a final response in 64*T1 "the UAC SHOULD then consider the original transaction cancelled".
        """
        found = []

        for branch, call in tuple(self._calls.items()):
            if call.deadline is None and (call.cancelled or call.transaction.state is _S.ACCEPTED):
                call.deadline = now + self._timeout

            if call.deadline is not None and call.deadline <= now:
                del self._calls[branch]

                if call.transaction.state is not _S.ACCEPTED:
                    found.append((call.context, 487 if call.cancelled else 408))

        return found

    def lost(self) -> list[Context]:
        """The connection is gone: INVITEs that have no final answer."""
        calls = [call for call in self._calls.values() if call.transaction.state is not _S.ACCEPTED]
        self._calls.clear()

        return [call.context for call in calls]

    @property
    def next_deadline(self) -> float | None:
        """When `expired` has something next."""
        return min((call.deadline for call in self._calls.values() if call.deadline is not None), default=None)


@dataclass(slots=True)
class _Served(Generic[Value]):
    value: Value
    transaction: InviteTransaction
    deadline: float | None = None


class InviteServers(Generic[Value]):
    """INVITEs of the peer, each a value of the owner's, for what belongs to them: CANCEL, and the ACK of a refusal."""

    def __init__(self, timeout: float = TIMER_F) -> None:
        self._timeout = timeout
        self._served: dict[tuple[str, str], _Served[Value]] = {}

    def __len__(self) -> int:
        return len(self._served)

    def begin(self, request: Request, value: Value, transaction: InviteTransaction) -> bool:
        """Note an INVITE; False for one that is here already (§17.2.3), which must not be taken for another."""
        key = (request.via.branch, request.via.host)

        if key in self._served:
            return False

        self._served[key] = _Served(value, transaction)

        return True

    def find(self, request: Request) -> Value | None:
        """The INVITE that a CANCEL is about (§9.2): that with the same branch."""
        found = self._served.get((request.via.branch, request.via.host))

        return None if found is None else found.value

    def acknowledge(self, request: Request) -> bool:
        """Take an ACK; whether it was that of a refusal, which nobody else needs to see (§17.1.1.3: same branch)."""
        key = (request.via.branch, request.via.host)
        found = self._served.get(key)

        if found is None or not found.transaction.allows(_E.ACK):
            return False

        found.transaction.handle(_E.ACK)
        del self._served[key]

        return True

    def expire(self, now: float) -> None:
        """Forget what has been answered for 64*T1: Timers H and L."""
        for key, served in tuple(self._served.items()):
            if served.transaction.state is _S.PROCEEDING:
                continue

            if served.deadline is None:
                served.deadline = now + self._timeout
            elif served.deadline <= now:
                del self._served[key]


def acknowledgement(request: Request, response: Response) -> bytes:
    """The ACK by which a client transaction answers a refusal (§17.1.1.3).

    It "MUST contain values for the Call-ID, From, and Request-URI that are equal to the values of those header fields
    in the request", "a single Via [...] equal to the top Via", and To as the response has it.
    """
    return _alike(request, "ACK", response.needed("to"))


def cancellation(request: Request) -> bytes:
    """The CANCEL of an INVITE. §9.1: "The Request-URI, Call-ID, To, the numeric part of CSeq, and From header fields in
    the CANCEL request MUST be identical to those in the request being cancelled, including tags."
    """
    return _alike(request, "CANCEL", request.needed("to"))


def _alike(request: Request, method: str, to: str) -> bytes:
    headers: HeaderList = [
        ("Via", request.needed("via")),
        ("Max-Forwards", str(MAX_FORWARDS)),
        *(("Route", value) for value in request.headers.get("route", ())),
        ("To", to),
        ("From", request.needed("from")),
        ("Call-ID", request.call_id),
        ("CSeq", f"{request.cseq[0]} {method}"),
    ]

    return build_request(method, request.uri, headers)
