"""Non-INVITE transactions over a reliable transport (RFC 3261 §17.1.2, §17.2.2), and requests that wait for an answer.

Rule 1: both state machines are the two tables here. Rule 2: `now` is an argument, seconds from any origin.

How it works: over TCP and TLS nothing is retransmitted, so timers E and G do not exist, and timers J and K are zero
("If ... a reliable transport, the server transaction MUST set timer J to fire in 0 seconds"): a transaction is over
with its final response, and the state Completed is never stayed in. What remains is Timer F, 64*T1 = 32 s: how long a
client waits. All waits of one `Waiting` are equally long, so they end in the order in which they began, and a
dict, which keeps that order, is all the timer wheel that is needed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from enum import Enum, auto
from typing import Generic, TypeVar

from simulator.sip.message import Response

#: 64*T1 (RFC 3261 §17.1.2.2), in seconds
TIMER_F = 32.0

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class State(Enum):
    """Of a transaction, by the names of RFC 3261 figures 6 and 8."""

    TRYING = auto()
    PROCEEDING = auto()
    TERMINATED = auto()


class TransactionEvent(Enum):
    """What moves a transaction."""

    PROVISIONAL = auto()
    """A 1xx: received by a client, sent by a server."""
    FINAL = auto()
    """A 2xx to 6xx."""
    TIMEOUT = auto()
    """Timer F."""
    TRANSPORT_ERROR = auto()
    """The connection is gone."""


class TransactionError(Exception):
    """The state of the transaction does not allow this: a bug here, or a second final answer from a peer."""


_E, _S = TransactionEvent, State

CLIENT: dict[State, dict[TransactionEvent, State]] = {
    _S.TRYING: {
        _E.PROVISIONAL: _S.PROCEEDING,
        _E.FINAL: _S.TERMINATED,
        _E.TIMEOUT: _S.TERMINATED,
        _E.TRANSPORT_ERROR: _S.TERMINATED,
    },
    _S.PROCEEDING: {
        _E.PROVISIONAL: _S.PROCEEDING,
        _E.FINAL: _S.TERMINATED,
        _E.TIMEOUT: _S.TERMINATED,
        _E.TRANSPORT_ERROR: _S.TERMINATED,
    },
    _S.TERMINATED: {},
}

SERVER: dict[State, dict[TransactionEvent, State]] = {
    _S.TRYING: {
        _E.PROVISIONAL: _S.PROCEEDING,
        _E.FINAL: _S.TERMINATED,
        _E.TRANSPORT_ERROR: _S.TERMINATED,
    },
    _S.PROCEEDING: {
        _E.PROVISIONAL: _S.PROCEEDING,
        _E.FINAL: _S.TERMINATED,
        _E.TRANSPORT_ERROR: _S.TERMINATED,
    },
    _S.TERMINATED: {},
}


class Transaction:
    """One transaction; `table` is CLIENT or SERVER."""

    __slots__ = ("_table", "state")

    def __init__(self, table: dict[State, dict[TransactionEvent, State]]) -> None:
        self._table = table
        self.state = State.TRYING

    def handle(self, event: TransactionEvent) -> State:
        """Move on; raises TransactionError."""
        following = self._table[self.state].get(event)

        if following is None:
            raise TransactionError(f"{event.name} in state {self.state.name}")

        self.state = following

        return following


def event_of(code: int) -> TransactionEvent:
    """What a response with this code is to a transaction."""
    return TransactionEvent.PROVISIONAL if code < 200 else TransactionEvent.FINAL


class Waiting(Generic[Key, Value]):
    """Things that wait for an answer, each for `timeout` seconds."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._entries: dict[Key, tuple[float, Value]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def add(self, key: Key, value: Value, now: float) -> None:
        """Begin to wait; raises KeyError when the key waits already."""
        if key in self._entries:
            raise KeyError(key)

        self._entries[key] = (now + self._timeout, value)

    def get(self, key: Key) -> Value | None:
        """What waits under this key, and goes on waiting."""
        entry = self._entries.get(key)

        return entry[1] if entry else None

    def take(self, key: Key) -> Value | None:
        """What waited under this key, and no longer does."""
        entry = self._entries.pop(key, None)

        return entry[1] if entry else None

    def take_expired(self, now: float) -> Iterator[tuple[Key, Value]]:
        """Everything that has waited long enough, oldest first."""
        while self._entries:
            key, (deadline, value) = next(iter(self._entries.items()))

            if deadline > now:
                return

            del self._entries[key]
            yield key, value

    def take_all(self) -> list[tuple[Key, Value]]:
        """Everything, oldest first."""
        entries = [(key, value) for key, (_, value) in self._entries.items()]
        self._entries.clear()

        return entries

    @property
    def next_deadline(self) -> float | None:
        """When `take_expired` has something next, in the terms of `now`."""
        return next(iter(self._entries.values()))[0] if self._entries else None


class ClientTransactions(Generic[Value]):
    """Requests sent and not yet finally answered, by branch; each with a `context` of the owner's."""

    def __init__(self, timeout: float = TIMER_F) -> None:
        self._waiting: Waiting[tuple[str, str], tuple[Transaction, Value]] = Waiting(timeout)

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, branch: str, method: str, context: Value, now: float) -> None:
        """Note a request that is being sent."""
        self._waiting.add((branch, method), (Transaction(CLIENT), context), now)

    def answered(self, response: Response) -> Value | None:
        """The context of the request that this response finally answers; None for a 1xx and for a stranger.

        RFC 3261 §17.1.3: it matches "if the response has the same value of the branch parameter in the top Via" and
        "if the method parameter in the CSeq header field matches". Raises SIPSyntaxError.
        """
        key = (response.via.branch, response.cseq[1])
        found = self._waiting.get(key)

        if found is None:
            return None

        transaction, context = found

        if transaction.handle(event_of(response.code)) is not State.TERMINATED:
            return None

        self._waiting.take(key)

        return context

    def expired(self, now: float) -> list[Value]:
        """The contexts of requests whose Timer F fires; to be treated as answered by 408 (RFC 3261 §8.1.3.1)."""
        return [self._end(entry, TransactionEvent.TIMEOUT) for _, entry in self._waiting.take_expired(now)]

    def lost(self) -> list[Value]:
        """The connection is gone: the contexts of all requests; to be treated as answered by 503 (§8.1.3.1)."""
        return [self._end(entry, TransactionEvent.TRANSPORT_ERROR) for _, entry in self._waiting.take_all()]

    @property
    def next_deadline(self) -> float | None:
        """When `expired` has something next."""
        return self._waiting.next_deadline

    def _end(self, entry: tuple[Transaction, Value], event: TransactionEvent) -> Value:
        transaction, context = entry
        transaction.handle(event)

        return context
