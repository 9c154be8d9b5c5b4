"""What a device asks for within an open session.

Knows the methods and types of a session. Does not know how it was opened.
"""

from __future__ import annotations

from functools import partial

from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.outbox import Fate
from simulator.gateway.frontend.refusal import Refused
from simulator.gateway.frontend.sessions.rules import Notice
from simulator.gateway.frontend.sessions.session import Session
from simulator.gateway.frontend.sessions.translation import chat_of
from simulator.sip import composing, imdn, sdp
from simulator.sip.agent import Incoming
from simulator.sip.composing import ChatState
from simulator.sip.message import HeaderList, Request


def handle(session: Session, flow: Flow, incoming: Incoming) -> None:
    """Carry out a request within the dialog; raises SIPError."""
    request = incoming.request

    # An ACK bears the number of its INVITE, which other requests may have overtaken.
    if session.context.sessions.checks_sequence and request.method != "ACK":
        session.dialog.receive(request)

    match request.method:
        case "ACK":
            _acknowledge(session, request)
        case "MESSAGE":
            _message(session, flow, incoming)
        case "INFO":
            _info(session, flow, incoming)
        case "BYE":
            _bye(session, flow, incoming)
        case "INVITE":
            _invite_again(session, flow, incoming)
        case "OPTIONS":
            flow.answer(incoming, 200, headers=[session.context.allow(), *session.context.readable])
        case _:
            raise Refused(405, "", [session.context.allow()])


def _acknowledge(session: Session, request: Request) -> None:
    session.acknowledged()

    # RFC 3261 §13.2.1: where the INVITE had no offer, ours was in the 200, and the answer is in the ACK.
    if request.body and request.content_type[0] == sdp.MEDIA_TYPE:
        stream = sdp.parse_description(request.body).chosen

        if stream is None:
            session.hang_up()
        else:
            session.stream = stream


def _message(session: Session, flow: Flow, incoming: Incoming) -> None:
    request = incoming.request
    media = request.content_type[0]
    _admit(session, flow, request)

    if media == composing.MEDIA_TYPE:
        document = composing.read_composing(request.body)
        flow.answer(incoming, 200)
        session.typing(document.state, document.refresh)
    elif media in session.context.rules.readable or not media:
        _words(session, flow, incoming)
    else:
        raise Refused(415, f"{media} is not supported", session.context.readable)


def _admit(session: Session, flow: Flow, request: Request) -> None:
    """Ask for every request what was asked for the first: a gate may have been closed since. Raises Refused."""
    session.context.parties.sender(flow, request)
    session.context.parties.admit(session.user, session.contact)


def _words(session: Session, flow: Flow, incoming: Incoming) -> None:
    context, rules = session.context, session.context.sessions
    name = context.outbox.name(context.rules.id_of(incoming.request.via.branch))
    state = ChatState.ACTIVE if rules.states_are_sent(session.knows_states) else None
    stanza = chat_of(
        incoming.request,
        session.speaker,
        id=name,
        rules=rules,
        stanza_of=partial(context.rules.stanza_of, readable=context.rules.readable),
        state=state,
    )
    # [MS-CONFIM] 3.3.2.5: a later notice names the message by what its 200 says in Message-Id.
    reported = rules.notice_of_failure(session.stream) is Notice.DISPOSITION
    message_id = context.identifiers.fresh() if reported else ""
    extra: HeaderList = [(imdn.MESSAGE_ID, message_id)] if message_id else []

    def fate(fate: Fate) -> None:
        headers = extra if fate.code < 300 else fate.headers
        flow.answer(incoming, fate.code, phrase=fate.phrase, headers=headers)

    context.outbox.post(stanza, session.contact, fate, partial(session.tell_of_loss, message_id))
    session.touch()
    session.typed()


def _info(session: Session, flow: Flow, incoming: Incoming) -> None:
    _admit(session, flow, incoming.request)

    if incoming.request.content_type[0] != composing.KEYBOARD_MEDIA_TYPE:
        raise Refused(415, "", [("Accept", composing.KEYBOARD_MEDIA_TYPE)])

    document = composing.read_keyboard(incoming.request.body)
    flow.answer(incoming, 200)
    session.typing(document.state, document.refresh)


def _bye(session: Session, flow: Flow, incoming: Incoming) -> None:
    flow.answer(incoming, 200)

    if session.context.sessions.bye_is_gone:
        session.tell_state(ChatState.GONE)

    session.end()


def _invite_again(session: Session, flow: Flow, incoming: Incoming) -> None:
    """A re-INVITE (RFC 3261 §14.2): to keep the session alive, or to change it; a refused one changes nothing."""
    request, context = incoming.request, session.context
    host = flow.local_host

    if request.body:
        offered = offer_in(request)
        refusal = context.sessions.refusal_of_offer(offered)

        if refusal is not None:
            raise refusal

        session.stream = offered.chosen or session.stream
        body = sdp.answer(offered, host, context.sessions.offered)
    else:
        body = sdp.offer(host, context.sessions.offered)

    accept(session, flow, incoming, body, [])


def accept(session: Session, flow: Flow, incoming: Incoming, body: bytes, headers: HeaderList) -> None:
    """Answer an INVITE that came over `flow` with a 200, which is repeated until its ACK comes."""
    lines = [("Contact", f"<{session.flow.contact}>"), session.context.allow(), *headers]
    lines.append(("Content-Type", sdp.MEDIA_TYPE))
    data = flow.answer(incoming, 200, tag=session.dialog.local_tag, headers=lines, body=body)
    session.await_acknowledgement(flow, data)


def offer_in(request: Request) -> sdp.Description:
    """The offer of an INVITE; raises Refused (415) for another kind of body, SIPSyntaxError."""
    media = request.content_type[0]

    if media != sdp.MEDIA_TYPE or request.header("content-encoding"):
        raise Refused(415, f"{media or 'A body without a type'} is no offer", [("Accept", sdp.MEDIA_TYPE)])

    return sdp.parse_description(request.body)
