"""One SIP connection of a user: its user agent, and messages on their way to the device behind it.

Knows how a MESSAGE leaves over this connection and how its answer comes back. Does not know users or stanzas.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulator.sip.agent import Agent, Answered, Broken, Incoming
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList, Response, build_request
from simulator.wire.connection import Connection

#: called with the final code and, if one came, the response
OnFinal = Callable[[int, Response | None], None]


@dataclass(frozen=True, slots=True)
class Leg:
    """One MESSAGE to one device."""

    uri: str
    branch: str
    data: bytes
    on_final: OnFinal


class Flow:
    """A connection to a user agent. `on_request` gets its requests, `on_closed` its end."""

    def __init__(
        self,
        connection: Connection,
        identifiers: Identifiers,
        *,
        timeout: float,
        body_bytes: int,
        unsent_bytes: int,
        queue: int,
        overlaps: bool,
        clock: Callable[[], float],
        on_request: Callable[[Flow, Incoming], None],
        on_closed: Callable[[Flow], None],
    ) -> None:
        self._connection, self._identifiers, self._clock = connection, identifiers, clock
        self._unsent_bytes, self._queue, self._overlaps = unsent_bytes, queue, overlaps
        self._on_request, self._on_closed = on_request, on_closed
        self.transport = "TCP" if connection.tls is None else "TLS"
        self.remote = connection.remote
        self.tag = identifiers.fresh()
        # Two local values that every message needs: computing them 8000 times a second would be felt.
        host, port = connection.local
        self._via = f"SIP/2.0/{self.transport} {f'[{host}]' if ':' in host else host}:{port};branch="
        self._agent: Agent[Leg] = Agent(
            source=connection.remote[0], tag=self.tag, timeout=timeout, body_bytes=body_bytes
        )
        self._busy: dict[str, deque[Leg]] = {}
        connection.on_data = self._received
        connection.on_closed = self._ended

    @property
    def local_host(self) -> str:
        """The address that the user agent connected to."""
        return self._connection.local[0]

    def answer(self, incoming: Incoming, code: int, *, phrase: str = "", headers: HeaderList = ()) -> None:
        """Answer a request of this connection, unless it is gone."""
        if not incoming.over and not self._connection.closed:
            self._connection.write(incoming.answer(code, tag=self.tag, phrase=phrase, headers=headers))

    def message(
        self, uri: str, *, carried: str, headers: HeaderList, body: bytes, limit: int | None, on_final: OnFinal
    ) -> None:
        """Send a MESSAGE to the device at `uri`; `on_final` is called once, perhaps at once.

        `carried` is the id for the branch. Codes that no device gave: 408 no answer, 430 connection gone (RFC 5626
        §11.5: "a flow to a UA has failed"), 500 too many are waiting, 513 larger than `limit` bytes.
        """
        branch = self._identifiers.branch(carried)
        data = build_request("MESSAGE", uri, [("Via", self._via + branch), *headers], body)
        leg = Leg(uri, branch, data, on_final)
        waiting = self._busy.get(uri)

        if limit is not None and len(data) > limit:
            on_final(513, None)
        elif self._connection.closed:
            on_final(430, None)
        elif self._connection.unsent > self._unsent_bytes or (waiting is not None and len(waiting) >= self._queue):
            on_final(500, None)
        elif waiting is None or self._overlaps:
            self._busy.setdefault(uri, deque())
            self._send(leg)
        else:
            waiting.append(leg)

    def expire(self) -> None:
        """Give up what was not answered in time; to be called now and then."""
        for answered in self._agent.expire(self._clock()):
            # A device that lets one message lie for so long will not answer those behind it, whose senders wait too.
            waiting = self._busy.pop(answered.context.uri, ())
            answered.context.on_final(408, None)

            for leg in waiting:
                leg.on_final(408, None)

    def close(self) -> None:
        """Send what is written and end the connection."""
        self._connection.close()

    def _send(self, leg: Leg) -> None:
        self._agent.begin(leg.branch, "MESSAGE", leg, self._clock())
        self._connection.write(leg.data)

    def _received(self, data: bytes) -> None:
        for event in self._agent.receive(data):
            match event:
                case Incoming():
                    self._on_request(self, event)
                case Answered(context=leg):
                    self._next(leg.uri)
                    leg.on_final(event.code, event.response)
                case Broken():
                    self._flush()
                    self._connection.close()

        self._flush()

    def _flush(self) -> None:
        if self._agent.outgoing:
            self._connection.write(bytes(self._agent.outgoing))
            self._agent.outgoing.clear()

    def _next(self, uri: str) -> None:
        waiting = self._busy.get(uri)

        if waiting:
            self._send(waiting.popleft())
        else:
            self._busy.pop(uri, None)

    def _ended(self, how: str, error: Exception | None) -> None:
        waiting = [leg for queue in self._busy.values() for leg in queue]
        self._busy.clear()
        self._on_closed(self)

        for leg in [*(answered.context for answered in self._agent.lost()), *waiting]:
            leg.on_final(430, None)
