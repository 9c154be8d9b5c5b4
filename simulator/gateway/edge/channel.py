"""One XMPP stream on one connection: events in, events out, and an end that its owner hears of exactly once.

Knows how streams end (RFC 6120 §4.4, §4.9.1) and how long they may be silent. Does not know what is said on them:
headers, dialback and stanzas go to the owner.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulator.gateway.rules import Rules
from simulator.wire.connection import Connection
from simulator.wire.tls import TLSContext, TLSInfo
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import Event, Stanza, StreamClosed, StreamError, StreamHeader, Violation
from simulator.xmpp.limits import Limits
from simulator.xmpp.stream import Stream

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a stream ended: the stream error that was sent or received, if any, and what was seen."""

    condition: str | None
    text: str
    by_us: bool
    content: str = ""
    """What stood inside the stream error: the host of see-other-host."""
    in_order: bool = False
    """Whether one side closed the stream without an error (RFC 6120 §4.4): nothing is wrong then."""


class Channel:
    """A stream and its connection.

    After our closing tag the peer's is awaited for `patience` seconds; None: for ever.

    Until `take_over` events are kept, and `next_event` gives them one by one. `on_over` is called when the
    connection is gone, which may be well after the stream has ended.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        initiating: bool,
        limits: Limits,
        unsent_bytes: int,
        header: Callable[[], StreamHeader],
        rules: Rules,
        patience: float | None,
        on_over: Callable[[Channel], None] = lambda _: None,
    ) -> None:
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._header, self._rules = header, rules
        self._unsent_bytes = unsent_bytes
        self._on_event: Callable[[Event], None] | None = None
        self._on_ended: Callable[[Ended], None] | None = None
        self._on_over = on_over
        self._inbox: deque[Event] = deque()
        self._rest: deque[Event] = deque()
        self._carried: deque[Event] = deque()
        self._held = self._securing = False
        self._more = asyncio.Event()
        self._timers: list[asyncio.TimerHandle] = []
        self.connection = connection
        self.stream = Stream(initiating, limits)
        self.ended: Ended | None = None
        """Set when the stream is over, or when we have said that it is."""
        self.over = asyncio.Event()
        self.number = next(_NUMBERS)
        self.began = self.heard = self.spoke = self._loop.time()
        self.stanzas_in = self.stanzas_out = 0
        connection.on_data, connection.on_closed = self._received, self._closed

    # -- what comes

    def take_over(self, on_event: Callable[[Event], None], on_ended: Callable[[Ended], None]) -> None:
        """Hear events from now on, those that are kept first."""
        self._on_event, self._on_ended = on_event, on_ended

        while self._inbox:
            on_event(self._inbox.popleft())

        if self.ended is not None:
            on_ended(self.ended)

    async def next_event(self) -> Event | Ended:
        """The next event; the end, again and again, once there is nothing left."""
        while not self._inbox and self.ended is None:
            self._more.clear()
            await self._more.wait()

        if self._inbox:
            return self._inbox.popleft()

        assert self.ended is not None

        return self.ended

    def _received(self, data: bytes) -> None:
        self.heard = self._loop.time()

        self._rest.extend(self.stream.receive(data))
        self._work()

    def _work(self) -> None:
        while self._rest and not self._held and not self.connection.closed:
            event = self._rest.popleft()
            self._handle(event)

            if isinstance(event, StreamHeader):
                self._rest.extendleft(reversed(self._carried))
                self._carried.clear()

    @property
    def unread(self) -> bool:
        """Something came behind the event that is being handled, whole or in part."""
        return bool(self._rest or self._inbox) or self.stream.unread

    def hold(self) -> None:
        """Hand over nothing more until `release`, and let the peer wait."""
        self._held = True
        self.connection.pause_reading()

    def release(self) -> None:
        """Go on with what came meanwhile."""
        self._held = False
        self.connection.resume_reading()
        self._work()

    def _handle(self, event: Event) -> None:
        if isinstance(event, StreamError):
            # RFC 6120 §4.9.1.1: who receives an error closes the stream.
            self._end(Ended(event.condition, event.text, by_us=False, content=event.content))
            self._shut(self._rules.answer_to_error(event.condition))
        elif isinstance(event, StreamClosed):
            self._end(Ended(None, "the peer closed the stream", by_us=False, in_order=True))
            self._shut()
        elif isinstance(event, Violation):
            condition = self._rules.answer_to_violation(event.error.condition)

            if condition is not None:
                self.finish(condition, event.error.text)
        elif self._on_event is not None:
            self.stanzas_in += isinstance(event, Stanza)
            self._on_event(event)
        else:
            self._inbox.append(event)
            self._more.set()

    # -- what goes

    def send(self, event: Event, *, counts: bool = True) -> None:
        """Send an event; nothing leaves once the stream has ended. What does not count leaves the stream as idle as it
        is."""
        if self.ended is not None or self.connection.closed:
            return

        if counts:
            self.spoke = self._loop.time()
            self.stanzas_out += isinstance(event, Stanza)

        self.connection.write(self.stream.send(event))

        if self.connection.unsent > self._unsent_bytes:
            self.give_up("the peer does not read")

    def fill(self, white_space: bytes) -> None:
        """Send what stands between elements and means nothing (RFC 6120 §4.6.1); the stream is as idle as before."""
        if self.ended is None and not self.connection.closed:
            self.connection.write(white_space)

    def give_up(self, text: str) -> None:
        """Throw the connection away without a word: the peer would not hear it."""
        self._end(Ended(None, text, by_us=True))
        self.connection.abort()

    def finish(self, condition: StreamCondition | None = None, text: str = "") -> None:
        """Close the stream: with an error at once, else in order, waiting for the peer to close its half, too."""
        if self.connection.closed or self.ended is not None:
            return

        # §5.4.3.2: "MUST NOT send a closing </stream> tag" in the middle of a handshake.
        if self._securing:
            self.drop(text or condition or "the stream is closed")
            return

        # §4.9.1.2: an error during the setup comes after an opening tag, too.
        if self.stream.header is None:
            self.send(self._header())

        if condition is not None:
            self.send(StreamError(condition=condition, text=text))

        self.send(StreamClosed())
        self._end(Ended(condition, text, by_us=True, in_order=condition is None))

        if condition is not None:
            self.connection.close()
        elif self._patience is not None:
            # §4.4: the one who closes waits for the other's closing tag, and reads on until it comes.
            self._timers.append(self._loop.call_later(self._patience, self.connection.close))

    def _shut(self, condition: StreamCondition | None = None) -> None:
        """The peer will say nothing more: say goodbye unless we have, and close the connection."""
        if self.connection.closed:
            return

        if self.ended is None or not self.ended.by_us:
            if self.stream.header is None:
                self.connection.write(self.stream.send(self._header()))

            if condition is not None:
                self.connection.write(self.stream.send(StreamError(condition=condition)))

            if self._rules.closing_is_answered():
                self.connection.write(self.stream.send(StreamClosed()))

        self.connection.close()

    # -- beginning anew

    def restart(self, *, forget: bool = True) -> None:
        """Begin a new stream on the connection (RFC 6120 §4.3.3). What came behind the last event is dropped with the
        old one; a defect may have it carried into the new."""
        if not forget:
            self._carried.extend(self._rest)

        self._rest.clear()
        self._inbox.clear()
        self.stream.restart()

    def secure(self, context: TLSContext, server_name: str | None = None, *, forget: bool = True) -> None:
        """Begin TLS now, and a new stream in it. When it fails the connection ends without another word of XMPP."""
        self.restart(forget=forget)
        self._securing = True
        self.connection.on_secured = self._secured
        self.connection.start_tls(context, server_name)

    def _secured(self, _: TLSInfo) -> None:
        self._securing = False
        self._more.set()

    async def until_secured(self) -> bool:
        """Wait for the end of the handshake; False when the connection ended before."""
        while self._securing and self.ended is None:
            self._more.clear()
            await self._more.wait()

        return self.ended is None

    def drop(self, text: str) -> None:
        """End the connection without a word: what there is on it is no stream that one could be said on."""
        self._end(Ended(None, text, by_us=True))
        self.connection.close()

    # -- time

    def at_latest(self, seconds: float | None, then: Callable[[], None]) -> asyncio.TimerHandle | None:
        """Call `then` after so many seconds, unless the stream has ended or the timer is cancelled."""
        if seconds is None:
            return None

        timer = self._loop.call_later(seconds, lambda: None if self.ended else then())
        self._timers.append(timer)

        return timer

    def when_silent(self, seconds: float | None, then: Callable[[], None], *, peer_only: bool) -> None:
        """Call `then` when nothing was heard, or neither heard nor said, for so many seconds.

        One timer per stream, moved on only when it fires: nothing is paid per stanza.
        """
        if seconds is None:
            return

        def look() -> None:
            if self.ended is not None:
                return

            last = self.heard if peer_only else max(self.heard, self.spoke)
            rest = last + seconds - self._loop.time()

            if rest <= 0:
                then()
            else:
                self._timers[slot] = self._loop.call_later(rest, look)

        slot = len(self._timers)
        self._timers.append(self._loop.call_later(seconds, look))

    def regularly(self, seconds: float | None, then: Callable[[], None]) -> None:
        """Call `then` every so many seconds, as long as the stream lasts."""
        if seconds is None:
            return

        def due() -> None:
            if self.ended is None:
                self._timers[slot] = self._loop.call_later(seconds, due)
                then()

        slot = len(self._timers)
        self._timers.append(self._loop.call_later(seconds, due))

    # -- the end

    def _end(self, ended: Ended) -> None:
        if self.ended is not None:
            return

        self.ended = ended
        self._more.set()

        if self._on_ended is not None:
            self._on_ended(ended)

    def _closed(self, how: str, error: Exception | None) -> None:
        for timer in self._timers:
            timer.cancel()

        what = "the peer dropped the connection" if how != "local" else "the connection was dropped"
        what += " in the TLS handshake" if self._securing else ""
        self._end(Ended(None, f"{what} ({how}{f': {error}' if error else ''})", by_us=how == "local"))
        self._on_event = None
        self.over.set()
        self._on_over(self)
