"""Bodies of XML: what is refused of a stranger's, and that what is written is what is read."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.body import DEPTH, ELEMENTS, NotXML, parse_xml, write_xml

NAMES = st.sampled_from(["a", "b", "{urn:one}c", "{urn:two}d"])
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["x", "{urn:two}y", "{http://www.w3.org/XML/1998/namespace}lang"]), TEXTS, max_size=3
)


def element(tag: str, attributes: dict[str, str], text: str, children: list[Element]) -> Element:
    made = Element(tag, attributes)
    made.text = text
    made.extend(children)

    return made


TREES = st.recursive(
    st.builds(element, NAMES, ATTRIBUTES, TEXTS, st.just([])),
    lambda inner: st.builds(element, NAMES, ATTRIBUTES, TEXTS, st.lists(inner, max_size=3)),
    max_leaves=8,
)


def flat(tree: Element) -> list[object]:
    return [tree.tag, dict(tree.attrib), tree.text or "", *[flat(child) for child in tree]]


@given(TREES, st.booleans())
def test_what_is_written_is_read(tree: Element, prefixed: bool) -> None:
    written = write_xml(tree, {"urn:one": "one"} if prefixed else {})

    assert flat(parse_xml(written)) == flat(tree)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain words",
        b"<a>",
        b"<a/><b/>",
        b"<a>\xff</a>",
        b"<a>&unknown;</a>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        b"<?xml version='1.0'?>\n<!DOCTYPE a><a/>",
        b"<a>" * (DEPTH + 1) + b"</a>" * (DEPTH + 1),
        b"<a>" + b"<b/>" * ELEMENTS + b"</a>",
    ],
)
def test_what_is_refused(body: bytes) -> None:
    with pytest.raises(NotXML):
        parse_xml(body)


def test_bounds_are_reached_and_not_passed() -> None:
    assert parse_xml(b"<a>" * DEPTH + b"</a>" * DEPTH).tag == "a"
    assert len(parse_xml(b"<a>" + b"<b/>" * (ELEMENTS - 1) + b"</a>")) == ELEMENTS - 1


def test_characters_that_xml_has_not_are_left_out() -> None:
    tree = element("a", {"x": "1\x002"}, "3\x014", [])

    assert write_xml(tree) == b"<?xml version='1.0' encoding='UTF-8'?><a x=\"12\">34</a>"


def test_names_that_xml_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="not a name"):
        write_xml(Element("a b"))
