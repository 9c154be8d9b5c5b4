"""However TCP cuts a stream into pieces, the same events come out."""

from __future__ import annotations

import itertools
from xml.etree.ElementTree import tostring

from hypothesis import given
from hypothesis import strategies as st

from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import Event, StreamHeader, Violation
from simulator.xmpp.limits import Limits
from simulator.xmpp.stream import Stream

HEAD = (
    b"<?xml version='1.0' encoding='utf-8'?>\n<stream:stream from='a.example' to='b.example' version='1.0'"
    b" xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>"
)
GOOD = [
    "<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>",
    "<db:result from='a.example' to='b.example'>12 ab</db:result>",
    "<db:verify id='&lt;1&gt;' from='a' to='b' type='valid'/>",
    "<message from='a@a' xml:lang='de'><body>Grüße &amp; 🙂 &#x20AC;</body>t<x xmlns='urn:x' y='&apos;'/>  </message>",
    "<presence/>",
    "<iq type='get'><![CDATA[<a>]]]]></iq >",
    " \n ",
    "<!---->",
    "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    "</stream:stream>",
]
BAD = [
    "<a></b>",
    "text",
    "<!DOCTYPE a>",
    "<?a?>",
    "<a>&b;</a>",
    "<x:y/>",
    "<",
    "&",
    "<a b=1>",
    "\ufeff",
    "\x01",
    "<!",
    "]]>",
]
PIECES = [piece.encode() for piece in GOOD + BAD] + [HEAD, b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00", b"<\x00"]


def heard(pieces: list[bytes], limits: Limits = Limits()) -> list[object]:  # noqa: B008 - frozen
    stream = Stream(initiating=True, limits=limits)
    events = [event for piece in pieces for event in stream.receive(piece)]
    assert all(not isinstance(event, Violation) for event in events[:-1])

    return [plain(event) for event in events]


def one_fault(events: list[object], data: bytes) -> list[object]:
    """Where the bytes are neither UTF-8 nor XML, either condition is right."""
    try:
        data.decode()
    except UnicodeDecodeError:
        either = (StreamCondition.NOT_WELL_FORMED, StreamCondition.UNSUPPORTED_ENCODING)

        return ["either" if event in either else event for event in events]

    return events


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]

    return [data[start:end] for start, end in itertools.pairwise(edges)]


places = st.lists(st.integers(0, 10_000), max_size=12)


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.booleans(), places)
def test_cuts_make_no_difference(pieces: list[bytes], good_head: bool, places: list[int]) -> None:
    data = (HEAD if good_head else b"") + b"".join(pieces)
    whole = one_fault(heard([data]), data)

    assert one_fault(heard(cut(data, places)), data) == whole
    assert one_fault(heard([data[at : at + 1] for at in range(len(data))]), data) == whole


@given(st.binary(max_size=60), st.booleans(), places)
def test_random_bytes_never_raise(noise: bytes, good_head: bool, places: list[int]) -> None:
    data = (HEAD if good_head else b"") + noise

    assert one_fault(heard(cut(data, places)), data) == one_fault(heard([data]), data)


@given(
    st.lists(st.sampled_from([piece.encode() for piece in GOOD[:6]]), min_size=1, max_size=6),
    places,
    st.integers(1, 200),
)
def test_cuts_make_no_difference_at_the_limit(pieces: list[bytes], places: list[int], limit: int) -> None:
    data = HEAD + b"".join(pieces)
    limits = Limits(stanza_bytes=limit)

    assert heard(cut(data, places), limits) == heard([data], limits)


def plain(event: Event) -> object:
    """An event that can be compared, elements by their text."""
    if isinstance(event, Violation):
        return event.error.condition

    return event if isinstance(event, StreamHeader) else repr_of(event)


def repr_of(event: Event) -> str:
    """All that an event says, as text."""
    elements = [getattr(event, "element", None), *getattr(event, "features", ()), *getattr(event, "children", ())]
    rest = [
        getattr(event, name, None) for name in ("sender", "to", "id", "key", "type", "condition", "text", "content")
    ]

    return f"{type(event).__name__} {rest} {[tostring(element) for element in elements if element is not None]}"
