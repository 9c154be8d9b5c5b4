"""A session that a user opens: an INVITE for a contact at a partner (RFC 7573 §5).

Knows what an INVITE must hold, and when it is answered. Does not know what follows within the session.

The contact's side has no sessions, so the gateway takes the INVITE in the contact's stead, at once. One that carries a
text (`first_message`) is answered when the fate of that text is known: the user agent counts the text as delivered by
the 200, and as refused by any other answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.outbox import Fate
from simulator.gateway.frontend.refusal import Refused
from simulator.gateway.frontend.sessions.context import Context
from simulator.gateway.frontend.sessions.requests import accept, offer_in
from simulator.gateway.frontend.sessions.session import Session
from simulator.gateway.frontend.sessions.translation import Speaker, as_message, chat_of
from simulator.sip import sdp
from simulator.sip.agent import Incoming
from simulator.sip.composing import ChatState
from simulator.sip.dialog import Dialog
from simulator.sip.errors import SIPError, SIPSyntaxError
from simulator.sip.first_message import HEADER, OPTION, FirstMessage, read_first_message
from simulator.sip.message import Request
from simulator.xmpp.address import Address

#: a stream for those who made no offer, and take ours: what it accepts they say in their ACK
_UNTOLD = sdp.Stream("message", sdp.PORT, sdp.PROTOCOL, "null")

#: makes a session of a flow, dialog, user, contact, stream and the methods that the device allows
MakeSession = Callable[[Flow, Dialog, Address, Address, sdp.Stream, frozenset[str]], Session]


class Openings:
    """INVITEs outside of dialogs. `make` makes a session that is known to all."""

    def __init__(self, context: Context, make: MakeSession) -> None:
        self._context, self._parties, self._make = context, context.parties, make
        self._waiting: set[tuple[Flow, str, str]] = set()

    def handle(self, flow: Flow, incoming: Incoming) -> None:
        """Take an INVITE, or raise SIPError."""
        request, rules = incoming.request, self._context.sessions
        sender = self._parties.sender(flow, request)

        if request.integer("max-forwards") == 0:
            raise Refused(483, "")

        contact = self._parties.recipient(flow, request)

        if not self._parties.is_outside(request, contact):
            raise Refused(488, "Sessions between colleagues are not carried here")

        self._parties.admit(sender, contact)
        offered = offer_in(request) if request.body else None
        refusal = rules.refusal_of_offer(offered) if offered is not None else None

        if refusal is not None:
            raise refusal

        dialog = self._dialog(flow, request)
        opening = _Opening(self._context, self._make, flow, incoming, dialog, sender, contact, offered)
        first = self._first_message(request)

        if first is None:
            opening.take()
        else:
            key = (flow, dialog.call_id, dialog.remote_tag)
            self._waiting.add(key)
            opening.post(first, lambda: self._waiting.discard(key))

    def _dialog(self, flow: Flow, request: Request) -> Dialog:
        dialog = Dialog.incoming(request, self._context.identifiers.fresh())

        # RFC 3261 §8.1.1.3: "The From field MUST contain a new "tag" parameter".
        if not dialog.remote_tag:
            raise SIPSyntaxError("From has no tag")

        # §8.2.2.2: the same request by another path is answered 482.
        if (flow, dialog.call_id, dialog.remote_tag) in self._waiting:
            raise Refused(482, "")

        if self._context.dialogs.count(flow) >= self._context.sessions.most_sessions:
            raise Refused(486, "Too many sessions are open")

        return dialog

    def _first_message(self, request: Request) -> FirstMessage | None:
        """The text that is ours to deliver. What cannot be read or does not cross comes again as a MESSAGE."""
        value = request.header(HEADER)

        if value is None or not self._context.sessions.reads_first_message:
            return None

        try:
            first = read_first_message(value)
        except SIPError as error:
            self._context.log(f"a first message was left to its sender: {error}")
            return None

        return first if first is not None and first.body and first.media_type in self._context.rules.readable else None


class _Opening:
    """One INVITE that is being answered."""

    def __init__(
        self,
        context: Context,
        make: MakeSession,
        flow: Flow,
        incoming: Incoming,
        dialog: Dialog,
        user: Address,
        contact: Address,
        offered: sdp.Description | None,
    ) -> None:
        self._context, self._make = context, make
        self._flow, self._incoming, self._dialog = flow, incoming, dialog
        self._user, self._contact, self._offered = user, contact, offered
        self._session: Session | None = None

    def take(self, *, delivered: bool = False) -> None:
        """Answer 200, with the option that says whether the text was delivered."""
        host, rules = self._flow.local_host, self._context.sessions
        stream = self._offered.chosen if self._offered is not None else None
        offered, accepted = self._offered, rules.offered
        body = sdp.offer(host, accepted) if offered is None else sdp.answer(offered, host, accepted)
        allowed = frozenset(each.upper() for each in self._incoming.request.values("allow"))

        # Taken back in the meantime, or the connection is gone: there is nobody to talk to.
        if self._incoming.over or self._flow.closed:
            return

        session = self._make(self._flow, self._dialog, self._user, self._contact, stream or _UNTOLD, allowed)
        option = [("Supported", OPTION)] if rules.lists_first_message(delivered) else []
        accept(session, self._flow, self._incoming, body, option)
        self._session = session

    def post(self, first: FirstMessage, done: Callable[[], None]) -> None:
        """Send the text on, and answer by what becomes of it; `done` is called then. Raises SIPError."""
        context, rules, request = self._context, self._context.sessions, self._incoming.request

        try:
            stanza = chat_of(
                as_message(request, first),
                Speaker(sender=self._user, to=self._contact, call_id=self._dialog.call_id),
                id=context.outbox.name(context.rules.id_of(request.via.branch)),
                rules=rules,
                stanza_of=partial(context.rules.stanza_of, readable=context.rules.readable),
                state=ChatState.ACTIVE if rules.states_are_sent(None) else None,
            )
            context.outbox.post(stanza, self._contact, partial(self._decided, done), self._lost_late)
        except SIPError:
            done()
            raise

        if not rules.waits_for_edge:
            self.take(delivered=True)
        elif not self._incoming.over:
            # §17.2.1: "100 (Trying)" where no answer follows within 200 ms.
            self._flow.answer(self._incoming, 100)

    def _decided(self, done: Callable[[], None], fate: Fate) -> None:
        done()

        if self._incoming.over:
            return

        if fate.code < 300:
            self.take(delivered=True)
        else:
            tag = self._dialog.local_tag
            self._flow.answer(self._incoming, fate.code, phrase=fate.phrase, headers=fate.headers, tag=tag)

    def _lost_late(self, fate: Fate) -> None:
        if self._session is not None:
            self._session.tell_of_loss("", fate)
