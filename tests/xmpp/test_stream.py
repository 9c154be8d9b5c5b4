"""Both halves of a stream: every state with every event, and two engines talking at random."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.xmpp.element import parse_element
from simulator.xmpp.errors import LocalProtocolError, RemoteProtocolError, StreamCondition
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
    Violation,
)
from simulator.xmpp.first_level import refusal
from simulator.xmpp.state import TRANSITIONS, Half, State, diagram
from simulator.xmpp.stream import Stream

HEADER = StreamHeader(sender="capulet.example", to="montague.example")
EVENTS: list[Event] = [
    HEADER,
    StreamFeatures(features=(parse_element("<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"),)),
    DialbackResult(sender="a", to="b", key="k"),
    DialbackVerify(sender="a", to="b", id="1", type="error", condition="item-not-found"),
    Stanza(element=parse_element("<message from='a@b' to='c@d'><body>Hi</body></message>")),
    Nonza(element=parse_element("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")),
    StreamError(condition="reset", text="again", children=(parse_element("<x xmlns='urn:x'/>"),)),
    StreamClosed(),
]
BY_TYPE = {type(event): event for event in EVENTS}
#: How to bring a half into each state.
WAY_TO: dict[State, list[type[Event]]] = {
    State.IDLE: [],
    State.OPEN: [StreamHeader],
    State.ADVERTISED: [StreamHeader, StreamFeatures],
    State.FAILED: [StreamHeader, StreamError],
    State.CLOSED: [StreamHeader, StreamClosed],
}
CELLS = [
    pytest.param(half, state, type_, id=f"{half}-{state}-{type_.__name__}")
    for half in Half
    for state, type_ in itertools.product(TRANSITIONS[half], BY_TYPE)
]


class Pair(Protocol):
    initiator: Stream
    receiver: Stream

    def send(self, sender: Stream, *events: Event) -> list[Event]: ...

    def open(self) -> Pair: ...


def may(half: Half, state: State, type_: type[Event]) -> bool:
    """The rules of RFC 6120 in one sentence each, apart from the table that they check."""
    if state is State.IDLE:
        return type_ is StreamHeader

    if state is State.FAILED:
        return type_ is StreamClosed

    if type_ is StreamFeatures:
        return half is Half.RECEIVING and state is State.OPEN

    return state is not State.CLOSED and type_ is not StreamHeader


@pytest.mark.parametrize(("half", "state", "type_"), CELLS)
def test_every_state_decides_every_event(
    half: Half, state: State, type_: type[Event], pair: Pair, compare: Callable[[Event], object]
) -> None:
    ours, theirs = (pair.initiator, pair.receiver) if half is Half.INITIATING else (pair.receiver, pair.initiator)

    for step in WAY_TO[state]:
        pair.send(ours, BY_TYPE[step])

    assert ours.ours is theirs.theirs is state

    if may(half, state, type_):
        pair.send(ours, BY_TYPE[type_])
        return

    with pytest.raises(LocalProtocolError, match=f"{type_.__name__} is out of place"):
        ours.send(BY_TYPE[type_])

    assert ours.ours is state
    heard = theirs.receive(Stream.send(_liar(ours), BY_TYPE[type_]))

    if state in (State.FAILED, State.CLOSED):
        # Nothing can be made of what follows the end.
        assert heard == []
    else:
        assert [type(event) for event in heard] == [Violation]

    assert theirs.receive(b"<message/>") == []


def _liar(stream: Stream) -> Stream:
    liar = Stream(initiating=True, strict=False)
    liar.header = stream.header

    return liar


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(EVENTS)), max_size=30))
def test_two_engines_never_disagree(steps: list[tuple[bool, Event]]) -> None:
    initiator, receiver = Stream(initiating=True), Stream(initiating=False)

    for by_initiator, event in steps:
        ours, theirs = (initiator, receiver) if by_initiator else (receiver, initiator)

        try:
            data = ours.send(event)
        except LocalProtocolError:
            continue

        received = theirs.receive(data)
        assert [type(one) for one in received] == [type(event)]
        assert ours.ours is theirs.theirs


def test_a_conversation_from_header_to_close(pair: Pair) -> None:
    pair.open()
    pair.send(pair.initiator, *EVENTS[2:6])
    pair.send(pair.receiver, *EVENTS[2:6])
    assert not pair.receiver.closing_due

    pair.send(pair.initiator, StreamClosed())
    assert pair.receiver.closing_due

    # RFC 6120 §4.4: the other half may still be used until it is closed, too.
    pair.send(pair.receiver, EVENTS[4], StreamClosed())
    assert not pair.receiver.closing_due
    assert pair.initiator.ours is pair.initiator.theirs is State.CLOSED


def test_an_error_makes_the_close_due(pair: Pair) -> None:
    # §4.9.1.1: "The entity that receives the stream error then SHALL close the stream".
    pair.open()
    pair.send(pair.initiator, StreamError(condition="reset"))

    assert pair.receiver.closing_due
    assert pair.receiver.receive(b"<message/></stream:stream>") == [StreamClosed()]


def test_an_error_before_their_header_is_possible() -> None:
    # §4.9.1.2: "the receiving entity MUST still send the opening <stream> tag".
    receiver, initiator = Stream(initiating=False), Stream(initiating=True)
    (violation,) = receiver.receive(b"<html>")
    assert isinstance(violation, Violation)
    data = receiver.send(StreamHeader(sender="b", id="1"))
    data += receiver.send(StreamError(condition=violation.error.condition, text=violation.error.text))

    assert [type(event) for event in initiator.receive(data + receiver.send(StreamClosed()))] == [
        StreamHeader,
        StreamError,
        StreamClosed,
    ]


def test_both_headers_are_remembered(pair: Pair) -> None:
    pair.open()

    assert pair.receiver.peer_header == pair.initiator.header == HEADER
    assert pair.initiator.peer_header == pair.receiver.header
    assert pair.initiator.peer_header is not None
    assert pair.initiator.peer_header.id == "D60000229F"


def test_a_restart_begins_anew(pair: Pair) -> None:
    # §4.3.3.
    pair.open()

    for _ in range(2):
        pair.initiator.restart()
        pair.receiver.restart()
        assert pair.initiator.ours is pair.receiver.ours is State.IDLE
        assert pair.initiator.header is pair.receiver.peer_header is None
        pair.open()


@pytest.mark.parametrize("ending", [StreamClosed(), StreamError(condition="reset")])
def test_an_ended_stream_is_not_restarted(pair: Pair, ending: Event) -> None:
    pair.open()
    pair.send(pair.initiator, ending)

    for stream in (pair.initiator, pair.receiver):
        with pytest.raises(LocalProtocolError, match="restarted"):
            stream.restart()


def test_a_half_opened_stream_is_not_restarted(pair: Pair) -> None:
    pair.send(pair.initiator, HEADER)

    with pytest.raises(LocalProtocolError, match="idle there"):
        pair.initiator.restart()


def test_a_violation_is_never_sent() -> None:
    violation = Violation(RemoteProtocolError(StreamCondition.BAD_FORMAT))

    for strict in (True, False):
        with pytest.raises(LocalProtocolError, match="only received"):
            Stream(initiating=True, strict=strict).send(violation)


def test_a_fake_may_speak_out_of_turn() -> None:
    fake = Stream(initiating=True, strict=False)

    assert fake.send(EVENTS[4]) == b"<message from='a@b' to='c@d'><body>Hi</body></message>"
    fake.restart()
    fake.send(HEADER)
    fake.send(StreamClosed())
    assert fake.send(DialbackResult(sender="a", to="b")) == b"<db:result from='a' to='b'/>"
    assert fake.ours is State.CLOSED


def test_a_fake_may_write_jabber_client() -> None:
    fake = Stream(initiating=True, strict=False)
    header = fake.send(StreamHeader(content_namespace="jabber:client"))

    assert b" xmlns='jabber:client'" in header
    assert fake.send(Stanza(element=parse_element("<iq/>"))) == b"<iq xmlns='jabber:server'/>"
    assert fake.send(Stanza(element=parse_element("<iq/>", "jabber:client"))) == b"<iq/>"


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        # §4.8.3
        ("<message xmlns='jabber:client'/>", "invalid-namespace"),
        # §4.8.4, §4.9.3.24
        ("<pubsub/>", "unsupported-stanza-type"),
        ("<message xmlns='urn:x'/>", "unsupported-stanza-type"),
        ("<stream:what/>", "unsupported-stanza-type"),
    ],
)
def test_what_nobody_understands_has_its_refusal(pair: Pair, text: str, condition: str) -> None:
    pair.open()
    (event,) = pair.send(pair.initiator, Nonza(element=parse_element(text)))

    assert isinstance(event, Nonza)
    assert refusal(event.element) == condition


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("<stream:error/>", StreamError(condition="undefined-condition")),
        (
            "<stream:error><made-up xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            StreamError(condition="made-up"),
        ),
        (
            "<stream:error><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>one</text>"
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>two</text>"
            "<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'> host:1 </see-other-host>"
            "<reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            StreamError(condition="see-other-host", content="host:1", text="one"),
        ),
    ],
)
def test_odd_stream_errors_are_understood(pair: Pair, text: str, error: StreamError) -> None:
    pair.open()

    assert pair.receiver.receive(text.encode()) == [error]


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<error/>",
        "<error><item-not-found/></error>",
        "<error xmlns='urn:x'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        "<error><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>hm</text></error>",
    ],
)
def test_dialback_errors_without_condition_have_none(pair: Pair, inside: str) -> None:
    pair.open()

    assert pair.receiver.receive(f"<db:result from='a' to='b' type='error'>{inside}</db:result>".encode()) == [
        DialbackResult(sender="a", to="b", type="error")
    ]


def test_the_table_is_printed_as_mermaid() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "simulator.xmpp.state"], capture_output=True, text=True, check=True
    ).stdout

    assert printed == diagram() + "\n"
    assert printed.startswith("stateDiagram-v2\n    state initiating {\n        [*] --> initiating_idle\n")
    assert "        receiving_open --> receiving_advertised: StreamFeatures\n" in printed
    assert printed.count("StreamFeatures") == 1
    assert "        initiating_failed --> initiating_closed: StreamClosed\n" in printed


STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"


@pytest.mark.parametrize(
    "behind", [b" ", b"\n", b"\r", b"<", b"<mess", b"<message>", b"&#3", b"]", b"\xc3", b"</stream"]
)
@pytest.mark.parametrize("apart", [False, True])
def test_what_stands_behind_an_element_is_unread(opened: Callable[..., Stream], behind: bytes, apart: bool) -> None:
    stream = opened()

    for piece in (STARTTLS, behind) if apart else (STARTTLS + behind,):
        events = stream.receive(piece)
        assert [type(event) for event in events] == ([] if piece == behind else [Nonza])

    assert stream.unread
    stream.send(HEADER)
    stream.restart()
    assert not stream.unread


@pytest.mark.parametrize("text", [STARTTLS, b" " + STARTTLS, STARTTLS.replace(b"/>", b"> <x/> </starttls>")])
@pytest.mark.parametrize("bytewise", [False, True])
def test_nothing_is_unread_behind_an_element_that_came_last(
    opened: Callable[..., Stream], text: bytes, bytewise: bool
) -> None:
    stream = opened()
    assert not stream.unread
    pieces = [bytes([byte]) for byte in text] if bytewise else [text]
    events = [event for piece in pieces for event in stream.receive(piece)]

    assert [type(event) for event in events] == [Nonza]
    assert not stream.unread


def test_an_element_behind_the_first_is_an_event_of_its_own_and_not_unread(opened: Callable[..., Stream]) -> None:
    stream = opened()

    assert [type(event) for event in stream.receive(STARTTLS + b"<message/>")] == [Nonza, Stanza]
    assert not stream.unread


def test_a_stream_that_has_heard_nothing_has_nothing_unread() -> None:
    assert not Stream(initiating=False).unread
