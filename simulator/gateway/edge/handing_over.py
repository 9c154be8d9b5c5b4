"""When a message that was written to a partner's stream counts as handed over.

Knows the messages that were written, and how far the peer's TCP has acknowledged. Does not know streams, nor who waits.

RFC 6120 acknowledges nothing, and XEP-0198 between servers is rare: the partner's own word is not to be had. What can
be had is the acknowledgement of its TCP. Before that a message lies in buffers of our process, which die with it, or of
our kernel, which throws them away when the process is killed while something of the peer's is unread (the connection
then ends with RST). After that it lies in the partner's machine, where nothing that befalls us can reach it. So this
is what a user's 200 promises: the message has arrived at the partner's machine, on a stream that was authenticated
for it. Not promised: that the partner's program reads it, and delivers it; a failure of that comes as an error stanza,
or not at all.

What is not acknowledged when the stream ends is given back: it may have arrived all the same, and its sender is told
that it did not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.wire.connection import Connection

#: seconds until the operating system is asked again; an acknowledgement may be delayed on purpose (RFC 1122 §4.2.3.2)
FIRST_LOOK, LONGEST_LOOK = 0.001, 0.05


class HandingOver:
    """The messages of one connection. `is_handed_over` gets where a message ends, and how much is acknowledged."""

    def __init__(
        self,
        connection: Connection,
        *,
        handed_over: Callable[[list[str]], None],
        is_handed_over: Callable[[int, int], bool],
    ) -> None:
        self._connection, self._handed_over, self._is_handed_over = connection, handed_over, is_handed_over
        self._loop = asyncio.get_running_loop()
        self._fresh: list[tuple[int, Element]] = []
        self._waiting: deque[tuple[int, Element]] = deque()
        self._never: list[Element] = []
        self._timer: asyncio.TimerHandle | None = None
        self._pause = FIRST_LOOK

    def wrote(self, message: Element) -> None:
        """A message was written in this turn of the event loop."""
        if not self._fresh:
            # What is written in one turn leaves at its end: only then its place among the bytes is known.
            self._loop.call_soon(self._place)

        self._fresh.append((self._connection.sent.written, message))

    def end(self) -> list[Element]:
        """The connection is over: the messages that are not known to have arrived."""
        self._place()
        lost = [*self._never, *(message for _, message in self._waiting)]
        self._never.clear()
        self._waiting.clear()

        if self._timer is not None:
            self._timer.cancel()

        return lost

    def _place(self) -> None:
        fresh, self._fresh = self._fresh, []
        written = self._connection.sent.written

        for before, message in fresh:
            if written > before:
                self._waiting.append((written, message))
            else:
                # The connection was closing: nothing of it has left.
                self._never.append(message)

        self._look()

    def _look(self) -> None:
        acknowledged = self._connection.sent.acknowledged
        arrived = []

        while self._waiting and self._is_handed_over(self._waiting[0][0], acknowledged):
            arrived.append(self._waiting.popleft()[1].get("id", ""))

        if arrived:
            self._pause = FIRST_LOOK
            self._handed_over(arrived)

        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

        if self._waiting:
            self._timer = self._loop.call_later(self._pause, self._look)
            self._pause = min(self._pause * 2, LONGEST_LOOK)
