"""One SIP connection of a user: its user agent, and requests on their way to the device behind it.

Knows how a request leaves over this connection and how its answer comes back. Does not know users or stanzas.
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
    """One request to one device."""

    method: str
    uri: str
    branch: str
    data: bytes
    on_final: OnFinal
    queued: bool
    """Whether others wait until this one is answered."""


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
        sent_by = f"{f'[{host}]' if ':' in host else host}:{port}"
        self._via = f"SIP/2.0/{self.transport} {sent_by};branch="
        self._contact = f"sip:{sent_by};transport={self.transport.lower()}"
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

    @property
    def contact(self) -> str:
        """The URI by which the user agent reaches us within a dialog: this end of the connection."""
        return self._contact

    def answer(
        self,
        incoming: Incoming,
        code: int,
        *,
        phrase: str = "",
        headers: HeaderList = (),
        body: bytes = b"",
        tag: str = "",
    ) -> None:
        """Answer a request of this connection, unless it is gone. `tag` is for To; empty: that of the connection."""
        if not incoming.over and not self._connection.closed:
            tag = tag or self.tag
            self._connection.write(incoming.answer(code, tag=tag, phrase=phrase, headers=headers, body=body))

    def request(
        self,
        method: str,
        uri: str,
        *,
        headers: HeaderList,
        body: bytes = b"",
        carried: str = "",
        branch: str = "",
        on_final: OnFinal | None = None,
    ) -> str:
        """Send any request at once, and give its branch. `headers` without Via; `carried` is an id for the branch.

        `on_final` is called once, perhaps at once, with 430 when the connection is gone and 500 when too much is
        unsent. Without it no answer is waited for: BENOTIFY and ACK have none. An ACK to a refused INVITE, and a
        CANCEL, are given the `branch` of their INVITE.
        """
        branch = branch or self._identifiers.branch(carried)

        if self._connection.closed or self._connection.unsent > self._unsent_bytes:
            if on_final is not None:
                on_final(430 if self._connection.closed else 500, None)

            return branch

        data = build_request(method, uri, [("Via", self._via + branch), *headers], body)

        if on_final is None:
            self._connection.write(data)
        else:
            self._send(Leg(method, uri, branch, data, on_final, queued=False))

        return branch

    def message(
        self, uri: str, *, carried: str, headers: HeaderList, body: bytes, limit: int | None, on_final: OnFinal
    ) -> None:
        """Send a MESSAGE to the device at `uri`; `on_final` is called once, perhaps at once.

        `carried` is the id for the branch. Codes that no device gave: 408 no answer, 430 connection gone (RFC 5626
        §11.5: "a flow to a UA has failed"), 500 too many are waiting, 513 larger than `limit` bytes.
        """
        branch = self._identifiers.branch(carried)
        data = build_request("MESSAGE", uri, [("Via", self._via + branch), *headers], body)
        leg = Leg("MESSAGE", uri, branch, data, on_final, queued=True)
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
            waiting = self._busy.pop(answered.context.uri, ()) if answered.context.queued else ()
            answered.context.on_final(408, None)

            for leg in waiting:
                leg.on_final(408, None)

    def close(self) -> None:
        """Send what is written and end the connection."""
        self._connection.close()

    def _send(self, leg: Leg) -> None:
        self._agent.begin(leg.branch, leg.method, leg, self._clock())
        self._connection.write(leg.data)

    def _received(self, data: bytes) -> None:
        for event in self._agent.receive(data):
            match event:
                case Incoming():
                    self._on_request(self, event)
                case Answered(context=leg):
                    if leg.queued:
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
