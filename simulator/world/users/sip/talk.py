"""Sessions of instant messages as Lync's clients have them: INVITE with ``m=message``, MESSAGE within, BYE (RFC 7573).

Knows the sessions of one device, one for each correspondent. Does not know pager mode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.sip import imdn, sdp
from simulator.sip.agent import Incoming
from simulator.sip.composing import (
    KEYBOARD_MEDIA_TYPE,
    MEDIA_TYPE,
    TO_TYPING,
    ChatState,
    read_keyboard,
    write_composing,
)
from simulator.sip.dialog import Dialog
from simulator.sip.errors import SIPError
from simulator.sip.first_message import HEADER, OPTION, read_first_message, write_first_message
from simulator.sip.message import HeaderList, Response
from simulator.world.users.sip.addresses import address_of, bare, target_of
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.observed import refusal_of
from simulator.world.users.sip.pager import answer_to, fields_of, take_message
from simulator.world.users.sip.person import Person
from simulator.world.users.user import ACCEPTED, COMPOSING, MESSAGE, REFUSAL

PLAIN = "text/plain"
#: What is read in a session.
ACCEPTED_TYPES = (PLAIN, "text/html", MEDIA_TYPE, imdn.MEDIA_TYPE)


@dataclass(frozen=True)
class Said:
    """Words on their way."""

    body: bytes
    carried: str
    content_type: str


@dataclass(eq=False)
class Talk:
    """One session, or one that is being opened."""

    dialog: Dialog
    is_open: bool = False
    waiting: list[Said] = field(default_factory=list)
    first: Said | None = None
    """What rides in our INVITE."""
    unanswered: list[Incoming] = field(default_factory=list)
    """What the person lets lie."""
    names: dict[str, str] = field(default_factory=dict)
    """Message-Id, by which a later notice names a message -> the id that it carried."""


class Talks:
    """The sessions of one `device`. `contact` is the value of its Contact header."""

    methods = ("INVITE", "ACK", "BYE", "CANCEL", "INFO", "OPTIONS")

    def __init__(self, line: Line, person: Person, device: str, contact: str, arrived: Callable[..., None]) -> None:
        self._line, self._person, self._device = line, person, device
        self._contact, self._arrived = contact, arrived
        self._talks: dict[str, Talk] = {}
        self._ringing: dict[Incoming, str] = {}

    # -- what the person says

    async def send(self, to: str, body: bytes, *, carried: str, content_type: str, subject: str | None) -> None:
        """Say something in the session with somebody, which is opened if there is none. Raises ConnectionError."""
        target, said = target_of(to), Said(body, carried, content_type)
        talk = self._talks.get(bare(address_of(target)))

        if talk is None:
            self._invite(target, said, [("Subject", subject)] if subject else [])
        elif talk.is_open:
            self._say(talk, said)
        else:
            talk.waiting.append(said)

    async def send_state(self, to: str, state: str) -> None:
        """RFC 7573 Table 4; ``gone`` is a BYE. Raises ConnectionError where there is no session."""
        correspondent = bare(address_of(target_of(to)))
        talk = self._talks.get(correspondent)

        if talk is None or not talk.is_open:
            raise ConnectionError(f"{self._person.address} has no session with {to}")

        typing = TO_TYPING[ChatState(state)]

        if typing is None:
            self._request(talk, "BYE", [], b"", lambda code, response: None)
            self._talks.pop(correspondent)
            return

        self._request(
            talk, "MESSAGE", [("Content-Type", MEDIA_TYPE)], write_composing(typing), lambda code, response: None
        )

    # -- what comes

    def serves(self, incoming: Incoming) -> bool:
        """Take a request of the peer's, if it is about a session."""
        request = incoming.request
        talk = next((each for each in self._talks.values() if each.dialog.matches(request)), None)

        if request.method == "OPTIONS":
            self._line.answer(incoming, 200, headers=[("Allow", ", ".join(("MESSAGE", *self.methods)))])
        elif talk is not None:
            self._within(talk, incoming)
        elif request.method == "INVITE" and request.to.tag is None:
            self._invited(incoming)
        elif request.method in ("INVITE", "BYE", "INFO") or (request.method == "MESSAGE" and request.to.tag):
            # RFC 3261 §12.2.2.
            self._line.answer(incoming, 481)
        else:
            return request.method in ("ACK", "CANCEL")

        return True

    def cancelled(self, incoming: Incoming) -> None:
        """The peer takes its INVITE back, which nobody had answered yet (RFC 3261 §9.2)."""
        self._line.answer(incoming, 487, tag=self._ringing.pop(incoming, ""))

    def close(self) -> None:
        """The connection is gone."""
        self._talks.clear()
        self._ringing.clear()

    # -- inside: sessions that we open

    def _invite(self, target: str, said: Said, headers: HeaderList) -> None:
        identifiers, uri = self._line.identifiers, self._person.uri
        dialog = Dialog.outgoing(
            call_id=identifiers.fresh(),
            local_tag=identifiers.fresh(),
            local_uri=uri,
            remote_uri=target,
            target=target,
        )
        rides = self._person.habits.first_message and said.content_type.partition(";")[0].strip() == PLAIN
        talk = Talk(dialog, first=said if rides else None, waiting=[] if rides else [said])
        self._talks[bare(address_of(target))] = talk
        first = [(HEADER, write_first_message(PLAIN, said.body))] if rides else []
        request_uri, lines = dialog.request(
            "INVITE",
            [
                ("Contact", self._contact),
                ("Allow", ", ".join(("MESSAGE", *self.methods))),
                ("Supported", OPTION),
                *headers,
                *first,
                ("Content-Type", sdp.MEDIA_TYPE),
            ],
        )
        self._line.send(
            "INVITE",
            request_uri,
            lines,
            lambda code, response: self._answered(talk, said, code, response),
            carried=said.carried if rides else "",
            body=sdp.offer(self._line.host, ACCEPTED_TYPES),
            on_repeated=lambda: self._acknowledge(talk),
        )

    def _answered(self, talk: Talk, said: Said, code: int, response: Response | None) -> None:
        if response is None or code >= 300:
            lost = [each for each in (talk.first, *talk.waiting) if each is not None]
            self._forget(talk)

            for each in lost:
                self._arrived(REFUSAL, id=each.carried, **refusal_of(code, response))

            return

        talk.dialog.confirm(response)
        self._acknowledge(talk)
        talk.is_open = True

        if talk.first is not None and OPTION in [each.lower() for each in response.values("supported")]:
            # A client counts what rode in the INVITE as delivered then, and says it again otherwise.
            self._arrived(ACCEPTED, id=said.carried, code=code)
        elif talk.first is not None:
            self._say(talk, talk.first)

        waiting, talk.waiting = talk.waiting, []

        for each in waiting:
            self._say(talk, each)

    def _acknowledge(self, talk: Talk) -> None:
        uri, headers = talk.dialog.request("ACK")

        if self._line.is_open:
            self._line.send("ACK", uri, headers, None)

    def _say(self, talk: Talk, said: Said) -> None:
        told = answer_to(said.carried, self._arrived)

        def answered(code: int, response: Response | None) -> None:
            name = response.header(imdn.MESSAGE_ID.lower()) if response is not None else None

            if name and code < 300:
                talk.names[name] = said.carried

            # RFC 3261 §12.2.1.2: after 408 and 481 "the UAC SHOULD terminate the dialog".
            if code in (408, 481):
                self._forget(talk)

            told(code, response)

        self._request(talk, "MESSAGE", [("Content-Type", said.content_type)], said.body, answered, said.carried)

    def _request(
        self,
        talk: Talk,
        method: str,
        headers: HeaderList,
        body: bytes,
        on_final: Callable[[int, Response | None], None],
        carried: str = "",
    ) -> None:
        uri, lines = talk.dialog.request(method, headers)
        self._line.send(method, uri, lines, on_final, carried=carried, body=body)

    # -- inside: what the peer asks for

    def _invited(self, incoming: Incoming) -> None:
        request, wanted = incoming.request, self._person.answer_of(self._device)
        first = request.header(HEADER)

        try:
            offered = sdp.parse_description(request.body)
            words = read_first_message(first) if first is not None and self._person.habits.first_message else None
        except SIPError as error:
            self._line.violated(error)
            self._line.answer(incoming, error.code, phrase=str(error))
            return

        if offered.chosen is None:
            self._line.answer(incoming, 488)
        elif not wanted.code:
            # Nobody answers, but the device rings: whoever may not wait any longer can take it back.
            self._ringing[incoming] = tag = self._line.identifiers.fresh()
            self._line.answer(incoming, 180, tag=tag)
        elif not 200 <= wanted.code < 300:
            self._line.answer(incoming, wanted.code, phrase=wanted.phrase, headers=wanted.headers)
        else:
            talk = self._accept(incoming, offered, reads_first=words is not None)

            if words is not None:
                text = words.body.decode("utf-8", "replace")
                told = {"body": text, "content-type": words.content_type, **self._of(talk)}
                self._arrived(MESSAGE, **{**fields_of(request), **told})

    def _accept(self, incoming: Incoming, offered: sdp.Description, *, reads_first: bool) -> Talk:
        request = incoming.request
        talk = Talk(Dialog.incoming(request, self._line.identifiers.fresh()), is_open=True)
        self._talks[bare(address_of(request.sender.uri))] = talk
        self._take(incoming, talk, offered, [("Supported", OPTION)] if reads_first else [])

        return talk

    def _take(self, incoming: Incoming, talk: Talk, offered: sdp.Description, headers: HeaderList) -> None:
        self._line.answer(
            incoming,
            200,
            tag=talk.dialog.local_tag,
            headers=[
                ("Contact", self._contact),
                ("Allow", ", ".join(("MESSAGE", *self.methods))),
                *headers,
                ("Content-Type", sdp.MEDIA_TYPE),
            ],
            body=sdp.answer(offered, self._line.host, ACCEPTED_TYPES),
        )

    def _within(self, talk: Talk, incoming: Incoming) -> None:
        request = incoming.request

        try:
            # An ACK bears the number of its INVITE, which other requests may have overtaken.
            if request.method != "ACK":
                talk.dialog.receive(request)

            media = request.content_type[0]
        except SIPError as error:
            self._line.answer(incoming, error.code, phrase=str(error))
            return

        if request.method == "MESSAGE":
            if not self._person.answer_of(self._device).code:
                talk.unanswered.append(incoming)

            take_message(self._line, self._person.answer_of(self._device), incoming, self._arrived, **self._of(talk))
        elif request.method == "BYE":
            self._line.answer(incoming, 200)
            self._forget(talk)

            # RFC 3261 §15.1.2: "The UAS MUST still respond to any pending requests received for that dialog. It is
            # RECOMMENDED that a 487 (Request Terminated) response be generated to those pending requests."
            for each in talk.unanswered:
                self._line.answer(each, 487)

            self._arrived(COMPOSING, state="gone", thread=talk.dialog.call_id, **self._peer(talk))
        elif request.method == "INFO" and media == KEYBOARD_MEDIA_TYPE:
            self._line.answer(incoming, 200)
            typing = read_keyboard(request.body).state
            state = "composing" if typing == "active" else "active"
            self._arrived(COMPOSING, state=state, thread=talk.dialog.call_id, **self._peer(talk))
        elif request.method == "BENOTIFY" and media == imdn.MEDIA_TYPE:
            self._lost_late(talk, request.body)
        elif request.method == "INVITE":
            self._take(incoming, talk, sdp.parse_description(request.body), [])
        elif request.method != "ACK":
            self._line.answer(incoming, 405, headers=[("Allow", ", ".join(("MESSAGE", *self.methods)))])

    def _lost_late(self, talk: Talk, body: bytes) -> None:
        """A message that was answered 200 did not arrive after all."""
        try:
            told = imdn.read_disposition(body)
        except SIPError as error:
            self._line.violated(error)
            return

        carried = talk.names.pop(told.message_id, None)
        self._arrived(REFUSAL, id=carried, **refusal_of(told.code, None))

    def _of(self, talk: Talk) -> dict[str, Any]:
        """What a session says of the messages in it (RFC 7573 §4: they are of type chat)."""
        return {"type": "chat", "thread": talk.dialog.call_id}

    def _peer(self, talk: Talk) -> dict[str, Any]:
        return {"from": address_of(talk.dialog.remote_uri)}

    def _forget(self, talk: Talk) -> None:
        self._talks = {name: each for name, each in self._talks.items() if each is not talk}
