"""All IM sessions of the front end: who talks with whom over which, and in which mode a device is written to.

Knows pairs of users and contacts. Does not know how a session is opened or what is said in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from xml.etree.ElementTree import Element

from simulator.gateway.frontend.delivery import Letter
from simulator.gateway.frontend.flow import Flow, OnFinal
from simulator.gateway.frontend.markup import to_html
from simulator.gateway.frontend.outward import Dispatcher
from simulator.gateway.frontend.registrar import Binding, Registrar
from simulator.gateway.frontend.sessions import requests
from simulator.gateway.frontend.sessions.context import Context
from simulator.gateway.frontend.sessions.invitation import Invitation
from simulator.gateway.frontend.sessions.opening import Openings
from simulator.gateway.frontend.sessions.session import Session
from simulator.gateway.frontend.sessions.translation import Words
from simulator.sip.agent import Incoming
from simulator.sip.composing import ChatState, chat_state_of
from simulator.sip.dialog import Dialog
from simulator.sip.sdp import Stream
from simulator.xmpp.address import Address

Pair = tuple[Address, Address]


class Sessions:
    """Sessions, open or wanted. `queue` bounds the messages that wait for one."""

    def __init__(self, context: Context, registrar: Registrar[Flow], *, queue: int) -> None:
        self._context, self._registrar, self._queue = context, registrar, queue
        self._openings = Openings(context, self._make)
        self._sessions: dict[Pair, list[Session]] = {}
        self._invitations: dict[Pair, Invitation] = {}

    def serve(self, dispatcher: Dispatcher) -> None:
        """Take the methods of sessions. Any but INVITE belongs to nothing where there is no dialog, or no INVITE."""
        dispatcher.serve("INVITE", self._openings.handle)

        for method in ("ACK", "BYE", "CANCEL", "INFO"):
            dispatcher.serve(method, _belongs_to_nothing)

    def cancelled(self, flow: Flow, incoming: Incoming) -> None:
        """A user takes an INVITE back. A text that it carried is on its way, and may arrive all the same."""
        flow.answer(incoming, self._context.sessions.cancelled_code)

    def deliver(
        self, stanza: Element, letter: Letter, pair: Pair, bindings: Sequence[Binding[Flow]], on_final: OnFinal
    ) -> None:
        """Take a message of a partner's user to some devices of a user, in a session or as a pager would.

        `pair` is the user and the contact, the latter with a resource. `on_final` is called once, perhaps at once.
        """
        type_, (user, contact) = stanza.get("type", "normal"), pair
        html = to_html(stanza)
        words = Words(letter=letter, html=html.encode("utf-8") if html is not None else None, on_final=on_final)

        if not self._uses_session(type_, (user, contact.bare), bindings):
            self._context.delivery.deliver(letter, bindings, on_final)
            return

        state = chat_state_of(stanza)
        session = self._find((user, contact.bare), bindings, letter.call_id)
        self._send(words, pair, bindings)

        self._heard_from(pair, session, state)

        if state is ChatState.GONE:
            self._leave(pair, session)

    def show_state(self, stanza: Element, pair: Pair, bindings: Sequence[Binding[Flow]]) -> None:
        """Take a chat state that stands alone to the session that it belongs to, if there is one."""
        state = chat_state_of(stanza)
        session = self._find((pair[0], pair[1].bare), bindings, "")

        if state is None:
            return

        self._heard_from(pair, session, state)

        if session is not None and state is not ChatState.GONE:
            session.show_typing(state)

        if state is ChatState.GONE:
            self._leave(pair, session)

    def has(self, pair: Pair, binding: Binding[Flow]) -> bool:
        """Whether a device has a session with a contact; both addresses are bare."""
        return any(session.flow is binding.flow for session in self._sessions.get(pair, ()))

    def flow_closed(self, flow: Flow) -> None:
        """A connection is gone, and its sessions with it."""
        for session in self._all():
            if session.flow is flow:
                if self._context.sessions.bye_is_gone:
                    session.tell_state(ChatState.GONE)

                session.end()

    def expire(self, now: float) -> None:
        """Do what time brings; to be called now and then."""
        for session in self._all():
            session.expire(now)

        for invitation in tuple(self._invitations.values()):
            invitation.expire(now)

    def count(self) -> int:
        """How many sessions are open."""
        return len(self._all())

    def _all(self) -> list[Session]:
        return [session for sessions in self._sessions.values() for session in sessions]

    def _uses_session(self, type_: str, key: Pair, bindings: Sequence[Binding[Flow]]) -> bool:
        open_ = key in self._invitations or self._find(key, bindings, "") is not None
        uses = self._context.sessions.uses_session

        return any(uses(type_, methods=each.methods, open_=open_) for each in bindings)

    def _send(self, words: Words, pair: Pair, bindings: Sequence[Binding[Flow]]) -> None:
        user, contact = pair
        key = (user, contact.bare)
        session = self._find(key, bindings, words.letter.call_id)

        if session is not None:
            session.say(words)
        elif key in self._invitations:
            self._invitations[key].add(words, self._queue)
        else:
            self._invite(words, pair, bindings)

    def _invite(self, words: Words, pair: Pair, bindings: Sequence[Binding[Flow]]) -> None:
        user, contact = pair
        uses = self._context.sessions.uses_session
        devices = [each for each in bindings if uses("chat", methods=each.methods, open_=False)]

        if not devices:
            self._context.delivery.deliver(words.letter, bindings, words.on_final)
            return

        key = (user, contact.bare)
        invitation = Invitation(
            self._context,
            self._make,
            user=user,
            contact=contact,
            on_over=lambda invitation: self._forget(key, invitation),
        )
        self._invitations[key] = invitation
        invitation.start(words, devices, [each for each in bindings if each not in devices])

    def _find(self, key: Pair, bindings: Sequence[Binding[Flow]], call_id: str) -> Session | None:
        """The session of a thread, or else the newest, with one of these devices."""
        flows = {each.flow for each in bindings}
        found = [session for session in self._sessions.get(key, ()) if session.flow in flows]
        threads = [session.call_id for session in found]

        return found[self._context.sessions.session_for(threads, call_id)] if found else None

    def _heard_from(self, pair: Pair, session: Session | None, state: ChatState | None) -> None:
        """The contact wrote: XEP-0085 §5.1, and RFC 6121 §5.1 about resources."""
        invitation = self._invitations.get((pair[0], pair[1].bare))

        if session is not None:
            session.knows_states = state is not None
            session.contact = self._context.sessions.follows_resource(session.contact, pair[1])
        elif invitation is not None:
            invitation.knows_states = state is not None

    def _leave(self, pair: Pair, session: Session | None) -> None:
        invitation = self._invitations.get((pair[0], pair[1].bare))

        if not self._context.sessions.gone_is_bye:
            return

        if session is not None:
            session.leave()
        elif invitation is not None:
            invitation.hangs_up = True

    def _make(
        self, flow: Flow, dialog: Dialog, user: Address, contact: Address, stream: Stream, allowed: frozenset[str]
    ) -> Session:
        session = Session(
            self._context,
            flow,
            dialog,
            user=user,
            contact=contact,
            stream=stream,
            allowed=allowed,
            on_ended=self._ended,
            on_unknown=self._unknown,
        )
        self._sessions.setdefault((user.bare, contact.bare), []).append(session)
        self._context.dialogs.open(
            flow,
            dialog.call_id,
            local_tag=dialog.local_tag,
            remote_tag=dialog.remote_tag,
            user=user.bare,
            handler=partial(requests.handle, session),
        )

        return session

    def _ended(self, session: Session) -> None:
        key = (session.user.bare, session.contact.bare)
        rest = [each for each in self._sessions.get(key, ()) if each is not session]

        if rest:
            self._sessions[key] = rest
        else:
            self._sessions.pop(key, None)

    def _unknown(self, session: Session, words: Words) -> None:
        """A device knows a session no more: what it did not take goes in another one."""
        user = session.user.bare
        bindings = [each for each in self._registrar.bindings(user) if each.flow is session.flow]

        if bindings:
            self._send(replace(words, went_before=True), (user, session.contact), bindings)
        else:
            words.on_final(481, None)

    def _forget(self, key: Pair, invitation: Invitation) -> None:
        if self._invitations.get(key) is invitation:
            del self._invitations[key]


def _belongs_to_nothing(flow: Flow, incoming: Incoming) -> None:
    # RFC 3261 §15.1.2: "If the BYE does not match an existing dialog, the UAS core SHOULD generate a 481"; §9.2 says
    # the same of a CANCEL. An ACK is not answered.
    flow.answer(incoming, 481)
