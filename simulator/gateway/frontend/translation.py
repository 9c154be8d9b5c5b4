"""A SIP MESSAGE into a message stanza and back (RFC 7572 Tables 1 and 2): content only, addresses are given.

Knows what of a message crosses and how. Does not know users, connections or errors that come later.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from simulator.gateway.frontend.markup import NotMarkup, to_xhtml
from simulator.sip.errors import SIPSyntaxError
from simulator.sip.message import Request
from simulator.xmpp.namespaces import SERVER, XML

MESSAGE = f"{{{SERVER}}}message"
BODY = f"{{{SERVER}}}body"
SUBJECT = f"{{{SERVER}}}subject"
THREAD = f"{{{SERVER}}}thread"
LANG = f"{{{XML}}}lang"

#: what a SIP user may send, in the order of preference that an Accept header states
READABLE = ("text/plain", "text/html")

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAKS = re.compile(r"[\r\n\0]+[ \t]*")
# RFC 3261 §25.1: callid = word [ "@" word ]
_WORD_SAFE = "-.!%*_+`'~()<>:\\\"/[]?{}"
_CALL_ID = re.compile(r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]+)?")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")


class UnsupportedMedia(SIPSyntaxError):  # noqa: N818 - the response's own name
    """RFC 3428 §7, RFC 3261 §21.4.13: the body is of a type or charset that does not cross."""

    code = 415


@dataclass(frozen=True, slots=True)
class Content:
    """What a stanza says, ready to become a MESSAGE."""

    body: bytes
    headers: tuple[tuple[str, str], ...]
    """Subject and Content-Language, where there are any."""
    call_id: str
    """The thread, or empty."""


#: what makes the stanza of a MESSAGE, called as ``stanza_of(request, sender=..., to=..., id=...)``
StanzaOf = Callable[..., Element]


def stanza_of(
    request: Request,
    *,
    sender: str,
    to: str,
    id: str,  # noqa: A002
    readable: tuple[str, ...] = READABLE,
) -> Element:
    """The stanza that a MESSAGE becomes (Table 2).

    Raises UnsupportedMedia, or SIPSyntaxError for what XML cannot say.
    """
    # §5: "MUST specify no XMPP 'type' attribute or, equivalently, [...] 'normal'".
    stanza = Element(MESSAGE, {"from": sender, "to": to, "id": id})
    language = request.header("content-language")

    # §8: "Gateways MUST map these language tagging mechanisms if they are present". xml:lang holds one tag.
    if language and (match := _LANGUAGE.match(language)):
        stanza.set(LANG, match[0])

    subject = request.header("subject")

    if subject:
        _add(stanza, SUBJECT, subject)

    _add_body(stanza, request, readable)
    _add(stanza, THREAD, request.call_id)

    return stanza


def content_of(stanza: Element) -> Content | None:
    """What of a stanza becomes a MESSAGE (Table 1); None when it says nothing that a pager could show."""
    body, subject = _chosen(stanza, BODY), _chosen(stanza, SUBJECT)

    if body is None and subject is None:
        return None

    headers = []

    if subject is not None and subject.text:
        # RFC 3261 §7.3.1: a header is one line.
        headers.append(("Subject", _LINE_BREAKS.sub(" ", subject.text).strip()))

    language = (body.get(LANG) if body is not None else None) or stanza.get(LANG)

    if language and _LANGUAGE.fullmatch(language):
        headers.append(("Content-Language", language))

    thread = (stanza.findtext(THREAD) or "").strip()
    text = (body.text or "") if body is not None else ""

    return Content(text.encode("utf-8"), tuple(headers), _call_id(thread))


def _call_id(thread: str) -> str:
    """Table 1: thread to Call-ID; what a Call-ID cannot hold is percent-encoded."""
    if not thread or len(thread) > 255:
        return ""

    return thread if _CALL_ID.fullmatch(thread) else quote(thread, safe=_WORD_SAFE.replace("%", ""))


def _chosen(stanza: Element, tag: str) -> Element | None:
    """RFC 6121 §5.2.3: a message may hold several bodies "only if each instance possesses an 'xml:lang' attribute with
    a distinct language value"; the one in the language of the stanza counts, or else the first."""
    found = stanza.findall(tag)

    if len(found) < 2:
        return found[0] if found else None

    wanted = (None, stanza.get(LANG))

    return next((element for element in found if element.get(LANG) in wanted), found[0])


def _add_body(stanza: Element, request: Request, readable: tuple[str, ...]) -> None:
    media, parameters = request.content_type

    # RFC 3261 §20.15: "The Content-Type header field MUST be present if the body is not empty."
    if not media and request.body:
        raise SIPSyntaxError("Content-Type is missing")

    if request.header("content-encoding"):
        raise UnsupportedMedia("encoded bodies are not supported")

    if media and media not in readable:
        raise UnsupportedMedia(f"{media} is not supported")

    text = _decoded(request.body, parameters.get("charset", "utf-8").lower())

    if media != "text/html":
        _add(stanza, BODY, text)
        return

    # RFC 7572 §7: "a gateway MUST transform the text/html content into XHTML content that conforms to the XHTML-IM
    # Integration Set"; XEP-0071 §7: with a plain body beside it.
    try:
        plain, markup = to_xhtml(text)
    except NotMarkup as error:
        raise SIPSyntaxError(str(error)) from None

    _add(stanza, BODY, plain)
    stanza.append(markup)


def _decoded(body: bytes, charset: str) -> str:
    if charset not in ("utf-8", "utf8", "us-ascii", "iso-8859-1"):
        raise UnsupportedMedia("only UTF-8, US-ASCII and ISO-8859-1 are read")

    try:
        # A line ends with CRLF in MIME and with LF in XML.
        return body.decode(charset).replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise SIPSyntaxError(f"the body is not {charset.upper()}") from None


def _add(stanza: Element, tag: str, text: str) -> None:
    # XML 1.0 §2.2 has no such characters, not even escaped.
    if _NOT_IN_XML.search(text):
        raise SIPSyntaxError("the message holds a control character that XML cannot carry")

    SubElement(stanza, tag).text = text
