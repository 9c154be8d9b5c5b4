"""What an IM session needs of SDP (RFC 4566, RFC 3264): the message stream over SIP itself, and what it accepts.

Knows lines and which of several streams is ours. Does not know sessions or SIP.

The dialect is that of Microsoft's clients: ``m=message 5060 sip null`` says that messages come as MESSAGE requests
within the dialog (the port is never used), and was called ``x-ms-message`` before. MSRP (RFC 4975) is another thing
under the same name, told apart by its protocol.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.sip.errors import SIPSyntaxError

MEDIA_TYPE = "application/sdp"

#: larger than any description of a session of words, small enough to be read whole
LONGEST = 16384
MOST_STREAMS = 32

#: names of the stream that we serve, the present one first
MESSAGE_STREAMS = ("message", "x-ms-message")
PROTOCOL = "sip"

#: the port that Microsoft's clients write; nobody connects to it, and 0 would refuse the stream (RFC 3264 §6)
PORT = 5060

#: RFC 4566 §5: "parsers SHOULD be tolerant and also accept records terminated with a single newline character"
_LINE_END = re.compile(r"\r?\n")
_MEDIA = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]{1,64})[ \t]+(\d{1,5})(?:/\d+)?[ \t]+(\S{1,64})[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Stream:
    """One ``m=`` line with its attributes."""

    kind: str
    """In lower case."""
    port: int
    protocol: str
    """As written."""
    formats: str
    """As written, not split."""
    accepted: tuple[str, ...] = ()
    """``a=accept-types``, in lower case; empty when it says nothing."""

    @property
    def is_ours(self) -> bool:
        """Whether it is a stream of messages that SIP itself carries, and open."""
        return self.kind in MESSAGE_STREAMS and self.protocol.lower() == PROTOCOL and self.port != 0

    def accepts(self, media_type: str) -> bool:
        """Whether bodies of this type may be sent. RFC 4975 §8.6: "a single "*" [...] indicates that any type".

        A stream without the attribute is of a client that does not tell, and takes text at least.
        """
        if not self.accepted:
            return media_type.startswith("text/")

        major = media_type.partition("/")[0]

        return bool({media_type, f"{major}/*", "*"} & set(self.accepted))


@dataclass(frozen=True, slots=True)
class Description:
    """An offer or an answer."""

    streams: tuple[Stream, ...]

    @property
    def chosen(self) -> Stream | None:
        """The first stream that is ours."""
        return next((stream for stream in self.streams if stream.is_ours), None)


def parse_description(body: bytes) -> Description:
    """Read an offer or answer. Lines that say nothing about messages are passed over; raises SIPSyntaxError."""
    if len(body) > LONGEST:
        raise SIPSyntaxError(f"the session description is longer than {LONGEST} bytes")

    try:
        lines = _LINE_END.split(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise SIPSyntaxError("the session description is not UTF-8") from None

    # RFC 4566 §5: "v=" comes first, and is 0.
    if lines[0].strip() != "v=0":
        raise SIPSyntaxError("the session description does not begin with v=0")

    streams: list[Stream] = []

    for line in lines:
        kind, equals, value = line.partition("=")

        if kind == "m" and equals:
            streams.append(_stream(value))
        elif kind == "a" and streams and value.lower().startswith("accept-types:"):
            streams[-1] = _accepting(streams[-1], value.partition(":")[2])

    if len(streams) > MOST_STREAMS:
        raise SIPSyntaxError("the session description has too many streams")

    return Description(tuple(streams))


def offer(host: str, accepted: Sequence[str]) -> bytes:
    """Our offer: one stream of messages, `accepted` being the types that we read."""
    return _description(host, [_accepted_line(MESSAGE_STREAMS[0], "null", accepted)])


def answer(offered: Description, host: str, accepted: Sequence[str]) -> bytes:
    """The answer that takes the chosen stream and refuses the others; raises ValueError when there is none to take.

    RFC 3264 §6: "For each "m=" line in the offer, there MUST be a corresponding "m=" line in the answer"; "To reject an
    offered stream, the port number in the corresponding stream in the answer MUST be set to zero".
    """
    chosen = offered.chosen

    if chosen is None:
        raise ValueError("no stream of messages was offered")

    return _description(
        host,
        [
            _accepted_line(stream.kind, stream.formats or "null", accepted)
            if stream is chosen
            else f"m={stream.kind} 0 {stream.protocol} {stream.formats}".rstrip()
            for stream in offered.streams
        ],
    )


def _stream(value: str) -> Stream:
    match = _MEDIA.fullmatch(value.strip())

    if match is None or int(match[2]) > 65535:
        raise SIPSyntaxError(f"not a media line: {value[:60]!r}")

    return Stream(match[1].lower(), int(match[2]), match[3], match[4].strip())


def _accepting(stream: Stream, types: str) -> Stream:
    return Stream(stream.kind, stream.port, stream.protocol, stream.formats, tuple(types.lower().split()))


def _accepted_line(kind: str, formats: str, accepted: Sequence[str]) -> str:
    return f"m={kind} {PORT} {PROTOCOL} {formats}\r\na=accept-types:{' '.join(accepted)}"


def _description(host: str, streams: Sequence[str]) -> bytes:
    address = f"IN IP6 {host}" if ":" in host else f"IN IP4 {host}"
    lines = ["v=0", f"o=- 0 0 {address}", "s=session", f"c={address}", "t=0 0", *streams, ""]

    return "\r\n".join(lines).encode("utf-8")
