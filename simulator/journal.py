"""The append-only record of one run of one scenario: the only evidence.

Knows how entries are kept, saved and loaded. Does not know what they mean: that is `verdict`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened.

    `at` is in seconds since the journal began. `kind` is one of `KINDS`. `actor` is who saw it (a domain,
    a user's address, ``dns``, ``system``, ``runner``), under its real name. `stream` is the label of an XMPP stream or
    another connection, unique in the journal. `data` is plain JSON.
    """

    at: float
    kind: str
    actor: str = ""
    stream: str = ""
    data: dict[str, Any] = {}


#: kind -> what `data` holds
KINDS = {
    "run": "first entry: scenario, seed, system {name, version}, cast {name in the scenario: real name}, captures",
    "step": "a step ended: index, part ('given' or 'steps'), outcome, seen, consumed (entry numbers), captures",
    "listening": "a socket listens: host, port, service",
    "opened": "a connection is up: local, remote, by ('us' or 'them')",
    "sent": "bytes left us: text or base64",
    "received": "bytes reached us: text or base64",
    "element": "one first-level XMPP element reached us: xml, handled (by automation: why) or absent; "
    "or what is none: violation, text, protocol ('XMPP' unless it says 'SIP')",
    "secured": "TLS begins; sent and received are what it protects: version, cipher, sni, alpn, certificate of the "
    "peer {names, subject, issuer, sha256} or null, faults of its chain, resumed, by (the TLS client: 'us' or 'them')",
    "authenticated": "stanzas of a pair may flow on a stream: method ('SASL EXTERNAL over TLS', 'dialback over TLS', "
    "'dialback over TCP'), pair [sender, target]",
    "ended": "a connection is over: condition, text, closing_tag, tcp ('fin', 'reset', 'timeout'), by, tls (why TLS "
    "failed), close_notify (the peer said it)",
    "query": "a question reached the name server: name, type, transport, rcode, answers",
    "fetched": "a list of revoked certificates was asked for over HTTP: domain of the certificate, list, count",
    "delivered": "something reached a user: what ('message', 'refusal', ...) and its fields",
    "barrier": "a control exchange came back: proves the quiet before it; or quiet_s where none exists",
    "fault": "a fault of the surroundings fired: name, count",
    "log": "a line of the system's own log: text",
    "problem": "our own fault, or the system's death: text",
}


class Journal:
    """An append-only list of entries with a clock.

    `clock` returns seconds from any fixed origin; entries are stamped relative to the first call.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._origin = clock()
        self.entries: list[Entry] = []

    def record(self, kind: str, actor: str = "", stream: str = "", **data: Any) -> int:
        """Append an entry and return its number (0-based). Raises ValueError for a kind that is none of `KINDS`."""
        if kind not in KINDS:
            raise ValueError(f"no kind of entry is called {kind!r}")

        at = round(self._clock() - self._origin, 6)
        self.entries.append(Entry(at=at, kind=kind, actor=actor, stream=stream, data=data))

        return len(self.entries) - 1

    def record_bytes(self, kind: str, actor: str, stream: str, data: bytes) -> int:
        """Append a `sent` or `received` entry: as text where the bytes are UTF-8, else as base64."""
        try:
            return self.record(kind, actor, stream, text=data.decode("utf-8"))
        except UnicodeDecodeError:
            return self.record(kind, actor, stream, base64=base64.b64encode(data).decode("ascii"))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def lines(self) -> bytes:
        """What a file holds of it: JSON lines, one entry each."""
        encoder = msgspec.json.Encoder()

        return b"".join(encoder.encode(entry) + b"\n" for entry in self.entries)

    def save(self, path: Path) -> None:
        """Write `lines`, whole or not at all."""
        save_lines(self.lines(), path)


def save_lines(lines: bytes, path: Path) -> None:
    """Write the lines of a journal, whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(lines)
    partial.replace(path)


class JournalError(Exception):
    """A saved journal cannot be read: says file, line and why."""


def load(path: Path) -> list[Entry]:
    """Read a saved journal; raises JournalError naming file and line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}") from None

    decoder = msgspec.json.Decoder(Entry)
    entries: list[Entry] = []

    for number, line in enumerate(lines, 1):
        try:
            entries.append(decoder.decode(line))
        except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
            raise JournalError(f"{path}:{number}: not a journal entry: {error}") from None

    if not entries:
        raise JournalError(f"{path}: is empty")

    return entries
