"""Examples of RFC 6120 and XEP-0220, byte for byte, as someone else wrote them."""

from __future__ import annotations

import re

import pytest

from simulator.xmpp.element import parse_element, serialize
from simulator.xmpp.events import (
    DialbackResult,
    DialbackVerify,
    Nonza,
    Stanza,
    StreamClosed,
    StreamError,
    StreamFeatures,
    StreamHeader,
)
from simulator.xmpp.first_level import write_event
from simulator.xmpp.namespaces import DIALBACK, STREAMS
from simulator.xmpp.state import State
from simulator.xmpp.stream import Stream

DECLARED = frozenset({DIALBACK, STREAMS})

SERVER1_HEADER = b"""<stream:stream
      from='im.example.com'
      to='example.net'
      version='1.0'
      xmlns='jabber:server'
      xmlns:stream='http://etherx.jabber.org/streams'>
"""
SERVER2_HEADER = b"""<stream
      from='example.net'
      id='hTiXkW+ih9k2SqdGkk/AZi0OJ/Q='
      to='im.example.com'
      version='1.0'
      xmlns='http://etherx.jabber.org/streams'>
"""
STARTTLS_FEATURES = b"""<features xmlns='http://etherx.jabber.org/streams'>
      <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>
        <required/>
      </starttls>
    </features>
"""
MECHANISMS = b"""<features xmlns='http://etherx.jabber.org/streams'>
      <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>
        <mechanism>EXTERNAL</mechanism>
      </mechanisms>
    </features>
"""
STANZA = b"""<message from='juliet@im.example.com/balcony'
             id='ju2ba41c'
             to='romeo@example.net'
             type='chat'
             xml:lang='en'>
    <body>Art thou not Romeo, and a Montague?</body>
   </message>
"""
SENT_HEADER = StreamHeader(sender="im.example.com", to="example.net")


def tags(stream: Stream, data: bytes) -> list[str]:
    return [event.element.tag for event in stream.receive(data) if isinstance(event, Nonza)]


def test_server1_reads_prefix_free_server2() -> None:
    # RFC 6120 §9.2: "Server2 uses prefix-free canonicalization".
    server1 = Stream(initiating=True)
    server1.send(SENT_HEADER)

    header, features = server1.receive(SERVER2_HEADER + STARTTLS_FEATURES)

    assert header == StreamHeader(
        sender="example.net", id="hTiXkW+ih9k2SqdGkk/AZi0OJ/Q=", to="im.example.com", dialback=False
    )
    assert isinstance(features, StreamFeatures)
    assert [feature.tag for feature in features.features] == ["{urn:ietf:params:xml:ns:xmpp-tls}starttls"]

    server1.send(Nonza(element=parse_element("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")))
    assert tags(server1, b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") == [
        "{urn:ietf:params:xml:ns:xmpp-tls}proceed"
    ]

    server1.restart()
    server1.send(SENT_HEADER)
    header, features = server1.receive(SERVER2_HEADER + MECHANISMS)
    assert isinstance(features, StreamFeatures)
    assert features.features[0][0].text == "EXTERNAL"
    assert tags(server1, b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")

    server1.restart()
    server1.send(SENT_HEADER)
    header, features = server1.receive(SERVER2_HEADER + b"<features xmlns='http://etherx.jabber.org/streams'/>")
    assert features == StreamFeatures()

    server1.send(StreamClosed())
    assert server1.receive(b"\n</stream>\n") == [StreamClosed()]


def test_server2_reads_prefixed_server1() -> None:
    server2 = Stream(initiating=False)

    header, stanza, closed = server2.receive(SERVER1_HEADER + STANZA + b"</stream:stream>")

    assert header == StreamHeader(sender="im.example.com", to="example.net", dialback=False)
    assert isinstance(stanza, Stanza)
    assert stanza.element.attrib == {
        "from": "juliet@im.example.com/balcony",
        "id": "ju2ba41c",
        "to": "romeo@example.net",
        "type": "chat",
        "{http://www.w3.org/XML/1998/namespace}lang": "en",
    }
    assert stanza.element.findtext("{jabber:server}body") == "Art thou not Romeo, and a Montague?"
    assert closed == StreamClosed()


def test_failed_starttls_and_its_close_are_read() -> None:
    # §9.2.1 step 5 (alt).
    server1 = Stream(initiating=True)
    events = server1.receive(
        SERVER2_HEADER + STARTTLS_FEATURES + b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\n    </stream>"
    )

    assert [type(event).__name__ for event in events[2:]] == ["Nonza", "StreamClosed"]
    assert server1.theirs is State.CLOSED


def test_a_header_is_written_as_rfc6120_does() -> None:
    ours = Stream(initiating=True).send(StreamHeader(sender="im.example.com", to="example.net", dialback=False))

    assert ours == b"<?xml version='1.0'?>" + b" ".join(SERVER1_HEADER.split())


def squeezed(example: str) -> str:
    """An example as XEP-0220 prints it, without the line breaks that are there for readability."""
    return re.sub(r" ?([<>]) ?", r"\1", " ".join(example.split()))


KEY = "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"
VERIFIED_KEY = "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d"
PAIR = {"sender": "montague.example", "to": "capulet.example"}
ERROR = """<error type='cancel'>
          <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
        </error>"""

XEP_0220 = [
    pytest.param(
        f"""<db:result
          from='capulet.example'
          to='montague.example'>
        {KEY}
      </db:result>""",
        DialbackResult(sender="capulet.example", to="montague.example", key=KEY),
        id="example-1-9",
    ),
    pytest.param(
        """<db:result
          from='montague.example'
          to='capulet.example'
          type='valid'/>""",
        DialbackResult(**PAIR, type="valid"),
        id="example-2-10",
    ),
    pytest.param(
        """<db:result
          from='montague.example'
          to='capulet.example'
          type='invalid'/>""",
        DialbackResult(**PAIR, type="invalid"),
        id="example-3-11",
    ),
    pytest.param(
        f"""<db:result
          from='montague.example'
          to='capulet.example'
          type='error'>
        {ERROR}
      </db:result>""",
        DialbackResult(**PAIR, type="error", condition="item-not-found"),
        id="example-4-12",
    ),
    pytest.param(
        f"""<db:verify
          from='capulet.example'
          id='417GAF25'
          to='montague.example'>
       {VERIFIED_KEY}
     </db:verify>""",
        DialbackVerify(sender="capulet.example", to="montague.example", id="417GAF25", key=VERIFIED_KEY),
        id="example-5-13",
    ),
    pytest.param(
        """<db:verify
          from='montague.example'
          id='417GAF25'
          to='capulet.example'
          type='valid'/>""",
        DialbackVerify(**PAIR, id="417GAF25", type="valid"),
        id="example-6-14",
    ),
    pytest.param(
        """<db:verify
          from='montague.example'
          id='417GAF25'
          to='capulet.example'
          type='invalid'/>""",
        DialbackVerify(**PAIR, id="417GAF25", type="invalid"),
        id="example-7-15",
    ),
    pytest.param(
        f"""<db:verify
          from='montague.example'
          id='417GAF25'
          to='capulet.example'
          type='error'>
        {ERROR}
     </db:verify>""",
        DialbackVerify(**PAIR, id="417GAF25", type="error", condition="item-not-found"),
        id="example-8-16",
    ),
]


@pytest.mark.parametrize(("example", "event"), XEP_0220)
def test_dialback_is_read_as_printed(example: str, event: DialbackResult | DialbackVerify) -> None:
    stream = Stream(initiating=False)
    header = SERVER1_HEADER.replace(b"version", b"xmlns:db='jabber:server:dialback' version")

    assert stream.receive(header + example.encode())[1:] == [event]


@pytest.mark.parametrize(("example", "event"), XEP_0220)
def test_dialback_is_written_as_printed(example: str, event: DialbackResult | DialbackVerify) -> None:
    written = write_event(event, declared=DECLARED).decode()

    assert written == squeezed(example)


def test_dialback_feature_is_written_as_printed() -> None:
    # XEP-0220 §2.4.2.
    feature = parse_element("<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>")

    assert write_event(StreamFeatures(features=(feature,)), declared=DECLARED) == (
        b"<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>"
    )


@pytest.mark.parametrize("prefix", ["db", "x", "stream2"])
def test_dialback_counts_by_namespace_not_prefix(prefix: str) -> None:
    # XEP-0220 §2.4.1: "the prefix is allowed to be other than "db"".
    stream = Stream(initiating=False)
    header = SERVER1_HEADER.replace(b"version", f"xmlns:{prefix}='jabber:server:dialback' version".encode())

    head, result = stream.receive(header + f"<{prefix}:result from='a' to='b'>k</{prefix}:result>".encode())

    assert isinstance(head, StreamHeader)
    assert head.dialback
    assert result == DialbackResult(sender="a", to="b", key="k")


def test_unprefixed_dialback_is_dialback_too() -> None:
    stream = Stream(initiating=False)
    stream.receive(SERVER1_HEADER)

    assert stream.receive(b"<verify xmlns='jabber:server:dialback' id='1' type='foo'/>") == [
        DialbackVerify(sender=None, to=None, id="1", type="foo")
    ]


def test_dialback_is_declared_where_the_header_does_not() -> None:
    stream = Stream(initiating=True)
    stream.send(StreamHeader(dialback=False))

    assert stream.send(DialbackResult(sender="a", to="b", key="k")) == (
        b"<db:result xmlns:db='jabber:server:dialback' from='a' to='b'>k</db:result>"
    )


def test_stream_error_is_written_as_rfc6120_does() -> None:
    # RFC 6120 §4.9.2, §4.9.3.19.
    gone = parse_element("<gone-fishing xmlns='urn:example:errors'/>")
    error = StreamError(condition="see-other-host", text="elsewhere", content="[2001:db8::1]:9222", children=(gone,))

    assert write_event(error, declared=DECLARED) == (
        b"<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[2001:db8::1]:9222"
        b"</see-other-host><text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>elsewhere</text>"
        b"<gone-fishing xmlns='urn:example:errors'/></stream:error>"
    )


def test_stanza_of_rfc6120_survives_a_round_trip() -> None:
    written = serialize(parse_element(STANZA))

    assert written.split() == STANZA.split()
