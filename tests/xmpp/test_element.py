"""Elements to text and back, escaping, re-scoping, error stanzas."""

from __future__ import annotations

from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.xmpp.element import (
    DEFAULT_ERROR_TYPE,
    ElementError,
    make_error,
    parse_element,
    rescope,
    serialize,
    split_name,
)
from simulator.xmpp.errors import LocalProtocolError, StanzaCondition
from simulator.xmpp.namespaces import DIALBACK, STREAMS

NAMESPACES = ["jabber:server", "jabber:client", "", "urn:x&y'<>", DIALBACK, STREAMS, "http://www.w3.org/1999/xhtml"]
names = st.sampled_from(["a", "message", "x-y.z", "_1", "grüße"])
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
    lambda character: character >= " " or character in "\t\n\r"
)
texts = st.one_of(st.text(characters, max_size=8), st.sampled_from(["", "&<>'\"", "]]>", "\r\n\t", " a "]))
attributes = st.dictionaries(
    st.one_of(
        names,
        st.sampled_from(
            ["{http://www.w3.org/XML/1998/namespace}lang", "{urn:1}a", "{urn:2}a", "{urn:1}b", "{jabber:server}a"]
        ),
    ),
    texts,
    max_size=4,
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    namespace = draw(st.sampled_from(NAMESPACES))
    name = draw(names)
    element = Element(f"{{{namespace}}}{name}" if namespace else name, draw(attributes))
    element.text = draw(texts) or None

    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        child = draw(elements(depth=depth - 1))
        child.tail = draw(texts) or None
        element.append(child)

    return element


@given(elements(), st.sampled_from(["jabber:server", "jabber:client", "urn:x&y'<>"]), st.booleans())
def test_what_is_written_is_read_again(element: Element, scope: str, declared: bool) -> None:
    written = serialize(element, scope, frozenset({DIALBACK, STREAMS}) if declared else frozenset())

    assert tostring(parse_element(written, scope)) == tostring(element)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # RFC 6120 §4.8.5: no prefixes for the content namespace, no declarations that need the stream header.
        ('<message  to="b"><body>Hi</body></message>', b"<message to='b'><body>Hi</body></message>"),
        ("<x:message xmlns:x='jabber:server'/>", b"<message/>"),
        (
            "<message><x:a xmlns:x='urn:x'><x:b/></x:a></message>",
            b"<message><a xmlns='urn:x'><b/></a></message>",
        ),
        (
            "<message><db:x><y/></db:x></message>",
            b"<message><x xmlns='jabber:server:dialback'><y xmlns='jabber:server'/></x></message>",
        ),
        ("<db:result><error/></db:result>", b"<db:result><error/></db:result>"),
        ("<a xmlns=''/>", b"<a xmlns=''/>"),
        ("<a xml:lang='en'>x<b/>y</a>", b"<a xml:lang='en'>x<b/>y</a>"),
        ("<a x:b='1' xmlns:x='urn:x'/>", b"<a xmlns:p0='urn:x' p0:b='1'/>"),
        ("<a b='&quot;&apos;&#10;&amp;'>&gt;&quot;</a>", b"<a b='\"&apos;&#10;&amp;'>&gt;\"</a>"),
    ],
)
def test_elements_are_written_plainly(text: str, written: bytes) -> None:
    assert serialize(parse_element(text)) == written


@pytest.mark.parametrize("character", ["\0", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_characters_that_xml_lacks_are_refused(character: str) -> None:
    # XML 1.0 §2.2.
    inside, attribute, behind = Element("a"), Element("a", {"b": character}), Element("a")
    inside.text = character
    behind.append(Element("b"))
    behind[0].tail = character

    for element in (inside, attribute, behind):
        with pytest.raises(ElementError, match=f"U\\+{ord(character):04X}"):
            serialize(element)


@pytest.mark.parametrize("name", ["", "a b", "a>", "1a", "{urn:x}", "urn:x}a", "a:b", "<"])
def test_names_that_xml_lacks_are_refused(name: str) -> None:
    with pytest.raises(ElementError, match="not a name"):
        serialize(Element(name))

    with pytest.raises(ElementError, match="not a name"):
        serialize(Element("a", {name: "b"}))


def test_a_tag_is_split_in_two() -> None:
    assert split_name("{urn:x}a") == ("urn:x", "a")
    assert split_name("a") == ("", "a")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("<a", "line 1, column 3"),
        ("<a>\n <b></a>", "line 2, column 7"),
        ("<x:a/>", "line 1, column 1: unbound prefix"),
        ("", "exactly one element"),
        ("<a/><b/>", "exactly one element"),
        ("x<a/>", "exactly one element"),
        ("<a/>x", "exactly one element"),
        (b"<a>\xff</a>", "not UTF-8"),
        ("<a>\ud800</a>", "not UTF-8"),
        ("<?xml version='1.0'?><a/>", "line 1, column 1"),
    ],
)
def test_text_that_is_no_element_is_refused(text: str | bytes, place: str) -> None:
    with pytest.raises(ElementError, match=place):
        parse_element(text)


def test_white_space_around_an_element_is_dropped() -> None:
    element = parse_element("\n <a/>\n ")

    assert element.tail is None
    assert element.tag == "{jabber:server}a"


def test_a_stanza_is_rescoped_as_rfc6120_says() -> None:
    # §4.8.3: inherited content namespace changes, foreign elements and their children do not.
    stanza = parse_element(
        "<message to='b'>1<body>Hi</body>2<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>"
        "<body/></message></forwarded></message>",
        "jabber:client",
    )
    moved = rescope(stanza, "jabber:client", "jabber:server")

    assert serialize(moved) == (
        b"<message to='b'>1<body>Hi</body>2<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>"
        b"<body/></message></forwarded></message>"
    )
    assert stanza.tag == "{jabber:client}message"
    moved.set("to", "c")
    assert stanza.get("to") == "b"


def test_a_foreign_element_is_not_rescoped() -> None:
    element = parse_element("<a xmlns='urn:x'/>")

    assert rescope(element, "jabber:client", "jabber:server") is element


def test_an_error_answers_a_message() -> None:
    message = parse_element("<message from='a@a/1' to='b@b' id='7' type='chat'><body>Hi</body></message>")
    error = make_error(message, StanzaCondition.SERVICE_UNAVAILABLE)

    assert serialize(error) == (
        b"<message from='b@b' to='a@a/1' id='7' type='error'><body>Hi</body><error type='cancel'>"
        b"<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    assert len(message) == 1


def test_an_error_answers_an_iq_without_its_payload() -> None:
    # The example of RFC 6120 §8.3.3.1.
    query = parse_element(
        "<iq from='juliet@im.example.com/balcony' id='zj3v142b' to='im.example.com' type='subscribe'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>"
    )

    assert serialize(make_error(query, "bad-request")) == (
        b"<iq from='im.example.com' to='juliet@im.example.com/balcony' id='zj3v142b' type='error'><error type='modify'>"
        b"<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def test_an_error_may_say_more() -> None:
    presence = parse_element("<presence/>", "jabber:client")
    error = make_error(presence, "policy-violation", type="wait", text="too <fast>", by="edge")

    assert serialize(error, "jabber:client") == (
        b"<presence type='error'><error by='edge' type='wait'>"
        b"<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        b"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>too &lt;fast&gt;</text></error></presence>"
    )


def test_an_error_is_not_answered() -> None:
    # RFC 6120 §8.3.1.
    with pytest.raises(LocalProtocolError, match=r"§8\.3\.1"):
        make_error(parse_element("<message type='error'/>"), "bad-request")


def test_every_condition_has_its_type() -> None:
    assert set(DEFAULT_ERROR_TYPE) == set(StanzaCondition)
    assert set(DEFAULT_ERROR_TYPE.values()) == {"auth", "cancel", "modify", "wait"}
