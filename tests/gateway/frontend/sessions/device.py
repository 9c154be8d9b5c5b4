"""A device in memory: a user agent that does nothing unless a test says so.

It speaks through `simulator.sip`, and so says no more and no less than a user agent must.
"""

from __future__ import annotations

import random

from simulator.sip.agent import Agent, Answered, Cancelled, Incoming, Repeated
from simulator.sip.dialog import Dialog
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList, Request, Response, build_request
from simulator.sip.sdp import MEDIA_TYPE, offer
from tests.gateway.frontend.sessions.stage import Stage

#: what a device accepts within a session: Lync 2013's list, and one of a client that knows RFC 3994
LYNC = ("text/plain", "multipart/alternative", "text/rtf", "text/html", "application/ms-imdn+xml")
PLAIN = ("text/plain", "application/im-iscomposing+xml")
METHODS = "INVITE, ACK, BYE, CANCEL, MESSAGE, INFO, BENOTIFY"


class Device:
    """One device of Alice's, registered."""

    def __init__(self, stage: Stage, *, methods: str = METHODS, gr: str = "", user: str = "alice") -> None:
        self.stage, self.user = stage, user
        self.wire, self.flow = stage.attach()
        self.agent: Agent[str] = Agent(source="127.0.0.1", tag="device")
        self.got: list[Incoming] = []
        self.answers: list[tuple[str, Response]] = []
        """With the branch of what was asked."""
        self.names: dict[str, str] = {}
        """What a test calls the request with a branch."""
        self.cancelled: list[Incoming] = []
        self.repeated = 0
        uri = f"sip:{user}@127.0.0.1:{len(stage.flows)}{f';gr={gr}' if gr else ''}"
        self.contact = uri
        self.identifiers = Identifiers(random.Random(stage.identifiers.fresh()))
        said = f';methods="{methods}"' if methods else ""
        address = f"<sip:{user}@contoso.com>"
        self.asks("REGISTER", "sip:contoso.com", [("Contact", f"<{uri}>{said}"), ("Expires", "9000")], to=address)
        assert self.last.code == 200

    @property
    def last(self) -> Response:
        """The last answer."""
        return self.answers[-1][1]

    def looks(self) -> None:
        """Read what the front end wrote."""
        self.stage.reports()
        data = bytes(self.wire.written)
        self.wire.written.clear()

        for event in self.agent.receive(data):
            match event:
                case Incoming():
                    self.got.append(event)
                case Answered(context=name, response=response):
                    assert response is not None
                    self.answers.append((name, response))
                case Cancelled(incoming=incoming):
                    self.cancelled.append(incoming)
                case Repeated():
                    self.repeated += 1

        said = bytes(self.agent.outgoing)
        self.agent.outgoing.clear()

        if said and not self.wire.closed:
            self.wire.on_data(said)

    def next(self, method: str) -> Incoming:
        """The next request, which must have this method."""
        self.looks()
        incoming = self.got.pop(0)
        assert incoming.request.method == method, incoming.request.method

        return incoming

    def nothing(self) -> bool:
        """Whether no request waits."""
        self.looks()

        return not self.got

    def answers_to(self, incoming: Incoming, code: int, headers: HeaderList = (), body: bytes = b"") -> None:
        """Answer a request."""
        self.wire.on_data(incoming.answer(code, tag="d", headers=headers, body=body))
        self.looks()

    def takes(
        self, incoming: Incoming, *, accepts: tuple[str, ...] = PLAIN, reads: bool = False, headers: HeaderList = ()
    ) -> Dialog:
        """Answer an INVITE with 200. `reads`: the text in it was shown."""
        lines = [("Contact", f"<{self.contact}>"), ("Allow", METHODS), ("Content-Type", MEDIA_TYPE), *headers]
        lines += [("Supported", "ms-text-format")] if reads else []
        dialog = Dialog.incoming(incoming.request, "d")
        self.answers_to(incoming, 200, lines, offer("127.0.0.1", accepts))

        return dialog

    def asks(
        self, method: str, uri: str, headers: HeaderList = (), body: bytes = b"", *, to: str = "", call_id: str = ""
    ) -> str:
        """Send a request outside of dialogs; gives its branch."""
        fresh = self.identifiers.fresh()
        lines: HeaderList = [
            ("Max-Forwards", "70"),
            ("To", to or f"<{uri}>"),
            ("From", f"<sip:{self.user}@contoso.com>;tag={fresh}"),
            ("Call-ID", call_id or fresh),
            ("CSeq", f"1 {method}"),
            *headers,
        ]

        return self.sends(method, uri, lines, body)

    def invites(
        self,
        contact: str = "juliet@gmail.com",
        headers: HeaderList = (),
        *,
        accepts: tuple[str, ...] = PLAIN,
        body: bytes | None = None,
        call_id: str = "c1",
        allow: str = METHODS,
    ) -> str:
        """Send an INVITE; gives its branch."""
        lines = [("Contact", f"<{self.contact}>"), ("Allow", allow), *headers]
        content = offer("127.0.0.1", accepts) if body is None else body
        lines += [("Content-Type", MEDIA_TYPE)] if content else []

        return self.asks("INVITE", f"sip:{contact}", lines, content, call_id=call_id)

    def opens(self, contact: str = "juliet@gmail.com", *, accepts: tuple[str, ...] = PLAIN) -> Dialog:
        """Open a session, and acknowledge it."""
        self.invites(contact, accepts=accepts)
        assert self.last.code == 200

        return self.joins()

    def joins(self) -> Dialog:
        """The dialog of the last answer, acknowledged."""
        response = self.last
        dialog = Dialog(
            call_id=response.call_id,
            local_tag=response.sender.tag or "",
            remote_tag="",
            local_uri=response.sender.uri,
            remote_uri=response.to.uri,
            target="",
            local_sequence=response.cseq[0],
        )
        dialog.confirm(response)
        self.within(dialog, "ACK")

        return dialog

    def within(self, dialog: Dialog, method: str, headers: HeaderList = (), body: bytes = b"") -> str:
        """Send a request within a dialog; gives its branch."""
        uri, lines = dialog.request(method, headers)

        return self.sends(method, uri, lines, body)

    def says(self, dialog: Dialog, text: str, media: str = "text/plain;charset=UTF-8") -> int:
        """Send a MESSAGE within a dialog; gives the code of its answer, 0 while there is none."""
        before = len(self.answers)
        self.within(dialog, "MESSAGE", [("Content-Type", media)], text.encode())

        return self.last.code if len(self.answers) > before else 0

    def sends(self, method: str, uri: str, headers: HeaderList, body: bytes) -> str:
        """Send a request as it is; gives its branch."""
        branch = self.identifiers.branch()
        data = build_request(method, uri, [("Via", f"SIP/2.0/TCP 127.0.0.1:1;branch={branch}"), *headers], body)

        if method == "INVITE":
            self.agent.begin_invite(data, branch, self.stage.now)
        elif method != "ACK":
            self.agent.begin(branch, method, branch, self.stage.now)

        self.wire.on_data(data)
        self.looks()

        return branch

    def cancels(self, branch: str) -> None:
        """Take an INVITE back."""
        self.agent.cancel(branch, self.stage.now)
        self.looks()
        self.looks()

    def vanishes(self) -> None:
        """Lose the connection."""
        self.wire.close()


def text_of(request: Request) -> str:
    """The body of a request."""
    return request.body.decode()
