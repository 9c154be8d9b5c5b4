"""What a peer says where TLS should begin: a ServerHello, an alert, or words in the clear.

Knows records and the few fields of a ServerHello that are not encrypted (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3). Does not
know what any of them means for the handshake.
"""

from __future__ import annotations

import asyncio
from typing import Any

from simulator.world.partner.hello import SUITES, VERSIONS

_ALERT, _HANDSHAKE, _RECORDS = 21, 22, range(20, 25)
_SERVER_HELLO, _SUPPORTED_VERSIONS = 2, 43
_FATAL = 2

#: RFC 8446 §6; others stand for themselves.
ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    47: "illegal_parameter",
    50: "decode_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    109: "missing_extension",
    112: "unrecognized_name",
    116: "certificate_required",
    120: "no_application_protocol",
}


class Answer:
    """Takes the bytes of a peer (it is an `on_bytes`) and tells records from text."""

    def __init__(self) -> None:
        self._unread = b""
        self._handshake = b""
        self._alert = ""
        self._plaintext = b""
        self._hello: dict[str, str] = {}
        self.hello = asyncio.Event()
        """Set when a ServerHello has come."""

    def __call__(self, data: bytes) -> None:
        self._unread += data

        while self._unread:
            if self._unread[0] not in _RECORDS:
                # After that nothing tells where a record would begin.
                self._plaintext, self._unread = self._plaintext + self._unread, b""
                return

            length = 5 + int.from_bytes(self._unread[3:5])

            if len(self._unread) < 5 or len(self._unread) < length:
                return

            kind, record, self._unread = self._unread[0], self._unread[5:length], self._unread[length:]
            self._take(kind, record)

    def _take(self, kind: int, record: bytes) -> None:
        if kind == _ALERT and len(record) == 2 and record[0] == _FATAL:
            self._alert = ALERTS.get(record[1], str(record[1]))
        elif kind == _HANDSHAKE and not self._hello:
            self._handshake += record

            if self._handshake[0] == _SERVER_HELLO and len(self._handshake) >= 4 + int.from_bytes(self._handshake[1:4]):
                self._hello = _fields(self._handshake[4 : 4 + int.from_bytes(self._handshake[1:4])])
                self.hello.set()

    def seen(self) -> dict[str, Any]:
        """What has come so far: `kind` is plaintext, hello, alert or none."""
        if self._plaintext:
            return {"kind": "plaintext", "text": self._plaintext.decode("utf-8", "replace")[:300]}

        if self._hello:
            return {"kind": "hello", **self._hello}

        return {"kind": "alert", "alert": self._alert} if self._alert else {"kind": "none"}


def _fields(body: bytes) -> dict[str, str]:
    after_session = 35 + body[34]
    suite = int.from_bytes(body[after_session : after_session + 2])
    version = int.from_bytes(body[:2])
    extensions = body[after_session + 5 :]

    while len(extensions) >= 4:
        number, length = int.from_bytes(extensions[:2]), int.from_bytes(extensions[2:4])

        if number == _SUPPORTED_VERSIONS:
            version = int.from_bytes(extensions[4:6])

        extensions = extensions[4 + length :]

    return {
        "version": next((name for name, value in VERSIONS.items() if value == version), f"{version:04x}"),
        "suite": next((name for name, value in SUITES.items() if value == suite), f"{suite:04x}"),
        "compression": str(body[after_session + 2]),
    }
