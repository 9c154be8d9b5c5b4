"""One connection of the link and the XMPP stream on it.

Knows how the stream comes up, when its other end has fallen silent, and how it ends. Does not know what the
stanzas mean, nor which session counts where there are several: that is `link`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from xml.etree.ElementTree import Element

from simulator.gateway.unsettled import Unsettled
from simulator.wire.connection import Connection
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import (
    Event,
    Nonza,
    Stanza,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
    Violation,
)
from simulator.xmpp.limits import Limits
from simulator.xmpp.state import State
from simulator.xmpp.stream import Stream

#: after so many intervals without a sign of life the other end is held for gone
SILENT_INTERVALS = 3
#: RFC 6120 §4.6.1: "A whitespace keepalive"
_SIGN_OF_LIFE = b" "


class Owner(Protocol):
    """The end of the link that a session belongs to."""

    name: str
    patience: float
    keep_alive: float

    def is_owed(self, stanza: Element) -> bool:
        """Whether somebody must answer for a stanza that is lost with the link."""

    def received(self, session: LinkSession, stanza: Element) -> None:
        """A stanza came."""

    def told(self, session: LinkSession, element: Element) -> None:
        """Something else than a stanza came."""

    def established(self, session: LinkSession) -> None:
        """Stanzas can cross."""

    def lost(self, session: LinkSession) -> None:
        """The session is over; `why` says why."""


class LinkSession:
    """A session; its owner is told what comes."""

    def __init__(
        self, owner: Owner, connection: Connection, *, initiating: bool, limits: Limits, unsettled_bytes: int
    ) -> None:
        self._owner, self._initiating = owner, initiating
        self._loop = asyncio.get_running_loop()
        self.connection = connection
        self.stream = Stream(initiating, limits)
        self.unsettled = Unsettled(owner.is_owed, unsettled_bytes)
        self.over = asyncio.Event()
        self.was_up = False
        self.began = self._loop.time()
        self.why = ""
        self.stanzas_in = self.stanzas_out = 0
        self._settled: list[int] = []
        self._heard = self._spoke = self._loop.time()
        connection.on_data = self._received
        connection.on_closed = self._closed
        # A peer that authenticates and then says nothing would hold the place of a working one for ever.
        self._timer = self._loop.call_later(owner.patience, self._too_slow)

    # -- what goes

    @property
    def is_closing(self) -> bool:
        """Our closing tag is out, or the connection is gone: nothing more can be said."""
        return self.connection.closed or self.stream.ours in (State.FAILED, State.CLOSED)

    def write(self, event: Event) -> None:
        """Send an event."""
        self._spoke = self._loop.time()
        data = self.stream.send(event)
        self.connection.write(data)

        if isinstance(event, Stanza):
            self.stanzas_out += 1
            self.unsettled.sent(event.element, len(data))

    def settle(self, number: int, tell: Callable[[list[int]], Element]) -> None:
        """The other end need not answer any more for its stanza of this number; all of one turn are told together."""
        if not self._settled:
            self._loop.call_soon(self._tell_settled, tell)

        self._settled.append(number)

    def _tell_settled(self, tell: Callable[[list[int]], Element]) -> None:
        numbers, self._settled = self._settled, []

        if not self.is_closing:
            self.write(Nonza(element=tell(numbers)))

    def finish(self, condition: StreamCondition | None = None, text: str = "") -> None:
        """Close in order, with a stream error if there is a reason; the owner hears of it from `_closed`."""
        if self.is_closing:
            return

        self.why = self.why or text or (condition.value if condition else "")

        if self.stream.header is None:
            self.write(StreamHeader(sender=self._owner.name, to=self._owner.name))

        if condition is not None:
            self.write(StreamError(condition=condition, text=text))

        self.write(StreamClosed())
        self.connection.close()

    # -- what comes

    def _received(self, data: bytes) -> None:
        self._heard = self._loop.time()

        for event in self.stream.receive(data):
            if self.connection.closed:
                return

            self._handle(event)

    def _handle(self, event: Event) -> None:
        match event:
            case Stanza(element=element):
                self.stanzas_in += 1
                self._owner.received(self, element)
            case Nonza(element=element):
                self._owner.told(self, element)
            case StreamHeader() if not self._initiating:
                self.write(StreamHeader(sender=self._owner.name, to=self._owner.name, id="link"))
                self.write(StreamFeatures())
                self._established()
            case StreamFeatures() if self._initiating:
                self._established()
            case StreamError(condition=condition, text=text):
                self.why = f"the other end says {condition}" + (f": {text}" if text else "")
            case StreamClosed():
                self.finish()
            case Violation(error=error):
                self.finish(error.condition, error.text)

    # -- time

    def _established(self) -> None:
        self._timer.cancel()
        self.was_up = True
        self._timer = self._loop.call_later(self._owner.keep_alive, self._beat)
        self._owner.established(self)

    def _too_slow(self) -> None:
        self.why = "the other end did not open its stream in time"
        self.connection.abort()

    def _beat(self) -> None:
        """Show that we live, and look whether the other end does: TCP alone would not tell for a quarter of an hour."""
        now, interval = self._loop.time(), self._owner.keep_alive

        if now - self._heard > SILENT_INTERVALS * interval:
            self.why = f"the other end has said nothing for {now - self._heard:.1f} s"
            self.connection.abort()
            return

        if now - self._spoke >= interval * 0.9:
            self._spoke = now
            self.connection.write(_SIGN_OF_LIFE)

        self._timer = self._loop.call_later(interval, self._beat)

    def _closed(self, how: str, error: Exception | None) -> None:
        self._timer.cancel()
        self.why = self.why or (str(error) if error else f"the connection ended ({how})")
        self.over.set()
        self._owner.lost(self)
