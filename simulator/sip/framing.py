"""Cuts a byte stream (TCP or TLS) into SIP messages by Content-Length (RFC 3261 §18.3).

Knows where a message ends, how large it may be, and keep-alives. Does not know what a message says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simulator.sip.errors import SIPError

# RFC 3261 §7.3.3: ``l`` is the compact form; §7.3.1: whitespace may surround the colon, names ignore case.
_CONTENT_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t\r\n]*([^\r\n]*)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: `head` is the start line and headers without the empty line, `body` exactly Content-Length bytes."""

    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """A double CRLF between messages, to be answered with `PONG` (RFC 5626 §3.5.1)."""


class FramingError(SIPError):
    """Where the next message begins can no longer be known.

    `head` is what was read of the faulty message; `frames` are the whole messages that came before it.
    """

    def __init__(self, code: int, text: str, head: bytes = b"") -> None:
        self.code, self.head = code, head
        self.frames: tuple[Frame | KeepAlive, ...] = ()
        super().__init__(text)


PING = b"\r\n\r\n"
PONG = b"\r\n"


class MessageReader:
    """Collects bytes. `head_bytes` and `body_bytes` bound one message."""

    def __init__(self, *, head_bytes: int = 16384, body_bytes: int = 65536) -> None:
        self._head_bytes, self._body_bytes = head_bytes, body_bytes
        self._buffer = b""
        self._position = 0
        self._scanned = 0
        self._head: bytes | None = None
        self._wanted = 0

    def receive(self, data: bytes) -> list[Frame | KeepAlive]:
        """Take bytes and give the messages that are now complete.

        Raises FramingError, after which the stream cannot be followed. Its `frames` are the messages before the
        fault: they came first and deserve their answers.
        """
        self._buffer = self._buffer[self._position :] + data
        self._scanned = max(0, self._scanned - self._position)
        self._position = 0
        found: list[Frame | KeepAlive] = []

        try:
            while (item := self._start() if self._head is None else self._body()) is not None:
                found.append(item)
        except FramingError as error:
            error.frames = tuple(found)
            raise

        return found

    def _start(self) -> Frame | KeepAlive | None:
        buffer = self._buffer

        # RFC 3261 §7.5: "Implementations processing SIP messages over stream-oriented transports MUST ignore any CRLF
        # appearing before the start-line".
        while buffer.startswith(b"\r", self._position):
            if buffer.startswith(PING, self._position):
                self._position += len(PING)
                return KeepAlive()

            # The second half of a keep-alive may still be on its way.
            if PING.startswith(buffer[self._position :]):
                return None

            if not buffer.startswith(b"\r\n", self._position):
                raise FramingError(400, "a lone carriage return before the start line")

            self._position += 2

        start = self._position
        end = buffer.find(_HEAD_END, max(start, self._scanned - 3))

        if (end if end >= 0 else len(buffer)) - start > self._head_bytes:
            text = f"the header is longer than {self._head_bytes} bytes"
            raise FramingError(513, text, buffer[start : start + self._head_bytes])

        if end < 0:
            self._scanned = len(buffer)
            return None

        self._head = buffer[start:end]
        self._position = end + 4
        self._wanted = self._content_length(self._head)

        return self._body()

    def _body(self) -> Frame | None:
        assert self._head is not None
        end = self._position + self._wanted

        if len(self._buffer) < end:
            return None

        frame = Frame(self._head, self._buffer[self._position : end])
        self._position, self._scanned, self._head = end, end, None

        return frame

    def _content_length(self, head: bytes) -> int:
        values = set(_CONTENT_LENGTH.findall(head))

        # RFC 3261 §20.14: "If a stream-based protocol (such as TCP) is used as transport, then the header field MUST be
        # used". Two lengths that differ would let two readers cut differently.
        if len(values) != 1:
            raise FramingError(400, "exactly one Content-Length is needed on a stream", head)

        text = values.pop().strip()

        if not text.isdigit() or len(text) > 10:
            raise FramingError(400, "Content-Length is not a number", head)

        if int(text) > self._body_bytes:
            raise FramingError(513, f"the body is longer than {self._body_bytes} bytes", head)

        return int(text)
