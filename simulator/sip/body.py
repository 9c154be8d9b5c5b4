"""Bodies of XML: bytes to element, element to bytes, bounded.

Knows XML and what of it a stranger may use. Does not know what any document means.

Bodies come from user agents and, through them, from anybody. A document type, and with it every entity but the five of
XML itself, is refused (no bombs, no files read); depth and number of elements are bounded, the size by whoever framed
the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

from simulator.sip.errors import SIPSyntaxError

#: deeper than any document that is read here, and small enough for recursion
DEPTH = 32
ELEMENTS = 20000

XML = "http://www.w3.org/XML/1998/namespace"
LANG = f"{{{XML}}}lang"

_NAME = re.compile(r"[^\W\d][\w.\-]*")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


class NotXML(SIPSyntaxError):  # noqa: N818 - says what it is
    """The body is not XML, or uses what is refused here."""


def parse_xml(body: bytes) -> Element:
    """The root of a document in UTF-8; raises NotXML."""
    reader = _Reader()

    try:
        return reader.read(body)
    except ExpatError as error:
        raise NotXML(f"the body is not XML: {error}") from None
    except UnicodeDecodeError:
        raise NotXML("the body is not UTF-8") from None


class _Reader:
    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = self._elements = 0
        # What the declaration says about the encoding is overruled: a body that is not UTF-8 is refused as ill-formed.
        self._expat = expat = ParserCreate("UTF-8", "}")
        expat.StartDoctypeDeclHandler = self._doctype
        expat.StartElementHandler = self._start
        expat.EndElementHandler = self._end
        expat.CharacterDataHandler = self._builder.data

    def read(self, body: bytes) -> Element:
        # The handlers raise; expat would go on to allocate what a document type declares before it calls them.
        if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
            raise NotXML("a document type is not read here")

        self._expat.Parse(body, True)

        return self._builder.close()

    def _doctype(self, *_: object) -> None:
        raise NotXML("a document type is not read here")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1

        if self._depth > DEPTH or self._elements > ELEMENTS:
            raise NotXML("the document is too deep or has too many elements")

        self._builder.start(_tag(name), {_tag(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_tag(name))


@lru_cache(maxsize=1024)
def _tag(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def write_xml(root: Element, prefixes: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """A document. Namespaces of `prefixes` are declared once at the root, others where they begin.

    Raises ValueError for names that XML does not have. Characters that it does not have are left out.
    """
    parts = ["<?xml version='1.0' encoding='UTF-8'?>"]
    declared = "".join(f' xmlns:{prefix}="{_attribute(namespace)}"' for namespace, prefix in prefixes.items())
    _write(parts, root, "", prefixes, declared)

    return "".join(parts).encode("utf-8")


def text_of(element: Element | None) -> str:
    """The text of an element without the white space around it; empty where there is no element."""
    return (element.text or "").strip() if element is not None else ""


def local_name(element: Element) -> str:
    """The name of an element without its namespace: several documents here exist in two."""
    return element.tag.rpartition("}")[2]


def _write(parts: list[str], element: Element, scope: str, prefixes: Mapping[str, str], declared: str = "") -> None:
    namespace, name = _split(element.tag)

    if namespace in prefixes:
        name = f"{prefixes[namespace]}:{name}"
    elif namespace != scope:
        declared = f' xmlns="{_attribute(namespace)}"{declared}'
        scope = namespace

    parts.append(f"<{name}{declared}")

    for number, (key, value) in enumerate(element.items()):
        parts.append(f' {_attribute_name(key, number)}="{_attribute(value)}"')

    if not element.text and not len(element):
        parts.append("/>")
        return

    parts.append(f">{_text(element.text or '')}")

    for child in element:
        _write(parts, child, scope, prefixes)
        parts.append(_text(child.tail or ""))

    parts.append(f"</{name}>")


def _attribute_name(key: str, number: int) -> str:
    namespace, name = _split(key)

    if not namespace:
        return name

    return f"xml:{name}" if namespace == XML else f'xmlns:n{number}="{_attribute(namespace)}" n{number}:{name}'


@lru_cache(maxsize=1024)
def _split(tag: str) -> tuple[str, str]:
    namespace, brace, name = tag.rpartition("}")

    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name of XML: {tag[:60]!r}")

    return (namespace[1:] if brace else ""), name


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("", text).translate(_IN_TEXT)


def _attribute(text: str) -> str:
    return _NOT_IN_XML.sub("", text).translate(_IN_ATTRIBUTE)
