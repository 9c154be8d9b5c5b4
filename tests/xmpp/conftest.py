"""Two engines back to back, and what most tests begin with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.xmpp.element import serialize
from simulator.xmpp.events import Event, Nonza, Stanza, StreamError, StreamFeatures, StreamHeader
from simulator.xmpp.limits import Limits
from simulator.xmpp.stream import Stream

HEADER = (
    b"<stream:stream from='capulet.example' to='montague.example' version='1.0' xmlns='jabber:server'"
    b" xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>"
)


def plain(event: Event) -> object:
    """An event with its elements as bytes, so that two of them can be compared."""
    match event:
        case Stanza(element=element) | Nonza(element=element):
            return type(event).__name__, serialize(element)
        case StreamFeatures(features=features):
            return "StreamFeatures", [serialize(feature) for feature in features]
        case StreamError(condition=condition, text=text, content=content, children=children):
            return "StreamError", condition, text, content, [serialize(child) for child in children]
        case _:
            return event if not hasattr(event, "error") else ("Violation", event.error.condition)


class StreamPair:
    """An initiating and a receiving engine; whatever one sends the other gets at once."""

    def __init__(self) -> None:
        self.initiator, self.receiver = Stream(initiating=True), Stream(initiating=False)

    def send(self, sender: Stream, *events: Event) -> list[Event]:
        """Send the events and assert that the other engine receives the same; return what it received."""
        data = b"".join([sender.send(event) for event in events])
        other = self.receiver if sender is self.initiator else self.initiator
        received = other.receive(data)
        assert [plain(event) for event in received] == [plain(event) for event in events]
        assert sender.ours == other.theirs

        return received

    def open(self) -> StreamPair:
        """Exchange headers and features."""
        self.send(self.initiator, StreamHeader(sender="capulet.example", to="montague.example"))
        answer = StreamHeader(sender="montague.example", to="capulet.example", id="D60000229F", lang="en")
        self.send(self.receiver, answer, StreamFeatures())

        return self


@pytest.fixture
def pair() -> StreamPair:
    return StreamPair()


@pytest.fixture
def compare() -> Callable[[Event], object]:
    """`plain`, for tests that compare events."""
    return plain


@pytest.fixture
def opened() -> Callable[..., Stream]:
    """Make a receiving engine that has read a good header."""

    def make(**limits: int) -> Stream:
        stream = Stream(initiating=False, limits=Limits(**limits))
        assert len(stream.receive(HEADER)) == 1

        return stream

    return make
