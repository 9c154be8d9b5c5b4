"""One SIP connection of a user: its user agent, and requests on their way to the device behind it.

Knows how a request leaves over this connection and how its answer comes back. Does not know users or stanzas.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulator.sip.agent import Agent, Answered, Broken, Cancelled, Incoming, Repeated
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
    on_repeated: Callable[[Response], None] = lambda response: None
    """Called for each further 2xx to an INVITE."""


class Flow:
    """A connection to a user agent. `on_request` gets its requests, `on_closed` its end.

    `on_cancelled` gets the INVITEs that it takes back, each still to be answered.
    """

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
        self.on_cancelled: Callable[[Incoming], None] = lambda incoming: self._answer_cancelled(incoming)
        connection.on_data = self._received
        connection.on_closed = self._ended

    @property
    def local_host(self) -> str:
        """The address that the user agent connected to."""
        return self._connection.local[0]

    @property
    def closed(self) -> bool:
        """The connection is gone, or going."""
        return self._connection.closed

    @property
    def contact(self) -> str:
        """The URI by which the user agent reaches us within a dialog: this end of the connection."""
        return self._contact

    @property
    def congested(self) -> bool:
        """Whether the user agent has left so much unread that nothing more is sent to it."""
        return self._connection.unsent > self._unsent_bytes

    def answer(
        self,
        incoming: Incoming,
        code: int,
        *,
        phrase: str = "",
        headers: HeaderList = (),
        body: bytes = b"",
        tag: str = "",
    ) -> bytes:
        """Answer a request of this connection, unless it is gone. `tag` is for To; empty: that of the connection.

        Gives what was written, for `repeat`.
        """
        if incoming.over or self._connection.closed:
            return b""

        data = incoming.answer(code, tag=tag or self.tag, phrase=phrase, headers=headers, body=body)
        self._connection.write(data)

        return data

    def repeat(self, data: bytes) -> None:
        """Write a 2xx to an INVITE once more (RFC 3261 §13.3.1.4)."""
        if not self._connection.closed:
            self._connection.write(data)

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

        failure = self._failure()

        if failure is not None:
            if on_final is not None:
                on_final(failure, None)

            return branch

        data = build_request(method, uri, [("Via", self._via + branch), *headers], body)

        if on_final is None:
            self._connection.write(data)
        else:
            self._send(Leg(method, uri, branch, data, on_final, queued=False))

        return branch

    def invite(
        self,
        uri: str,
        *,
        headers: HeaderList,
        body: bytes,
        carried: str = "",
        on_final: OnFinal,
        on_repeated: Callable[[Response], None],
    ) -> str:
        """Send an INVITE at once, and give its branch. `headers` without Via.

        `on_final` is called once, perhaps at once, with the codes of `request`, and 487 when nothing came after a
        `cancel`. A refusal is acknowledged here, a 2xx is not: neither the first nor one of `on_repeated`.
        """
        branch = self._identifiers.branch(carried)
        failure = self._failure()

        if failure is not None:
            on_final(failure, None)
        else:
            data = build_request("INVITE", uri, [("Via", self._via + branch), *headers], body)
            leg = Leg("INVITE", uri, branch, data, on_final, queued=False, on_repeated=on_repeated)
            self._agent.begin_invite(data, leg, self._clock())
            self._connection.write(data)

        return branch

    def cancel(self, branch: str) -> None:
        """Take an INVITE back as soon as that is allowed (RFC 3261 §9.1); its `on_final` still comes."""
        self._agent.cancel(branch, self._clock())
        self._flush()

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
        waiting, failure = self._busy.get(uri), self._failure()

        if limit is not None and len(data) > limit:
            on_final(513, None)
        elif failure is not None:
            on_final(failure, None)
        elif waiting is not None and len(waiting) >= self._queue:
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
            answered.context.on_final(answered.code, None)

            for leg in waiting:
                leg.on_final(408, None)

    def close(self) -> None:
        """Send what is written and end the connection."""
        self._connection.close()

    def _failure(self) -> int | None:
        """The code of a request that cannot leave, RFC 5626 §11.5: "a flow to a UA has failed"; None: it can."""
        if self._connection.closed:
            return 430

        return 500 if self.congested else None

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
                case Repeated(context=leg, response=response):
                    leg.on_repeated(response)
                case Cancelled(incoming=incoming):
                    # User agents expect the answer to the CANCEL before that to the INVITE.
                    self._flush()
                    self.on_cancelled(incoming)
                case Broken():
                    self._flush()
                    self._connection.close()

        self._flush()

    def _answer_cancelled(self, incoming: Incoming) -> None:
        # RFC 3261 §9.2: "the UAS SHOULD immediately respond to the INVITE with a 487 (Request Terminated)".
        self.answer(incoming, 487)

    def _flush(self) -> None:
        if self._agent.outgoing and not self._connection.closed:
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
