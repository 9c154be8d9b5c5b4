"""One server-to-server stream without its connection: bytes in, events out; events in, bytes out.

Knows the order of things on a stream (`state`), their syntax (`parser`, `header`, `first_level`) and nothing of
sockets, time, domains or keys.
"""

from __future__ import annotations

from simulator.xmpp.errors import LocalProtocolError, RemoteProtocolError, StreamCondition
from simulator.xmpp.events import Event, StreamClosed, StreamHeader, Violation
from simulator.xmpp.first_level import read_element, write_event
from simulator.xmpp.header import write_header
from simulator.xmpp.limits import Limits
from simulator.xmpp.namespaces import DIALBACK, SERVER, STREAMS
from simulator.xmpp.parser import Parsed, StreamParser
from simulator.xmpp.state import TRANSITIONS, Half, State


class Stream:
    """Both halves of a stream as one of its ends sees them.

    `initiating` says whether our side opened the connection. With `strict` False `send` lets pass what the state
    forbids, for a fake that speaks wrongly on purpose.
    """

    def __init__(self, initiating: bool, limits: Limits = Limits(), strict: bool = True) -> None:  # noqa: B008 - frozen
        halves = (Half.INITIATING, Half.RECEIVING) if initiating else (Half.RECEIVING, Half.INITIATING)
        self._our_table, self._their_table = TRANSITIONS[halves[0]], TRANSITIONS[halves[1]]
        self._limits, self._strict = limits, strict
        self._begin()

    def _begin(self) -> None:
        self.ours = self.theirs = State.IDLE
        self.header: StreamHeader | None = None
        """The header that we sent last."""
        self._declared = frozenset({STREAMS})
        self._parser = StreamParser(self._limits)
        self._violated = False

    @property
    def peer_header(self) -> StreamHeader | None:
        """The peer's header; also there when a Violation says that its content namespace is refused."""
        return self._parser.header

    @property
    def limits(self) -> Limits:
        """What the peer may send; another may be set at any time, for what comes from then on."""
        return self._parser.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limits = self._parser.limits = limits

    @property
    def unread(self) -> bool:
        """Whether bytes came behind the last event of this stream, be it white space, or the beginning of another.

        Behind a ``<starttls/>`` or ``<proceed/>`` that is the last event these are plaintext where TLS has to begin:
        RFC 6120 §5.3.3 allows no white space there, and §5.4.3.3 that nothing received before TLS is used after it.
        """
        return self._parser.unread

    def restart(self) -> None:
        """Forget everything before TLS or SASL succeeded: both sides send new headers (RFC 6120 §4.3.3).

        Raises LocalProtocolError unless both halves are open.
        """
        talking = (State.OPEN, State.ADVERTISED)

        if self._strict and (self.ours not in talking or self.theirs not in talking):
            raise LocalProtocolError(f"a stream is not restarted while it is {self.ours} here and {self.theirs} there")

        self._begin()

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes from the peer; a Violation is the last event ever, StreamClosed the last of this stream.

        What follows a stream error (bar the closing tag) or a violation is not reported: nothing can be made of it.
        """
        if self._violated:
            return []

        events: list[Event] = []

        for parsed in self._parser.feed(data):
            event = self._taken(parsed)

            if event is not None:
                events.append(event)

            if self._violated:
                break

        return events

    def _taken(self, parsed: Parsed) -> Event | None:
        event = parsed if isinstance(parsed, StreamHeader | StreamClosed | Violation) else read_element(parsed)
        state = self._their_table[self.theirs].get(type(event))

        if state is not None:
            self.theirs = state
            return event

        if self.theirs is State.FAILED:
            return None

        self._violated = True

        if isinstance(event, Violation):
            return event

        return Violation(
            RemoteProtocolError(
                StreamCondition.BAD_FORMAT, f"{type(event).__name__} is out of place on a stream that is {self.theirs}"
            )
        )

    def send(self, event: Event) -> bytes:
        """Turn an event into bytes for the peer.

        Raises LocalProtocolError when the state of our half forbids the event (unless not `strict`), and always for a
        Violation; ElementError when an element cannot be written as XML.
        """
        state = self._our_table[self.ours].get(type(event))

        if isinstance(event, Violation):
            raise LocalProtocolError("a violation is only received")

        if state is None and self._strict:
            raise LocalProtocolError(f"{type(event).__name__} is out of place while our half is {self.ours}")

        if isinstance(event, StreamHeader):
            data = write_header(event)
            self.header = event
            self._declared = frozenset({STREAMS, DIALBACK}) if event.dialback else frozenset({STREAMS})
        else:
            data = write_event(event, self.header.content_namespace if self.header else SERVER, self._declared)

        self.ours = state or self.ours

        return data

    @property
    def closing_due(self) -> bool:
        """They are done (closing tag or error), and our closing tag is still to be sent (RFC 6120 §4.4)."""
        return self.theirs in (State.CLOSED, State.FAILED) and self.ours is not State.CLOSED
