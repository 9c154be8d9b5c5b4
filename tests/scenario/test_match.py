"""Patterns match what they mean, and a mismatch names the path at which two things part."""

from __future__ import annotations

import copy
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario.match import (
    fill,
    match_element,
    match_fields,
    match_text,
    names_in,
    quote,
)
from simulator.xmpp.element import ElementError

TABLE = {
    "itself": ("<message to='a'><body>Hi</body></message>", "<message to='a'><body>Hi</body></message>", ""),
    "declared otherwise": (
        "<db:result from='a'/>",
        "<result xmlns='jabber:server:dialback' from='a'/>",
        "",
    ),
    "white space at the ends": ("<a>\n  Hi\n</a>", "<a>Hi</a>", ""),
    "white space between children": ("<a>\n <b/>\n <c/>\n</a>", "<a><b/><c/></a>", ""),
    "children of other names in any order": ("<a><b/><c/></a>", "<a><c/><b/></a>", ""),
    "an id nobody foresaw": ("<iq type='result'/>", "<iq type='result' id='x' xml:lang='en'/>", ""),
    "a message is normal": ("<message type='normal'/>", "<message/>", ""),
    "normal may be said": ("<message/>", "<message type='normal'/>", ""),
    "any value": ("<a b='...'/>", "<a b=''/>", ""),
    "anything inside": ("<a>...</a>", "<a b='c'>text<d/></a>", ""),
    "anything besides": ("<a>...<c>1</c></a>", "<a x='y'><b/><c>0</c><c>1</c><c>2</c></a>", ""),
    "dots in a body are dots": ("<a>Wait...</a>", "<a>Wait...</a>", ""),
    "other name": ("<a/>", "<b/>", "/a: expected <a xmlns='jabber:server'/>, got <b xmlns='jabber:server'/>"),
    "other namespace": (
        "<a/>",
        "<a xmlns='urn:x'/>",
        "/a: expected <a xmlns='jabber:server'/>, got <a xmlns='urn:x'/>",
    ),
    "other text": (
        "<message><body>Hi</body></message>",
        "<message><body>Hello</body></message>",
        '/message/body: expected "Hi", got "Hello"',
    ),
    "text where none is": ("<a/>", "<a>x</a>", '/a: expected no text, got "x"'),
    "no text": ("<a>x</a>", "<a/>", '/a: expected "x", got no text'),
    "other value": ("<a to='x'/>", "<a to='y'/>", '/a/@to: expected "x", got "y"'),
    "missing attribute": ("<a to='x'/>", "<a/>", '/a/@to: expected "x", got nothing'),
    "missing any value": ("<a to='...'/>", "<a/>", '/a/@to: expected "...", got nothing'),
    "surplus attribute": ("<a/>", "<a by='x'/>", '/a/@by: expected nothing, got "x"'),
    "an id that is named": ("<a id='1'/>", "<a id='2'/>", '/a/@id: expected "1", got "2"'),
    "a language that is named": ("<a xml:lang='en'/>", "<a xml:lang='de'/>", '/a/@xml:lang: expected "en", got "de"'),
    "missing child": ("<a><b/></a>", "<a/>", "/a/b: expected <b xmlns='jabber:server'/>, got nothing"),
    "surplus child": ("<a/>", "<a><b/></a>", "/a/b: expected nothing, got <b xmlns='jabber:server'/>"),
    "child of another namespace": (
        "<a><b xmlns='urn:x'/></a>",
        "<a><b/></a>",
        "/a/b: expected <b xmlns='urn:x'/>, got <b xmlns='jabber:server'/>",
    ),
    "children of one name keep their order": (
        "<a><b>1</b><b>2</b></a>",
        "<a><b>2</b><b>1</b></a>",
        '/a/b[1]: expected "1", got "2"',
    ),
    "one child too many": (
        "<a><b/></a>",
        "<a><b/><b/></a>",
        "/a/b[2]: expected nothing, got <b xmlns='jabber:server'/>",
    ),
    "no chat": ("<message type='chat'/>", "<message/>", '/message/@type: expected "chat", got "normal"'),
    "broken": (
        "<a/>",
        "<a",
        "/: expected an element, got what is none: line 1, column 3: not well-formed (invalid token)",
    ),
    "line break is shown": ("<a>x</a>", "<a>y\nz</a>", '/a: expected "x", got "y\\nz"'),
}


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE)
def test_the_table_of_matches_holds(case: tuple[str, str, str]) -> None:
    pattern, got, expected = case
    found = match_element(pattern, got, {})

    assert str(found or "") == expected


def test_a_pattern_that_is_no_xml_is_an_error() -> None:
    with pytest.raises(ElementError):
        match_element("<a", "<a/>", {})


def test_a_name_is_captured_and_then_demanded() -> None:
    captures: dict[str, str] = {}

    assert (
        match_element("<db:verify id='{id}'>{key}</db:verify>", "<db:verify id='7'>abc</db:verify>", captures) is None
    )
    assert captures == {"id": "7", "key": "abc"}
    assert match_element("<a id='{id}'/>", "<a id='7'/>", captures) is None
    assert str(match_element("<a id='{id}'/>", "<a id='8'/>", captures)) == '/a/@id: expected "7", got "8"'


def test_a_mismatch_captures_nothing() -> None:
    captures: dict[str, str] = {}

    assert match_element("<a id='{id}'><b/></a>", "<a id='7'/>", captures) is not None
    assert captures == {}


def test_one_name_stands_for_one_value() -> None:
    assert match_element("<a b='{x}' c='{x}'/>", "<a b='1' c='1'/>", {}) is None
    assert match_element("<a b='{x}' c='{x}'/>", "<a b='1' c='2'/>", {}) is not None
    assert match_text("{x}-{x}", "1-1", {})
    assert not match_text("{x}-{x}", "1-2", {})


def test_a_name_never_stands_for_nothing() -> None:
    assert match_element("<a id='{id}'/>", "<a id=''/>", {}) is not None


@pytest.mark.parametrize(
    ("pattern", "got", "captured"),
    [
        ("juliet@gmail.com/{resource}", "juliet@gmail.com/balcony/2", {"resource": "balcony/2"}),
        ("{a}@{b}", "x@y@z", {"a": "x", "b": "y@z"}),
        ('{"a": 1}', '{"a": 1}', {}),
        ("a.b", "a.b", {}),
    ],
)
def test_names_capture_parts_of_a_text(pattern: str, got: str, captured: dict[str, str]) -> None:
    captures: dict[str, str] = {}

    assert match_text(pattern, got, captures)
    assert captures == captured


def test_anything_other_than_a_value_can_be_wanted() -> None:
    assert match_text("{other than s-1}", "s-2", {})
    assert not match_text("{other than s-1}", "s-1", {})
    assert not match_text("{other than s-1}", "", {})


def test_anything_other_than_what_was_captured_can_be_wanted() -> None:
    assert match_text("{other than id}", "id", {"id": "7"})
    assert not match_text("{other than id}", "7", {"id": "7"})


def test_a_captured_value_is_no_expression() -> None:
    assert not match_text("{x}", "abc", {"x": ".*"})
    assert match_text("{x}!", ".*!", {"x": ".*"})


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ({"from": "juliet@gmail.com"}, ""),
        ({"from": "juliet@gmail.com/balcony"}, ""),
        ({"from": "romeo@gmail.com"}, "message/from"),
        ({"from": "juliet@gmail.com/phone"}, "message/from"),
        ({"code": "404"}, ""),
        ({"subject": None}, ""),
        ({"body": None}, "message/body"),
        ({"subject": "x"}, "message/subject"),
        ({"body": "{b}", "code": 404}, ""),
    ],
)
def test_fields_match_where_they_are_named(pattern: dict[str, object], path: str) -> None:
    got = {"from": "juliet@gmail.com/balcony", "body": "Hi", "code": 404}
    found = match_fields(pattern, got, {}, "message")

    assert (found.path if found else "") == path


def test_known_names_are_filled_in() -> None:
    assert fill("{id} {other} {}", {"id": "7"}) == "7 {other} {}"
    assert names_in({"a{x}": ["{y-1}", 3, None, "{Z}"]}) == {"x", "y-1"}


def test_a_long_value_is_cut_when_shown() -> None:
    assert quote("x" * 400).endswith('" and 100 more')
    assert quote(True) == '"true"'


NAMES = st.sampled_from(["a", "b", "c", "{urn:x}a", "{urn:y}b"])
TEXTS = st.text("xyz 1", max_size=4)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    element = Element(draw(NAMES), draw(st.dictionaries(st.sampled_from(["p", "q", "id"]), TEXTS, max_size=3)))
    element.text = draw(TEXTS)

    if depth:
        element.extend(draw(st.lists(elements(depth - 1), max_size=3)))

    return element


@given(elements())
def test_an_element_matches_itself(element: Element) -> None:
    assert match_element(element, copy.deepcopy(element), {}) is None


@given(elements(), st.data())
def test_a_single_change_is_named_by_its_path(element: Element, data: st.DataObject) -> None:
    changed = copy.deepcopy(element)
    places = list(_places(changed, f"/{changed.tag.rpartition('}')[2]}"))
    target, path = data.draw(st.sampled_from(places))
    kind = data.draw(st.sampled_from(["text", "attribute", "child", "value"]))

    if kind == "text":
        target.text = (target.text or "") + "!"
    elif kind == "attribute":
        target.set("extra", "1")
        path += "/@extra"
    elif kind == "child":
        target.append(Element("extra"))
        path += "/extra"
    else:
        target.set("p", target.get("p", "") + "!")
        path += "/@p"

    found = match_element(element, changed, {})

    assert found is not None
    assert found.path == path


def _places(element: Element, path: str) -> list[tuple[Element, str]]:
    places = [(element, path)]

    for child in element:
        same = [other for other in element if other.tag.rpartition("}")[2] == child.tag.rpartition("}")[2]]
        number = f"[{next(at for at, other in enumerate(same, 1) if other is child)}]" if len(same) > 1 else ""
        places += _places(child, f"{path}/{child.tag.rpartition('}')[2]}{number}")

    return places
