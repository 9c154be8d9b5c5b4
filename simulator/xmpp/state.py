"""Which half of a stream may say what, and when.

Rule 1: everything that changes the state of a half is in `TRANSITIONS`. A missing key is a protocol error.
Rule 2: this file does not know which half is ours.

A stream has two halves: that of the entity which opened the connection (INITIATING) and that of the other (RECEIVING).
Each is opened by its own header and closed by its own closing tag (RFC 6120 §4.2, §4.4). An error ends what a half may
say, bar the closing tag (§4.9.1.1). Only the receiving half has features, once per header (§4.3.2, §4.3.5); since
XMPP 0.9 knows none (§4.7.5) nothing waits for them.

``python -m simulator.xmpp.state`` prints the tables as a Mermaid diagram.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum

from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    Event,
    Nonza,
    Stanza,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)


class Half(StrEnum):
    """One direction of a stream."""

    INITIATING = "initiating"
    RECEIVING = "receiving"


class State(StrEnum):
    """How far a half has come."""

    IDLE = "idle"
    """No header yet."""
    OPEN = "open"
    ADVERTISED = "advertised"
    """Open, and the features were sent."""
    FAILED = "failed"
    """A stream error was sent; the closing tag is due."""
    CLOSED = "closed"


Table = Mapping[State, Mapping[type[Event], State]]


def _talk(state: State) -> dict[type[Event], State]:
    """What an open half may always say."""
    return {
        DialbackResult: state,
        DialbackVerify: state,
        Stanza: state,
        Nonza: state,
        StreamError: State.FAILED,
        StreamClosed: State.CLOSED,
    }


TRANSITIONS: Mapping[Half, Table] = {
    Half.INITIATING: {
        State.IDLE: {StreamHeader: State.OPEN},
        State.OPEN: _talk(State.OPEN),
        State.FAILED: {StreamClosed: State.CLOSED},
        State.CLOSED: {},
    },
    Half.RECEIVING: {
        State.IDLE: {StreamHeader: State.OPEN},
        State.OPEN: {StreamFeatures: State.ADVERTISED, **_talk(State.OPEN)},
        State.ADVERTISED: _talk(State.ADVERTISED),
        State.FAILED: {StreamClosed: State.CLOSED},
        State.CLOSED: {},
    },
}


def diagram() -> str:
    """Both tables as one Mermaid state diagram."""
    return "\n".join(["stateDiagram-v2", *(line for half in Half for line in _half_diagram(half))])


def _half_diagram(half: Half) -> list[str]:
    # Mermaid wants names that are unique in the whole diagram.
    lines = [f"    state {half} {{", f"        [*] --> {half}_{State.IDLE}"]
    lines += [f'        state "{state}" as {half}_{state}' for state in TRANSITIONS[half]]

    for state, moves in TRANSITIONS[half].items():
        by_target: dict[State, list[str]] = {}

        for event, target in moves.items():
            by_target.setdefault(target, []).append(event.__name__)

        lines += [
            f"        {half}_{state} --> {half}_{target}: {', '.join(names)}" for target, names in by_target.items()
        ]

    return [*lines, f"        {half}_{State.CLOSED} --> [*]", "    }"]


if __name__ == "__main__":  # pragma: no cover - tested in a process of its own
    sys.stdout.write(diagram() + "\n")
