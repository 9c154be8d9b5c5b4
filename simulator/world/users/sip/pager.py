"""Instant messages, each by itself (RFC 3428): what a person writes, and what is written to them.

Knows MESSAGE outside of dialogs. Does not know sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.sip.agent import Incoming
from simulator.sip.composing import MEDIA_TYPE, read_composing
from simulator.sip.errors import SIPError
from simulator.sip.identifiers import id_in_branch
from simulator.sip.message import Request, Response
from simulator.world.users.sip.addresses import address_of, target_of
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.observed import refusal_of
from simulator.world.users.sip.person import Answer, Person
from simulator.world.users.user import ACCEPTED, COMPOSING, MESSAGE, REFUSAL


class Pager:
    """The messages of one `device`."""

    def __init__(self, line: Line, person: Person, device: str, arrived: Callable[..., None]) -> None:
        self._line, self._person, self._device, self._arrived = line, person, device, arrived

    def send(
        self,
        to: str,
        body: bytes,
        *,
        carried: str,
        subject: str | None = None,
        thread: str | None = None,
        language: str | None = None,
        content_type: str | None = None,
        sender: str | None = None,
        method: str = "MESSAGE",
    ) -> None:
        """Send a request; what becomes of it arrives under the id that it has `carried`. Raises ConnectionError.

        Messages may overlap, although RFC 3428 §8 forbids it outside of a dialog: clients do so inside of theirs, and
        how a gateway queues could not be tested otherwise.
        """
        target = target_of(to)
        optional = (("Subject", subject), ("Content-Language", language), ("Content-Type", content_type))
        headers = [
            ("To", f"<{target}>"),
            ("From", f"<{sender or self._person.uri}>;tag={self._line.identifiers.fresh()}"),
            ("Call-ID", thread or self._line.identifiers.fresh()),
            ("CSeq", f"{self._line.next_number()} {method}"),
            *((name, text) for name, text in optional if text is not None),
        ]
        self._line.send(method, target, headers, answer_to(carried, self._arrived), carried=carried, body=body)

    def take(self, incoming: Incoming) -> None:
        """Take a request: a message is answered as the person wants, anything else is not served."""
        request = incoming.request

        if request.method != "MESSAGE":
            self._line.answer(incoming, 405, headers=[("Allow", "MESSAGE")])
            return

        take_message(self._line, self._person.answer_of(self._device), incoming, self._arrived)


def take_message(
    line: Line, answer: Answer, incoming: Incoming, arrived: Callable[..., None], *, tag: str = "", **further: Any
) -> None:
    """Show a message, or who is typing, and answer as the person wants; `further` fields are of the session."""
    request, code = incoming.request, answer.code

    if 200 <= code < 300:
        _show(line, request, arrived, further)

    if code:
        line.answer(incoming, code, tag=tag, phrase=answer.phrase, headers=answer.headers)


def answer_to(carried: str, arrived: Callable[..., None]) -> Callable[[int, Response | None], None]:
    """What is told of the final answer to a message."""

    def answered(code: int, response: Response | None) -> None:
        if code < 300:
            arrived(ACCEPTED, id=carried, code=code)
        else:
            arrived(REFUSAL, id=carried, **refusal_of(code, response))

    return answered


def fields_of(request: Request) -> dict[str, Any]:
    """What a MESSAGE tells."""
    fields: dict[str, Any] = {
        "id": id_in_branch(request.via.branch),
        "subject": request.header("subject"),
        "thread": request.call_id,
        "xml:lang": request.header("content-language"),
        "body": request.body.decode("utf-8", "replace"),
        "type": "normal",
        "content-type": request.header("content-type"),
    }

    for name, value in (("from", request.sender.uri), ("to", request.to.uri)):
        fields[name], fields[f"{name}-uri"] = address_of(value), value

    return fields


def _show(line: Line, request: Request, arrived: Callable[..., None], further: dict[str, Any]) -> None:
    if _is_composing(request):
        try:
            state = read_composing(request.body).state
        except SIPError as error:
            line.violated(error)
            return

        # RFC 3994 knows two states only: that somebody types, or not.
        told = "composing" if state == "active" else "active"
        arrived(COMPOSING, **{"from": address_of(request.sender.uri)}, state=told, thread=request.call_id)
    else:
        arrived(MESSAGE, **{**fields_of(request), **further})


def _is_composing(request: Request) -> bool:
    try:
        return request.content_type[0] == MEDIA_TYPE
    except SIPError:
        return False
