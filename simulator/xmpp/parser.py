"""Bytes of one stream in; its header, its first-level elements and its end out.

Knows XML, the parts of it that XMPP forbids (RFC 6120 §11) and the limits. Does not know what elements mean.

expat calls us for each tag; the C tree builder makes the elements. The elements that we hand out are cut from the tree
at once, so an endless stream needs no more memory than its largest element. Whatever is wrong ends the reading: the
last thing that comes out is a Violation, and it is the same one however the bytes were cut into pieces.
"""

from __future__ import annotations

import re
from functools import lru_cache
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate, errors

from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import StreamClosed, StreamHeader, Violation
from simulator.xmpp.header import check_content_namespace, read_header
from simulator.xmpp.limits import Limits
from simulator.xmpp.namespaces import SERVER, STREAMS

Parsed = StreamHeader | Element | StreamClosed | Violation

# The first byte of UTF-16, UTF-32 and their byte order marks, never of UTF-8 XML.
_OTHER_ENCODINGS = b"\xff\xfe\x00"
_WHITESPACE = " \t\r\n"
_TAG = re.compile(rb"<(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_STREAM = f"{{{STREAMS}}}stream"

_CODES = errors.codes
#: What expat finds wrong -> the stream error; everything else is not-well-formed (RFC 6120 §11.3).
_CONDITIONS = {
    # §11.1 prohibits "internal or external entity references with the exception of the predefined entities".
    _CODES[errors.XML_ERROR_UNDEFINED_ENTITY]: StreamCondition.RESTRICTED_XML,
    _CODES[errors.XML_ERROR_UNKNOWN_ENCODING]: StreamCondition.UNSUPPORTED_ENCODING,
    _CODES[errors.XML_ERROR_INCORRECT_ENCODING]: StreamCondition.UNSUPPORTED_ENCODING,
}
_INVALID_TOKEN = _CODES[errors.XML_ERROR_INVALID_TOKEN]


class StreamParser:
    """An incremental parser of one stream; a restarted stream needs a new one."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self.limits = limits
        self.header: StreamHeader | None = None
        """The peer's header as soon as it was read, also when its namespace is refused."""
        self._depth = 0
        self._fed = 0
        self._began_at = 0
        self._recent = b""
        self._over = False
        self._parsed: list[Parsed] = []
        self._namespaces: dict[str | None, str] = {}
        builder = TreeBuilder()
        self._root = builder.start(_STREAM, {})
        self._build_start, self._build_end, self._build_text = builder.start, builder.end, builder.data
        # "UTF-8" overrides what a declaration or a byte order mark says (RFC 6120 §11.6): the declaration is checked,
        # and a leading U+FEFF is a character like any other, which XML does not allow there.
        self._expat = expat = ParserCreate("UTF-8", "}")
        expat.namespace_prefixes = True
        expat.XmlDeclHandler = self._declaration
        expat.StartDoctypeDeclHandler = self._doctype
        expat.CommentHandler = self._comment
        expat.ProcessingInstructionHandler = self._instruction
        expat.StartNamespaceDeclHandler = self._namespace
        expat.StartElementHandler = self._start
        expat.EndElementHandler = self._end

        # Since 2.6 expat may sit on a finished tag until more bytes come, which on a stream may be never.
        if hasattr(expat, "SetReparseDeferralEnabled"):
            expat.SetReparseDeferralEnabled(False)

    def feed(self, data: bytes) -> list[Parsed]:
        """Parse more bytes; the list ends with a Violation or StreamClosed when nothing more will be read."""
        if self._over:
            return []

        parsed: list[Parsed] = []
        self._parsed = parsed
        self._fed += len(data)

        try:
            if self._depth:
                self._expat.Parse(data, False)
            else:
                self._feed_prolog(data)

            self._check_unfinished()
        except RemoteProtocolError as error:
            self._fail(error)
        except ExpatError as error:
            self._fail(self._explain(error.code, data))

        self._recent = (self._recent + data)[-4:]

        return parsed

    def _fail(self, error: RemoteProtocolError) -> None:
        self._over = True
        self._parsed.append(Violation(error))

    def _feed_prolog(self, data: bytes) -> None:
        head = (self._recent + data)[:2] if self._fed - len(data) < 2 else b"<?"

        if (head and head[0] in _OTHER_ENCODINGS) or head[1:] == b"\0":
            raise RemoteProtocolError(StreamCondition.UNSUPPORTED_ENCODING, "only UTF-8 is spoken here")

        # Before the root, "<!" can only begin a comment or a DTD. It must not reach expat: pyexpat cannot stop it, so
        # that entities would be expanded although a handler has refused the DTD.
        at = (self._recent[-1:] + data).find(b"<!") - len(self._recent[-1:])

        if at < -1 or (at == -1 and not self._recent.endswith(b"<")):
            self._expat.Parse(data, False)
            return

        self._expat.Parse(data[: at + 1], False)

        if not self._depth:
            raise RemoteProtocolError(StreamCondition.RESTRICTED_XML, "no DTD and no comment may precede the stream")

        self._expat.Parse(data[at + 1 :], False)

    def _check_unfinished(self) -> None:
        if self._over:
            return

        if self._depth == 0:
            if self._fed > self.limits.header_bytes:
                raise _too_large("the stream header", self.limits.header_bytes)
        elif (
            self._fed - (self._began_at if self._depth > 1 else self._expat.CurrentByteIndex) > self.limits.stanza_bytes
        ):
            raise _too_large("an element", self.limits.stanza_bytes)

    # -- called by expat

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        depth = self._depth
        tag = _tag(name)

        if len(attributes) > self.limits.attributes:
            raise RemoteProtocolError(
                StreamCondition.POLICY_VIOLATION, f"an element has more than {self.limits.attributes} attributes"
            )

        for key in attributes:
            if "}" in key:
                attributes = {_attribute(key): value for key, value in attributes.items()}
                break

        if depth > 1:
            if depth > self.limits.depth:
                raise RemoteProtocolError(
                    StreamCondition.POLICY_VIOLATION, f"elements are nested deeper than {self.limits.depth}"
                )
        elif depth == 1:
            if tag == _STREAM:
                raise RemoteProtocolError(StreamCondition.BAD_FORMAT, "a second stream header inside the stream")

            self._began_at = self._expat.CurrentByteIndex
            self._expat.CharacterDataHandler = self._build_text
        else:
            self._root_start(tag, attributes)
            return

        self._depth = depth + 1
        self._build_start(tag, attributes)

    def _root_start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._fed > self.limits.header_bytes and self._end_of_tag() > self.limits.header_bytes:
            raise _too_large("the stream header", self.limits.header_bytes)

        self._depth = 1
        self._expat.StartNamespaceDeclHandler = None
        self._expat.CharacterDataHandler = self._between
        self.header = read_header(tag, attributes, self._namespaces)
        check_content_namespace(self.header)
        self._parsed.append(self.header)

    def _end(self, name: str) -> None:
        self._depth = depth = self._depth - 1

        if depth > 1:
            self._build_end(name)
        elif depth == 1:
            # Whether it is too large is measured only where this chunk makes it possible.
            if (
                self._fed - self._began_at > self.limits.stanza_bytes
                and self._end_of_tag() - self._began_at > self.limits.stanza_bytes
            ):
                raise _too_large("an element", self.limits.stanza_bytes)

            self._parsed.append(self._build_end(name))
            del self._root[0]
            self._expat.CharacterDataHandler = self._between
        else:
            self._over = True
            self._parsed.append(StreamClosed())

    def _end_of_tag(self) -> int:
        """The position in the stream after the tag that expat reports now."""
        rest = self._expat.GetInputContext() or b""
        tag = _TAG.match(rest)

        return self._expat.CurrentByteIndex + (tag.end() if tag else len(rest))

    def _between(self, text: str) -> None:
        # RFC 6120 §11.7: "either entity MAY send whitespace as separators between XML stanzas".
        if text.strip(_WHITESPACE):
            raise RemoteProtocolError(StreamCondition.BAD_FORMAT, "text between the elements of the stream")

    def _namespace(self, prefix: str | None, name: str | None) -> None:
        self._namespaces[prefix] = name or ""

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        # §11.6: "MUST NOT attempt to use any other encoding". §11.5: standalone='no' may be ignored, and is.
        if encoding is not None and encoding.upper() != "UTF-8":
            raise RemoteProtocolError(StreamCondition.UNSUPPORTED_ENCODING, "only UTF-8 is spoken here")

    def _doctype(self, *_: object) -> None:
        raise RemoteProtocolError(StreamCondition.RESTRICTED_XML, "no DTD is allowed")

    def _comment(self, _: str) -> None:
        raise RemoteProtocolError(StreamCondition.RESTRICTED_XML, "no comment is allowed")

    def _instruction(self, *_: str) -> None:
        raise RemoteProtocolError(StreamCondition.RESTRICTED_XML, "no processing instruction is allowed")

    def _explain(self, code: int, data: bytes) -> RemoteProtocolError:
        condition = _CONDITIONS.get(code, StreamCondition.NOT_WELL_FORMED)

        if code == _INVALID_TOKEN:
            at = self._expat.ErrorByteIndex - (self._fed - len(data)) + len(self._recent)
            culprit = (self._recent + data)[at : at + 4]

            # §4.9.3.22: unsupported-encoding also for "violating the rules of the encoding".
            if culprit and culprit[0] >= 0x80 and not _begins_with_character(culprit):
                condition = StreamCondition.UNSUPPORTED_ENCODING

        return RemoteProtocolError(condition, ErrorString(code) or "")


def _too_large(what: str, limit: int) -> RemoteProtocolError:
    return RemoteProtocolError(StreamCondition.POLICY_VIOLATION, f"{what} is larger than {limit} bytes")


def _begins_with_character(data: bytes) -> bool:
    for length in range(2, 5):
        try:
            data[:length].decode("utf-8")
        except UnicodeDecodeError:
            continue

        return True

    return False


@lru_cache(maxsize=4096)
def _tag(name: str) -> str:
    """Turn expat's ``namespace}local}prefix`` into ``{namespace}local``."""
    namespace, brace, rest = name.partition("}")

    if not brace:
        return name

    local, prefixed, _ = rest.partition("}")

    # RFC 6120 §4.8.5: "An implementation MUST NOT generate namespace prefixes for elements qualified by the content
    # namespace"; who receives such data "SHOULD either ignore the data or close the stream".
    if prefixed and namespace == SERVER:
        raise RemoteProtocolError(StreamCondition.BAD_NAMESPACE_PREFIX, f"{local} has a prefix")

    return f"{{{namespace}}}{local}"


@lru_cache(maxsize=4096)
def _attribute(name: str) -> str:
    namespace, brace, rest = name.partition("}")

    return f"{{{namespace}}}{rest.partition('}')[0]}" if brace else name
