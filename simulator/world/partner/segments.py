"""How bytes of a partner leave: at once, or in pieces.

Knows one connection's queue. Does not know what the bytes say.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from simulator.wire.connection import Connection


class Segments:
    """The pieces that wait to leave; `on_empty` is called when the last has left."""

    def __init__(self, connection: Connection, on_empty: Callable[[], None]) -> None:
        self._connection, self._on_empty = connection, on_empty
        self._pieces: deque[bytes] = deque()

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def send(self, data: bytes, size: int) -> None:
        """Send bytes in pieces of `size` (0: in one), after those that wait already."""
        if not size and not self._pieces:
            self._connection.write(data)
            return

        began = bool(self._pieces)
        size = size or len(data)
        self._pieces.extend(data[at : at + size] for at in range(0, len(data), size))

        if not began:
            self._next()

    def clear(self) -> None:
        """Forget what has not left."""
        self._pieces.clear()

    def _next(self) -> None:
        # One piece per turn of the loop: the connection joins what is written within one turn.
        if self._pieces and not self._connection.closed:
            self._connection.write(self._pieces.popleft())

            if not self._pieces:
                self._on_empty()

            asyncio.get_running_loop().call_soon(self._next)
