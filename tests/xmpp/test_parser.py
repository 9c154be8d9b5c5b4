"""What a stranger may not send, the stream error that answers it, and what one stream may cost."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence

import pytest

from simulator.xmpp.element import serialize
from simulator.xmpp.events import DialbackResult, Nonza, Stanza, StreamClosed, StreamHeader, Violation
from simulator.xmpp.limits import Limits
from simulator.xmpp.parser import StreamParser
from simulator.xmpp.stream import Stream

STREAMS = b"http://etherx.jabber.org/streams"
HEAD = b"<stream:stream xmlns='jabber:server' xmlns:stream='" + STREAMS + b"'>"
BILLION_LAUGHS = b"<!DOCTYPE lolz [<!ENTITY a 'ha'>%s]>" % b"".join(
    b"<!ENTITY %c '%s'>" % (98 + level, b"&%c;" % (97 + level) * 10) for level in range(9)
)
MESSAGE = b"<message from='a@b' to='c@d'><body>x</body></message>"

Opened = Callable[..., Stream]


def condition_of(events: Sequence[object]) -> str | None:
    """The stream error that the last event stands for."""
    last = events[-1] if events else None

    return str(last.error.condition) if isinstance(last, Violation) else None


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        # §4.8.1, §4.8.2, §4.9.3.10
        (b"<stream:stream xmlns='jabber:server' xmlns:stream='urn:wrong'>", "invalid-namespace"),
        (b"<stream xmlns='jabber:server'>", "invalid-namespace"),
        (b"<stream>", "invalid-namespace"),
        (HEAD.replace(b"jabber:server", b"jabber:client"), "invalid-namespace"),
        (HEAD.replace(b"jabber:server", b"urn:foo"), "invalid-namespace"),
        (HEAD.replace(b":stream ", b":notstream "), "bad-format"),
        (b"<html>", "bad-format"),
        # not XML at all
        (b"GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "not-well-formed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not-well-formed"),
        (b"<" + b"a" * 10 + b"<", "not-well-formed"),
        (b"<stream:stream>", "not-well-formed"),
        (b'"\0', "not-well-formed"),
        (HEAD[:-1] + b" to='a' to='b'>", "not-well-formed"),
        (b" <?xml version='1.0'?>" + HEAD, "not-well-formed"),
        # §11.1
        (BILLION_LAUGHS + HEAD + b"<message>&j;</message>", "restricted-xml"),
        (b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>" + HEAD, "restricted-xml"),
        (b"<!-- hello -->" + HEAD, "restricted-xml"),
        (b"<?php ?>" + HEAD, "restricted-xml"),
        (HEAD[:-1] + b" to='&host;'>", "restricted-xml"),
        # §11.6
        (b"<?xml version='1.0' encoding='UTF-16'?>" + HEAD, "unsupported-encoding"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?>" + HEAD, "unsupported-encoding"),
        (b"<?xml version='1.0' encoding='no-such'?>" + HEAD, "unsupported-encoding"),
        (HEAD.decode().encode("utf-16"), "unsupported-encoding"),
        (HEAD.decode().encode("utf-16-le"), "unsupported-encoding"),
        (HEAD.decode().encode("utf-16-be"), "unsupported-encoding"),
        (HEAD.decode().encode("utf-32"), "unsupported-encoding"),
        (HEAD.decode().encode("utf-8-sig"), "not-well-formed"),
        (HEAD[:-1] + b" to='\xff'>", "unsupported-encoding"),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 7, 100_000])
def test_bad_beginnings_get_their_condition(data: bytes, condition: str, piece: int) -> None:
    stream = Stream(initiating=False)
    events = [event for at in range(0, len(data), piece) for event in stream.receive(data[at : at + piece])]

    assert condition_of(events) == condition
    assert len(events) == 1
    assert stream.receive(HEAD) == []


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        # §11.3
        (b"<message><body>No closing tag!</message>", "not-well-formed"),
        (b"<message><foo:body>What is this foo?</foo:body></message>", "not-well-formed"),
        (b"<message a='1' a='2'/>", "not-well-formed"),
        (b"<message xmlns:x='u' xmlns:y='u' x:a='1' y:a='2'/>", "not-well-formed"),
        (b"<message a='<'/>", "not-well-formed"),
        (b"<message>&#x1;</message>", "not-well-formed"),
        (b"<message>\x01</message>", "not-well-formed"),
        (b"<message>\xef\xbf\xbf</message>", "not-well-formed"),
        (b"<message>a & b</message>", "not-well-formed"),
        (b"<message>]]></message>", "not-well-formed"),
        (b"<?xml version='1.0'?>", "not-well-formed"),
        # §11.1
        (b"<message><!-- hi --></message>", "restricted-xml"),
        (b"<!-- hi -->", "restricted-xml"),
        (b"<?target data?>", "restricted-xml"),
        (b"<message>&undefined;</message>", "restricted-xml"),
        (b"<message a='&undefined;'/>", "restricted-xml"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>", "restricted-xml"),
        (b"<message><!ENTITY b 'c'></message>", "restricted-xml"),
        # §4.9.3.22
        (b"<message>\xff</message>", "unsupported-encoding"),
        (b"<message>\xc0\xaf</message>", "unsupported-encoding"),
        (b"<message>\xed\xa0\x80</message>", "unsupported-encoding"),
        (b"<message>\xe2(</message>", "unsupported-encoding"),
        (b"<mess\xffage/>", "unsupported-encoding"),
        # §4.8.5
        (b"<x:message xmlns:x='jabber:server'/>", "bad-namespace-prefix"),
        (b"<message><x:body xmlns:x='jabber:server'/></message>", "bad-namespace-prefix"),
        # the stream itself
        (b"hello", "bad-format"),
        (b"]]>", "bad-format"),
        (b"<message/>\xc2\xa0<message/>", "bad-format"),
        (HEAD, "bad-format"),
    ],
)
@pytest.mark.parametrize("piece", [1, 3, 100_000])
def test_bad_elements_get_their_condition(opened: Opened, data: bytes, condition: str, piece: int) -> None:
    stream = opened()
    data = MESSAGE + data
    events = [event for at in range(0, len(data), piece) for event in stream.receive(data[at : at + piece])]

    assert condition_of(events) == condition
    assert isinstance(events[0], Stanza)
    assert stream.receive(MESSAGE) == []


@pytest.mark.parametrize(
    "declaration",
    [
        b"",
        b"<?xml version='1.0'?>",
        b"<?xml version='1.0' encoding='UTF-8'?>",
        b"<?xml version='1.0' encoding='utf-8'?>\r\n",
        # §11.5: "MUST either ignore the standalone document declaration or close".
        b"<?xml version='1.0' standalone='no'?>",
        b" \n\t",
    ],
)
@pytest.mark.parametrize(
    "header", [HEAD, HEAD.replace(b"xmlns='jabber:server' ", b""), HEAD.replace(b"stream:", b"s:")]
)
def test_good_beginnings_are_accepted(declaration: bytes, header: bytes) -> None:
    header = header.replace(b"xmlns:stream", b"xmlns:s") if b"<s:" in header else header
    stream = Stream(initiating=False)

    assert stream.receive(declaration + header) == [StreamHeader(version=None, dialback=False)]


def test_predefined_entities_references_and_cdata_are_read(opened: Opened) -> None:
    # §11.1 excepts "the predefined entities"; references to characters and CDATA are not prohibited.
    (stanza,) = opened().receive(
        b"<message><body>&lt;&amp;&gt;&apos;&quot;&#228;&#x20AC;<![CDATA[<b>]]></body></message>"
    )

    assert isinstance(stanza, Stanza)
    assert stanza.element[0].text == "<&>'\"ä€<b>"


def test_a_feff_within_text_is_a_character(opened: Opened) -> None:
    # §11.6: "MUST interpret that character as a zero width no-break space".
    (stanza,) = opened().receive("<message><body>\ufeffx</body></message>".encode())

    assert isinstance(stanza, Stanza)
    assert stanza.element[0].text == "\ufeffx"


def test_white_space_between_stanzas_is_nothing(opened: Opened) -> None:
    # §11.7.
    events = opened().receive(b" \n" + MESSAGE + b"\t\r\n  " + MESSAGE + b" ")

    assert len(events) == 2
    assert all(isinstance(event, Stanza) and event.element.tail is None for event in events)


def test_what_follows_the_closing_tag_is_ignored(opened: Opened) -> None:
    stream = opened()

    assert stream.receive(b"</stream:stream><oops") == [StreamClosed()]
    assert stream.receive(MESSAGE) == []


def test_a_jabber_client_message_is_a_nonza(opened: Opened) -> None:
    # §4.8.3: the edge answers it with invalid-namespace.
    (event,) = opened().receive(b"<message xmlns='jabber:client'><body>x</body></message>")

    assert isinstance(event, Nonza)
    assert event.element.tag == "{jabber:client}message"


@pytest.mark.parametrize(
    "data",
    [
        b"<message><body>%s</body></message>" % (b"x" * 1000),
        b"<message a='%s'/>" % (b"x" * 1000),
        b"<message a='%s'></message>" % (b"x" * 1000),
        b"<message>%s</message>" % (b"<a/>" * 250),
        b"<message><![CDATA[%s]]></message>" % (b"x" * 1000),
        b"<message></message%s>" % (b" " * 1000),
        b"<message>&#%s65;</message>" % (b"0" * 1000),
    ],
    ids=["text", "attribute-empty", "attribute", "children", "cdata", "end-tag", "reference"],
)
@pytest.mark.parametrize("piece", [1, 64, 100_000])
def test_a_stanza_is_bounded_to_the_byte(opened: Opened, data: bytes, piece: int) -> None:
    for limit, accepted in ((len(data), True), (len(data) - 1, False)):
        stream = opened(stanza_bytes=limit)
        wire = MESSAGE + data + MESSAGE
        events = [event for at in range(0, len(wire), piece) for event in stream.receive(wire[at : at + piece])]

        assert len(events) == (3 if accepted else 2)
        assert condition_of(events) == (None if accepted else "policy-violation")


@pytest.mark.parametrize(
    "endless",
    [
        b"<message><body>",
        b"<message a='",
        b"<",
        b"<message><![CDATA[",
        b"<!--",
        b"<?pi ",
        b"<message></message ",
        b"<message>&",
        b"<message>&#0",
    ],
)
def test_what_never_ends_is_bounded(opened: Opened, endless: bytes) -> None:
    stream = opened(stanza_bytes=5_000)
    filler = {b"<message></message ": b" ", b"<": b"x", b"<message>&": b"x"}.get(endless, b"0") * 1_000
    events = stream.receive(endless)

    for _ in range(5):
        events += stream.receive(filler)

    assert condition_of(events) == "policy-violation"


@pytest.mark.parametrize(
    "endless", [b"<?xml version='1.0", b"<stream:stream a='", b"<", b"", b"<?xml version='1.0'?>", b"<?pi "]
)
def test_a_header_that_never_ends_is_bounded(endless: bytes) -> None:
    stream = Stream(initiating=False)
    events = stream.receive(endless)
    filler = {b"": b" ", b">": b" ", b"<": b"x"}.get(endless[-1:], b"0") * 1_000

    for _ in range(9):
        events += stream.receive(filler)

    assert condition_of(events) == "policy-violation"


@pytest.mark.parametrize("piece", [1, 100_000])
def test_a_header_is_bounded_to_the_byte(piece: int) -> None:
    wire = HEAD + MESSAGE

    for limit, accepted in ((len(HEAD), True), (len(HEAD) - 1, False)):
        stream = Stream(initiating=False, limits=Limits(header_bytes=limit))
        events = [event for at in range(0, len(wire), piece) for event in stream.receive(wire[at : at + piece])]

        assert condition_of(events) == (None if accepted else "policy-violation")
        assert len(events) == (2 if accepted else 1)


def test_depth_is_bounded(opened: Opened) -> None:
    def nested(depth: int) -> bytes:
        return b"<message>" + b"<a>" * (depth - 1) + b"</a>" * (depth - 1) + b"</message>"

    assert condition_of(opened(depth=3).receive(nested(3))) is None
    assert condition_of(opened(depth=3).receive(nested(4))) == "policy-violation"
    assert condition_of(opened(depth=3).receive(b"<message/>" * 10)) is None


def test_attributes_are_bounded(opened: Opened) -> None:
    four = b" a='1' b='2' c='3' d='4'"

    assert condition_of(opened(attributes=4).receive(b"<message%s/>" % four)) is None
    assert condition_of(opened(attributes=3).receive(b"<message%s/>" % four)) == "policy-violation"
    assert condition_of(opened(attributes=3).receive(b"<message><a%s/></message>" % four)) == "policy-violation"
    assert condition_of(StreamParser(Limits(attributes=3)).feed(HEAD[:-1] + four + b">")) == "policy-violation"


def test_namespaced_attributes_get_clark_names(opened: Opened) -> None:
    (event,) = opened().receive(b"<message xml:lang='en' xmlns:x='urn:x' x:a='1' to='b'/>")

    assert isinstance(event, Stanza)
    assert event.element.attrib == {"{http://www.w3.org/XML/1998/namespace}lang": "en", "{urn:x}a": "1", "to": "b"}


def test_elements_without_namespace_stay_without() -> None:
    parser = StreamParser()
    parser.feed(HEAD)
    (element,) = parser.feed(b"<a xmlns=''><b/></a>")

    assert not isinstance(element, StreamHeader | StreamClosed | Violation)
    assert [element.tag, element[0].tag] == ["a", "b"]
    assert serialize(element) == b"<a xmlns=''><b/></a>"


def test_a_refused_header_is_still_known() -> None:
    # §4.9.1.2: the error is preceded by our header, which wants the addresses of theirs.
    stream = Stream(initiating=False)
    stream.receive(HEAD.replace(b"jabber:server", b"jabber:client' from='a' to='b"))

    assert stream.peer_header == StreamHeader(
        sender="a", to="b", version=None, content_namespace="jabber:client", dialback=False
    )


def test_memory_is_flat_over_many_stanzas(opened: Opened) -> None:
    stream = opened()
    chunk = MESSAGE * 500
    tracemalloc.start()

    try:
        stream.receive(chunk)
        before = tracemalloc.get_traced_memory()[0]

        for _ in range(200):
            assert len(stream.receive(chunk)) == 500

        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert after - before < 20_000


def test_keys_with_markup_keep_only_their_text(opened: Opened) -> None:
    (event,) = opened().receive(b"<db:result from='a' to='b'>12<x/>34</db:result>")

    assert event == DialbackResult(sender="a", to="b", key="12")
