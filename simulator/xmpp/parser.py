"""Bytes of one stream in; its header, its first-level elements and its end out.

Knows XML, the parts of it that XMPP forbids (RFC 6120 §11) and the limits. Does not know what elements mean.

expat calls us for each tag; the C tree builder makes the elements. The elements that we hand out are cut from the tree
at once, so an endless stream needs no more memory than its largest element. Whatever is wrong ends the reading: the
last thing that comes out is a Violation. How the bytes were cut into pieces makes no difference, except in which
fault is named where two meet in one place (too large and ill-formed, ill-formed and not UTF-8).
"""

from __future__ import annotations

import re
from codecs import utf_8_decode
from functools import lru_cache
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ErrorString, ExpatError, errors

from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import StreamClosed, StreamHeader, Violation
from simulator.xmpp.expat import create_parser
from simulator.xmpp.header import check_content_namespace, read_header
from simulator.xmpp.limits import Limits
from simulator.xmpp.namespaces import SERVER, STREAMS

Parsed = StreamHeader | Element | StreamClosed | Violation

# The first byte of UTF-16, UTF-32 and their byte order marks, never of UTF-8.
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
        self._empty = False
        self._separated = False
        self._recent = b""
        self._over = False
        self._parsed: list[Parsed] = []
        self._namespaces: dict[str | None, str] = {}
        builder = TreeBuilder()
        self._root = builder.start(_STREAM, {})
        self._build_start, self._build_end, self._build_text = builder.start, builder.end, builder.data
        # "UTF-8" overrides what a declaration says; the handler looks at that (RFC 6120 §11.6).
        self._expat = expat = create_parser()
        expat.namespace_prefixes = True
        expat.XmlDeclHandler = self._declaration
        expat.CommentHandler = self._comment
        expat.ProcessingInstructionHandler = self._instruction
        expat.StartNamespaceDeclHandler = self._namespace
        expat.StartElementHandler = self._start
        expat.EndElementHandler = self._end

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
        # Not kept: they are the caller's now, and an idle stream shall not hold what it read last.
        self._parsed = []

        return parsed

    @property
    def unread(self) -> bool:
        """Whether something came behind the header and the elements that were handed out, be it white space."""
        return self._separated or self._depth > 1 or self._fed > max(self._expat.CurrentByteIndex, 0)

    def _fail(self, error: RemoteProtocolError) -> None:
        # RFC 6120 §4.4: what follows the closing tag is of no interest, not even when it is wrong.
        if not self._over:
            self._over = True
            self._parsed.append(Violation(error))

    def _feed_prolog(self, data: bytes) -> None:
        head = (self._recent + data)[:2] if self._fed - len(data) < 2 else b"<?"

        if (head and head[0] in _OTHER_ENCODINGS) or (head[1:] == b"\0" and head[0] in b"< \t\r\n"):
            raise RemoteProtocolError(StreamCondition.UNSUPPORTED_ENCODING, "only UTF-8 is spoken here")

        # With any other first byte, too, expat would now turn to UTF-16, and perhaps wait for more.
        if head[1:] == b"\0":
            raise RemoteProtocolError(StreamCondition.NOT_WELL_FORMED, "no XML begins like this")

        # RFC 6120 §11.6: U+FEFF "as the first character of the stream" is "a zero width no-break space, […] not […] a
        # byte order mark", and no text may precede the root. (expat would skip it.)
        if head.startswith(b"\xef"):
            raise RemoteProtocolError(StreamCondition.NOT_WELL_FORMED, "text before the stream header")

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
            self._empty = self._may_be_too_large() and self._tag_in_full().endswith(b"/>")
            self._expat.CharacterDataHandler = self._build_text
        else:
            self._root_start(tag, attributes)
            return

        self._depth = depth + 1
        self._build_start(tag, attributes)

    def _root_start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._fed > self.limits.header_bytes:
            self._check_size(0, "the stream header", self.limits.header_bytes)

        self._depth = 1
        self._separated = False
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
            if self._may_be_too_large():
                self._check_size(self._began_at, "an element", self.limits.stanza_bytes)

            self._parsed.append(self._build_end(name))
            del self._root[0]
            self._separated = False
            self._expat.CharacterDataHandler = self._between
        else:
            self._over = True
            self._parsed.append(StreamClosed())

    def _may_be_too_large(self) -> bool:
        """Whether the bytes at hand allow it at all; they hardly ever do, so that exact measuring may be slow."""
        return self._fed - self._began_at > self.limits.stanza_bytes

    def _check_size(self, began_at: int, what: str, limit: int) -> None:
        # expat stands before a tag when it reports it, but behind <empty/> when it reports its end.
        end = self._expat.CurrentByteIndex + (0 if self._empty else len(self._tag_in_full()))

        if end - began_at > limit:
            raise _too_large(what, limit)

    def _tag_in_full(self) -> bytes:
        """The tag that expat reports now, as it stood on the wire."""
        rest = self._expat.GetInputContext() or b""
        tag = _TAG.match(rest)

        return tag[0] if tag else rest

    def _between(self, text: str) -> None:
        # RFC 6120 §11.7: "either entity MAY send whitespace as separators between XML stanzas".
        if text.strip(_WHITESPACE):
            raise _stray_text()

        self._separated = True

    def _namespace(self, prefix: str | None, name: str | None) -> None:
        self._namespaces[prefix] = name or ""

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        # §11.6: "MUST NOT attempt to use any other encoding". §11.5: standalone='no' may be ignored, and is.
        if encoding is not None and encoding.upper() != "UTF-8":
            raise RemoteProtocolError(StreamCondition.UNSUPPORTED_ENCODING, "only UTF-8 is spoken here")

    def _comment(self, _: str) -> None:
        raise RemoteProtocolError(StreamCondition.RESTRICTED_XML, "no comment is allowed")

    def _instruction(self, *_: str) -> None:
        raise RemoteProtocolError(StreamCondition.RESTRICTED_XML, "no processing instruction is allowed")

    def _explain(self, code: int, data: bytes) -> RemoteProtocolError:
        condition = _CONDITIONS.get(code, StreamCondition.NOT_WELL_FORMED)

        if code == _INVALID_TOKEN:
            around = self._recent + data
            at = self._expat.ErrorByteIndex - (self._fed - len(around))
            culprit = around[at : at + 4]

            # §4.9.3.22: unsupported-encoding also for "violating the rules of the encoding".
            if culprit[0] >= 0x80 and not _begins_with_character(culprit):
                condition = StreamCondition.UNSUPPORTED_ENCODING
            # A DTD after the root is an invalid token to expat; §11.1 prohibits it all the same.
            elif around[at - 2 : at] == b"<!" and culprit[:1].isalpha():
                condition = StreamCondition.RESTRICTED_XML
            # Between elements this is text like any other; had it come in pieces, expat would have shown us that first.
            elif self._depth == 1 and around[at - 2 : at + 1] == b"]]>":
                return _stray_text()

        return RemoteProtocolError(condition, ErrorString(code) or "")


def _too_large(what: str, limit: int) -> RemoteProtocolError:
    return RemoteProtocolError(StreamCondition.POLICY_VIOLATION, f"{what} is larger than {limit} bytes")


def _stray_text() -> RemoteProtocolError:
    return RemoteProtocolError(StreamCondition.BAD_FORMAT, "text between the elements of the stream")


def _begins_with_character(data: bytes) -> bool:
    """Whether a character of UTF-8 stands first, or the beginning of one does."""
    try:
        utf_8_decode(data, "strict", False)
    except UnicodeDecodeError as error:
        return error.start > 0

    return True


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
