"""A dialog on a stream transport (RFC 3261 §12): what its requests say, and which of the peer's are in order.

Knows identifiers, sequence numbers, the route set and the remote target, in both roles. Does not know what a dialog is
for, nor transactions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.sip.errors import SIPError
from simulator.sip.message import HeaderList, Message, Request, Response
from simulator.sip.uri import parse_name_address, parse_uri

#: requests that may change the remote target (§12.2; RFC 6665 §3.1.1, §3.2.1 make SUBSCRIBE and NOTIFY such ones)
TARGET_REFRESHES = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY"})

MAX_FORWARDS = 70


class OutOfOrder(SIPError):  # noqa: N818 - says what happened
    """§12.2.2: a sequence number lower than the last one "MUST be rejected with a 500 (Server Internal Error)"."""

    code = 500


@dataclass(kw_only=True, slots=True)
class Dialog:
    """One dialog, or one that waits for its peer's tag; made by `incoming` or `outgoing`."""

    call_id: str
    local_tag: str
    remote_tag: str
    """Empty until the peer has answered."""
    local_uri: str
    remote_uri: str
    target: str
    """Where requests of ours go (the remote target)."""
    route: tuple[str, ...] = ()
    """Values of Route headers, in our order."""
    local_sequence: int = 0
    """The number of our last request."""
    remote_sequence: int | None = None

    @classmethod
    def incoming(cls, request: Request, local_tag: str) -> Dialog:
        """As the UAS that accepts `request` (§12.1.1); raises SIPSyntaxError."""
        return cls(
            call_id=request.call_id,
            local_tag=local_tag,
            remote_tag=request.sender.tag or "",
            local_uri=request.to.uri,
            remote_uri=request.sender.uri,
            target=_contact(request) or request.sender.uri,
            # "MUST be set to the list of URIs in the Record-Route header field from the request, taken in order".
            route=tuple(request.values("record-route")),
            remote_sequence=request.cseq[0],
        )

    @classmethod
    def outgoing(cls, *, call_id: str, local_tag: str, local_uri: str, remote_uri: str, target: str) -> Dialog:
        """As the UAC that is about to send the first request (§8.1.1)."""
        return cls(
            call_id=call_id,
            local_tag=local_tag,
            remote_tag="",
            local_uri=local_uri,
            remote_uri=remote_uri,
            target=target,
        )

    @property
    def key(self) -> tuple[str, str, str]:
        """Call-ID, local tag, remote tag: what a request of the peer is recognised by (§12)."""
        return self.call_id, self.local_tag, self.remote_tag

    @property
    def established(self) -> bool:
        """Whether the peer's tag is known."""
        return bool(self.remote_tag)

    def confirm(self, response: Response) -> None:
        """A 2xx, or another response that makes the dialog, came (§12.1.2); raises SIPSyntaxError.

        The responses to later requests change nothing but the remote target, where they name one (§12.2.1.2).
        """
        if not self.remote_tag:
            self.remote_tag = response.to.tag or ""
            # "taken in reverse order": the route that the request took, seen from this end.
            self.route = tuple(reversed(response.values("record-route")))

        self.target = _contact(response) or self.target

    def confirm_by(self, request: Request) -> None:
        """A NOTIFY may overtake the response, and makes the dialog in its place (RFC 6665 §4.4.1); raises SIPError."""
        if not self.remote_tag:
            self.remote_tag = request.sender.tag or ""
            self.route = tuple(request.values("record-route"))

        self.receive(request)

    def receive(self, request: Request) -> None:
        """Take a request of the peer's within the dialog (§12.2.2); raises OutOfOrder, SIPSyntaxError."""
        number, method = request.cseq

        # §12.2.2 speaks of "lower"; an ACK and a CANCEL bear the number of their INVITE.
        if self.remote_sequence is not None and number < self.remote_sequence:
            raise OutOfOrder("the sequence number is lower than the last one")

        self.remote_sequence = number

        if method in TARGET_REFRESHES:
            self.target = _contact(request) or self.target

    def matches(self, request: Request) -> bool:
        """Whether a request belongs here: Call-ID and both tags, or ours alone while the peer's is not known."""
        return (
            request.call_id == self.call_id
            and request.to.tag == self.local_tag
            and self.remote_tag in ("", request.sender.tag or "")
        )

    def request(self, method: str, headers: Iterable[tuple[str, str]] = ()) -> tuple[str, HeaderList]:
        """Request-URI and headers, without Via, of our next request (§12.2.1.1).

        An ACK and a CANCEL take the number of the last request, any other the next.
        """
        if method not in ("ACK", "CANCEL"):
            self.local_sequence += 1

        uri, routes = self._routed()
        to = f"<{self.remote_uri}>;tag={self.remote_tag}" if self.remote_tag else f"<{self.remote_uri}>"

        return uri, [
            ("Max-Forwards", str(MAX_FORWARDS)),
            *(("Route", each) for each in routes),
            ("To", to),
            ("From", f"<{self.local_uri}>;tag={self.local_tag}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.local_sequence} {method}"),
            *headers,
        ]

    def _routed(self) -> tuple[str, tuple[str, ...]]:
        if not self.route:
            return self.target, ()

        first = parse_uri(parse_name_address(self.route[0]).uri)

        if "lr" in first.parameters:
            return self.target, self.route

        # A strict router is asked by its own URI, and the target becomes the last of the route.
        return first.raw, (*self.route[1:], f"<{self.target}>")


def _contact(message: Message) -> str:
    values = message.values("contact")

    return parse_name_address(values[0]).uri if values and values[0] != "*" else ""
