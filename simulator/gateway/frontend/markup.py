"""HTML from a SIP user into XHTML-IM (XEP-0071) and back, as far as the Integration Set has words for it.

Knows which elements and attributes may pass. Does not know messages.

The result goes to strangers' clients: what is not in the set is dropped, its text kept; scripts are dropped with
their text; only links of harmless schemes survive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, SubElement

XHTML_IM = "http://jabber.org/protocol/xhtml-im"
XHTML = "http://www.w3.org/1999/xhtml"

# XEP-0071 §6: Text, Hypertext, List and Style Attribute modules, cut down; `b`, `i` and `div` are told in its words.
_ALLOWED = {name: name for name in ("a", "blockquote", "br", "cite", "em", "li", "ol", "p", "span", "strong", "ul")} | {
    "b": "strong",
    "i": "em",
    "div": "p",
    "h1": "p",
    "h2": "p",
    "h3": "p",
}
_WITHOUT_TEXT = frozenset({"script", "style", "head", "title", "object", "iframe"})
_BREAKS_LINE = frozenset({"br", "p", "li", "blockquote"})
# §7.5: the style properties that are RECOMMENDED.
_STYLES = frozenset({"color", "font-family", "font-size", "font-style", "font-weight", "text-align", "text-decoration"})
_STYLE_VALUE = re.compile(r"[A-Za-z0-9#.,%' \-]{1,60}")
_LINK = re.compile(r"(?:https?|mailto|xmpp|sip):[^\s<>\"]+", re.IGNORECASE)
_DEPTH = 32
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class NotMarkup(ValueError):  # noqa: N818 - says what it is
    """The text cannot become XHTML."""


def to_xhtml(text: str) -> tuple[str, Element]:
    """The plain text of some HTML, and its ``<html/>`` in the namespace of XHTML-IM; raises NotMarkup."""
    builder = _Builder()
    builder.feed(text)
    builder.close()

    if _NOT_IN_XML.search("".join(builder.plain)):
        raise NotMarkup("the markup holds a control character that XML cannot carry")

    return "".join(builder.plain).strip(), builder.root


def to_html(message: Element) -> str | None:
    """The XHTML-IM of a message as HTML for a SIP user, or None when it holds none that says anything.

    XEP-0071 §7: a message with XHTML-IM has a plain body as well, and a receiver that cannot show the one shows the
    other. Only what may pass outwards passes inwards.
    """
    body = message.find(f"{{{XHTML_IM}}}html/{{{XHTML}}}body")

    if body is None:
        return None

    said = [*body.itertext(), *(image.get("alt", "") for image in body.iter(f"{{{XHTML}}}img"))]
    parts: list[str] = []
    _write_html(parts, body, 0)

    return "".join(parts) if "".join(said).strip() else None


def _write_html(parts: list[str], element: Element, depth: int) -> None:
    parts.append(escape(element.text or "", quote=False))

    for child in element:
        tag = child.tag.removeprefix(f"{{{XHTML}}}")
        name = _ALLOWED.get(tag) if depth < _DEPTH else None

        if name == "br":
            parts.append("<br>")
        elif name is not None:
            written = [f'{key}="{escape(value)}"' for key, value in _attributes(name, list(child.items())).items()]
            parts.append(f"<{' '.join([name, *written])}>")
            _write_html(parts, child, depth + 1)
            parts.append(f"</{name}>")
        elif tag == "img":
            parts.append(escape(child.get("alt", ""), quote=False))
        elif tag not in _WITHOUT_TEXT and depth < _DEPTH:
            _write_html(parts, child, depth + 1)

        parts.append(escape(child.tail or "", quote=False))


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element(f"{{{XHTML_IM}}}html")
        self.plain: list[str] = []
        self._open: list[tuple[str, Element]] = [("body", SubElement(self.root, f"{{{XHTML}}}body"))]
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _WITHOUT_TEXT:
            self._silent += 1

        # XEP-0071 §6.6: an image is not passed on, what it shows is told.
        if tag == "img" and not self._silent:
            self.handle_data(dict(attrs).get("alt") or "")

        name = _ALLOWED.get(tag)

        if name is None or self._silent or len(self._open) > _DEPTH:
            return

        if name in _BREAKS_LINE and self.plain:
            self.plain.append("\n")

        element = SubElement(self._open[-1][1], f"{{{XHTML}}}{name}", _attributes(name, attrs))

        if name != "br":
            self._open.append((tag, element))

    def handle_endtag(self, tag: str) -> None:
        if tag in _WITHOUT_TEXT:
            self._silent = max(0, self._silent - 1)
            return

        # An end tag closes what stands open inside it; one that was never opened closes nothing.
        if any(name == tag for name, _ in self._open[1:]):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._silent:
            return

        self.plain.append(data)
        parent = self._open[-1][1]

        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + data
        else:
            parent.text = (parent.text or "") + data


def _attributes(name: str, given: Sequence[tuple[str, str | None]]) -> dict[str, str]:
    kept = {}
    attributes = {key: value or "" for key, value in given}

    if name == "a" and _LINK.fullmatch(attributes.get("href", "")):
        kept["href"] = attributes["href"]

    style = "; ".join(_styles(attributes.get("style", "")))

    if style:
        kept["style"] = style

    return kept


def _styles(text: str) -> list[str]:
    pairs = [tuple(map(str.strip, piece.split(":", 1))) for piece in text.split(";") if ":" in piece]

    return [f"{name}: {value}" for name, value in pairs if name.lower() in _STYLES and _STYLE_VALUE.fullmatch(value)]
