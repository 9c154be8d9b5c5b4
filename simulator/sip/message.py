"""SIP requests and responses: bytes to values, values to bytes (RFC 3261 §7).

Knows headers, their compact and folded forms, and which must be there. Does not know transactions or users.

Headers are split here and not by sipmessage, which refuses folded lines and a space before the colon (both legal) and
drops the raw text that answers must echo. Typed values (URIs, media types) are sipmessage's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sipmessage

from simulator.sip.errors import PHRASES, SIPSyntaxError
from simulator.sip.uri import URI, NameAddress, parse_name_address, parse_uri, split_list

# RFC 3261 §7.3.3 and the registry of compact forms; those of headers that nobody here reads are left as they are.
_COMPACT = {
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "s": "subject",
    "t": "to",
    "v": "via",
}
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_FOLD = re.compile(r"\r\n[ \t]+")
_CSEQ = re.compile(r"(\d{1,10})\s+([A-Za-z0-9\-.!%*_+`'~]+)")
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*(?P<transport>[A-Za-z0-9\-.!%*_+`'~]+)\s+"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._]+)\s*(?::\s*(?P<port>\d{1,5}))?\s*(?P<parameters>(?:;[^,]*)?)"
)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;\s,]+)", re.IGNORECASE)

HeaderList = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Via:
    """The topmost Via: where a response goes, and which transaction it belongs to."""

    host: str
    branch: str
    end: int
    """Where this value ends in the header's text, which may hold several."""


class Message:
    """What requests and responses share. `headers`: lower-case long names -> raw values, unfolded, in order."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: dict[str, list[str]], body: bytes) -> None:
        self.headers, self.body = headers, body

    def header(self, name: str) -> str | None:
        """The first value of a header (lower-case long name), or None."""
        values = self.headers.get(name)

        return values[0] if values else None

    def values(self, name: str) -> list[str]:
        """Every value of a header whose values may be separated by commas."""
        return [value for line in self.headers.get(name, ()) for value in split_list(line)]

    def needed(self, name: str) -> str:
        """The first value of a header; raises SIPSyntaxError when it is absent."""
        values = self.headers.get(name)

        if not values:
            raise SIPSyntaxError(f"{name.title()} is missing")

        return values[0]

    @property
    def sender(self) -> NameAddress:
        """From."""
        return parse_name_address(self.needed("from"))

    @property
    def to(self) -> NameAddress:
        """To."""
        return parse_name_address(self.needed("to"))

    @property
    def call_id(self) -> str:
        """Call-ID."""
        return self.needed("call-id")

    @property
    def cseq(self) -> tuple[int, str]:
        """CSeq: number and method. Raises SIPSyntaxError."""
        match = _CSEQ.fullmatch(self.needed("cseq"))

        if match is None or int(match[1]) >= 2**31:
            raise SIPSyntaxError("CSeq is not valid")

        return int(match[1]), match[2]

    @property
    def via(self) -> Via:
        """The topmost Via. Raises SIPSyntaxError."""
        value = self.needed("via")
        match = _VIA.match(value)

        if match is None:
            raise SIPSyntaxError("Via is not valid")

        branch = _BRANCH.search(match["parameters"])

        return Via(match["host"], branch[1] if branch else "", match.end())

    @property
    def content_type(self) -> tuple[str, dict[str, str]]:
        """Content-Type: media type in lower case, parameters; empty when absent. Raises SIPSyntaxError."""
        value = self.header("content-type")

        return parse_media_type(value) if value else ("", {})

    def integer(self, name: str) -> int | None:
        """A header that is a number of seconds or hops; None when absent. Raises SIPSyntaxError."""
        value = self.header(name)

        if value is None:
            return None

        if not value.isdigit() or len(value) > 10:
            raise SIPSyntaxError(f"{name} is not a number")

        return int(value)


class Request(Message):
    """A request; `uri` is the Request-URI as written."""

    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, headers: dict[str, list[str]], body: bytes) -> None:
        super().__init__(headers, body)
        self.method, self.uri = method, uri

    @property
    def target(self) -> URI:
        """The Request-URI, parsed."""
        return parse_uri(self.uri)

    def check(self) -> None:
        """Raise SIPSyntaxError when a header that every request needs (RFC 3261 §8.1.1) is missing or wrong."""
        for name in ("via", "from", "to", "call-id", "cseq"):
            self.needed(name)

        # These may stand once (§7.3.1); two of them would let two readers see two different messages.
        for name in ("from", "to", "call-id", "cseq", "content-type", "max-forwards"):
            if len(self.headers.get(name, ())) > 1:
                raise SIPSyntaxError(f"{name.title()} stands more than once")

        # §8.1.1.5: "The method MUST match that of the request."
        if self.cseq[1] != self.method:
            raise SIPSyntaxError("the method in CSeq is not that of the request")

        if not self.via.branch:
            raise SIPSyntaxError("Via has no branch")

        # Parsing raises when they are malformed; whoever asks again is answered from a cache.
        parse_name_address(self.needed("from"))
        parse_name_address(self.needed("to"))


class Response(Message):
    """A response."""

    __slots__ = ("code", "phrase")

    def __init__(self, code: int, phrase: str, headers: dict[str, list[str]], body: bytes) -> None:
        super().__init__(headers, body)
        self.code, self.phrase = code, phrase


def parse_message(head: bytes, body: bytes) -> Request | Response:
    """Parse a framed message; raises SIPSyntaxError."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        raise SIPSyntaxError("the header is not UTF-8") from None

    # RFC 3261 §7.3.1: a line that starts with whitespace continues the one before.
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)

    start, *lines = text.split("\r\n")

    # A bare CR or LF inside a value would become a line of its own on the next hop.
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise SIPSyntaxError("a control character in a header")

    headers = _headers(lines)
    first, _, rest = start.partition(" ")
    second, _, third = rest.partition(" ")

    if first == "SIP/2.0":
        if not (second.isdigit() and len(second) == 3):
            raise SIPSyntaxError("the status code is not a number of three digits")

        return Response(int(second), third, headers, body)

    if not _TOKEN.fullmatch(first) or not second or " " in third:
        raise SIPSyntaxError("the start line is neither a request nor a response")

    if third != "SIP/2.0":
        raise UnsupportedVersion("only SIP/2.0 is spoken here")

    return Request(first, second, headers, body)


class UnsupportedVersion(SIPSyntaxError):  # noqa: N818 - the response's own name
    """RFC 3261 §21.5.6."""

    code = 505


def _headers(lines: list[str]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}

    for line in lines:
        name, colon, value = line.partition(":")

        if not colon:
            raise SIPSyntaxError(f"not a header line: {line[:60]!r}")

        name = _header_name(name)
        value = value.strip(" \t")

        if name in headers:
            headers[name].append(value)
        else:
            headers[name] = [value]

    return headers


@lru_cache(maxsize=1024)
def _header_name(name: str) -> str:
    """The long form in lower case of a header's name; raises SIPSyntaxError."""
    name = name.rstrip(" \t").lower()

    if not _TOKEN.fullmatch(name):
        raise SIPSyntaxError(f"not the name of a header: {name[:60]!r}")

    return _COMPACT.get(name, name)


@lru_cache(maxsize=256)
def parse_media_type(value: str) -> tuple[str, dict[str, str]]:
    """Parse a Content-Type: media type in lower case, its parameters with lower-case names; raises SIPSyntaxError."""
    try:
        parsed = sipmessage.MediaType.parse(value)
    except ValueError:
        raise SIPSyntaxError("Content-Type is not valid") from None

    return parsed.mime_type.lower(), {name.lower(): (text or "").strip('"') for name, text in parsed.parameters.items()}


#: requests that may begin a dialog (RFC 3261 §12, RFC 6665 §4.4.1)
DIALOG_METHODS = frozenset({"INVITE", "SUBSCRIBE", "NOTIFY"})


def build_request(method: str, uri: str, headers: HeaderList, body: bytes = b"") -> bytes:
    """Write a request. `headers` in the order of the wire, without Content-Length.

    Raises ValueError when a header holds a line break.
    """
    return _build(f"{method} {uri} SIP/2.0", headers, body)


def build_response(
    request: Request,
    code: int,
    phrase: str = "",
    *,
    tag: str = "",
    source: str = "",
    headers: HeaderList = (),
    body: bytes = b"",
) -> bytes:
    """Write the response to `request` (RFC 3261 §8.2.6.2): Via, From, To, Call-ID and CSeq as they came; and
    Record-Route where a dialog may begin.

    `tag` is added to a To that has none (not in a 100). `source` is the address that the request came from. What the
    request lacks, the response lacks: only a Via there must be.
    """
    given = request.headers
    first, *vias = given["via"]
    lines = [("Via", _received(first, source) if source else first)]
    lines += [("Via", via) for via in vias]

    # §12.1.1: to establish a dialog "the UAS MUST copy all Record-Route header field values from the request into the
    # response", "and MUST maintain the order of those values".
    if 100 < code < 300 and request.method in DIALOG_METHODS:
        lines += [("Record-Route", route) for route in given.get("record-route", ())]

    for name in ("From", "To", "Call-ID", "CSeq"):
        if values := given.get(name.lower()):
            lines.append((name, values[0]))

            if name == "To" and tag and code != 100 and request.to.tag is None:
                lines[-1] = (name, f"{values[0]};tag={tag}")

    lines += headers

    return _build(f"SIP/2.0 {code} {phrase or PHRASES.get(code, 'Response')}", lines, body)


def _received(via: str, source: str) -> str:
    """RFC 3261 §18.2.1: "If the host portion of the sent-by parameter contains a domain name, or if it contains an IP
    address that differs from the packet source address, the server MUST add a received parameter"."""
    match = _VIA.match(via)

    if match is None or match["host"].strip("[]") == source or ";received=" in match["parameters"]:
        return via

    return f"{via[: match.end()]};received={source}{via[match.end() :]}"


def _build(start: str, headers: HeaderList, body: bytes) -> bytes:
    lines = [start, *[f"{name}: {value}" for name, value in headers], f"Content-Length: {len(body)}"]
    text = "\r\n".join(lines)

    # Values come from strangers: a line break inside one would be a header, or a message, of theirs.
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1 or "\0" in text:
        raise ValueError("a header holds a line break")

    return f"{text}\r\n\r\n".encode() + body
