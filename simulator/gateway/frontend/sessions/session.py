"""One open session: a dialog with a device, and the chat of its user with one contact.

Knows what goes to the device and how the session ends. Does not know how it was opened (`opening`, `invitation`), nor
what the device asks for (`requests`).
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.outbox import Fate
from simulator.gateway.frontend.sessions.context import T1_OF_TIMER_F, T2_OF_TIMER_F, Context
from simulator.gateway.frontend.sessions.rules import Carrier, Notice
from simulator.gateway.frontend.sessions.translation import HTML, Speaker, Words, state_of
from simulator.sip import composing, imdn
from simulator.sip.composing import ChatState, Typing
from simulator.sip.dialog import Dialog
from simulator.sip.imdn import Disposition
from simulator.sip.message import HeaderList, Response
from simulator.sip.sdp import Stream
from simulator.xmpp.address import Address


class Session:
    """A session that has its 200. `on_ended` is called once; `on_unknown` gets words that the device did not take
    because it knows the session no more.
    """

    def __init__(
        self,
        context: Context,
        flow: Flow,
        dialog: Dialog,
        *,
        user: Address,
        contact: Address,
        stream: Stream,
        allowed: frozenset[str],
        on_ended: Callable[[Session], None],
        on_unknown: Callable[[Session, Words], None],
    ) -> None:
        self.context, self.flow, self.dialog = context, flow, dialog
        self.user, self.contact, self.stream = user, contact, stream
        self.ended = False
        self.knows_states: bool | None = None
        """Whether the contact's client tells chat states; None while it has not written."""
        self._allowed = allowed
        self._on_ended, self._on_unknown = on_ended, on_unknown
        self._last_words = context.clock()
        self._unanswered = 0
        self._leaves = False
        self._composing_until: float | None = None
        self._unacknowledged, self._repeat_over = b"", flow
        self._repeat_at = self._repeat_until = self._pause = 0.0

    @property
    def call_id(self) -> str:
        """Call-ID, and so the thread."""
        return self.dialog.call_id

    @property
    def speaker(self) -> Speaker:
        """The user, in this chat."""
        return Speaker(sender=self.user, to=self.contact, call_id=self.call_id)

    def touch(self) -> None:
        """Words were said: the session is not idle."""
        self._last_words = self.context.clock()

    # -- to the device

    def say(self, words: Words) -> None:
        """Send a message of the contact."""
        self.touch()
        html = words.html if words.html is not None and self.context.sessions.sends_html(self.stream) else None
        headers = [pair for pair in words.letter.headers if html is None or pair[0] != "Content-Type"]
        headers += [("Content-Type", HTML)] if html is not None else []

        def final(code: int, response: Response | None) -> None:
            self._unanswered -= 1
            self._judge(code)

            if self._leaves:
                self.leave()

            if self.context.sessions.may_go_again(code) and not words.went_before:
                self._on_unknown(self, words)
            else:
                words.on_final(code, response)

        self._unanswered += 1
        self._request("MESSAGE", headers, words.letter.body if html is None else html, words.letter.carried, final)

    def show_typing(self, state: ChatState) -> None:
        """Tell the device what a chat state says about typing."""
        typing = self.context.sessions.to_typing[state]
        carrier = self.context.sessions.typing_carrier(self.stream, self._allowed)

        if typing is None or carrier is None:
            return

        if carrier is Carrier.MESSAGE:
            media, body = composing.MEDIA_TYPE, composing.write_composing(typing)
        else:
            media, body = composing.KEYBOARD_MEDIA_TYPE, composing.write_keyboard(typing)

        self._request(carrier.name, [("Content-Type", media)], body, "", lambda code, response: self._judge(code))

    def tell_of_loss(self, message_id: str, fate: Fate) -> None:
        """A message of the user that was answered 200 has failed after all."""
        if self.ended:
            self.context.log(f"a message to {self.contact} failed after its session: {fate.code} {fate.phrase}")
        elif message_id and self.context.sessions.notice_of_failure(self.stream) is Notice.DISPOSITION:
            body = imdn.write_disposition(Disposition(message_id, self.dialog.local_uri, fate.code))
            uri, headers = self.dialog.request("BENOTIFY", [("Content-Type", imdn.MEDIA_TYPE)])
            # BENOTIFY has no answer ([MS-SIP]).
            self.flow.request("BENOTIFY", uri, headers=headers, body=body)
        else:
            self.hang_up([("Reason", _reason(fate))])

    def leave(self) -> None:
        """The contact left: the session ends as soon as the device has answered what was said."""
        self._leaves = True

        if not self._unanswered or not self.context.sessions.hears_last_words_out:
            self.hang_up()

    def hang_up(self, headers: HeaderList = ()) -> None:
        """End the session with a BYE."""
        if not self.ended:
            self._request("BYE", headers, b"", "", lambda code, response: None)
            self.end()

    def end(self) -> None:
        """The session is over; both sides know."""
        if not self.ended:
            self.ended = True
            dialog = self.dialog
            self.context.dialogs.close(
                self.flow, dialog.call_id, local_tag=dialog.local_tag, remote_tag=dialog.remote_tag
            )
            self._on_ended(self)

    # -- to the contact

    def tell_state(self, state: ChatState) -> None:
        """Send the contact a chat state that stands alone, if chat states mean anything there."""
        rules = self.context.sessions

        if rules.states_are_sent(self.knows_states):
            name = self.context.identifiers.fresh()
            self.context.outbox.say(state_of(self.speaker, state, id=name, rules=rules))

    def typing(self, state: Typing, refresh: float) -> None:
        """The user types, or does not; an active state holds for `refresh` seconds."""
        self._composing_until = self.context.clock() + refresh if state is Typing.ACTIVE else None
        self.tell_state(self.context.sessions.to_chat_state[state])

    def typed(self) -> None:
        """Words came, and typing is over with them."""
        self._composing_until = None

    # -- time

    def await_acknowledgement(self, flow: Flow, data: bytes) -> None:
        """`data` is a 200 that is repeated over `flow` until its ACK comes (RFC 3261 §13.3.1.4)."""
        timer_f, now = self.context.settings().transaction_timeout, self.context.clock()
        self._unacknowledged, self._repeat_over, self._pause = data, flow, timer_f * T1_OF_TIMER_F
        self._repeat_at, self._repeat_until = now + self._pause, now + timer_f

    def acknowledged(self) -> None:
        """The ACK came."""
        self._unacknowledged = b""

    def expire(self, now: float) -> None:
        """Do what time brings; to be called now and then."""
        rules, idle = self.context.sessions, self.context.sessions.idle_timeout(self.context.settings())

        if self._unacknowledged and rules.repeats_2xx:
            self._repeat(now)

        if self._composing_until is not None and self._composing_until <= now and rules.composing_ends:
            self.typing(Typing.IDLE, 0)

        if idle is not None and self._last_words + idle <= now:
            self.hang_up()

    def _repeat(self, now: float) -> None:
        # "If the server retransmits the 2xx response for 64*T1 seconds without receiving an ACK, the dialog is
        # confirmed, but the session SHOULD be terminated. This is accomplished with a BYE".
        if self._repeat_until <= now:
            self._unacknowledged = b""
            self.hang_up()
        elif self._repeat_at <= now:
            self._repeat_over.repeat(self._unacknowledged)
            self._pause = min(2 * self._pause, self.context.settings().transaction_timeout * T2_OF_TIMER_F)
            self._repeat_at = now + self._pause

    def _judge(self, code: int) -> None:
        """An answer to a request of ours came; some end the session."""
        if not self.context.sessions.ends_session(code) or self.ended:
            return

        # A device that let a request lie may still believe in the session; one that does not know it needs no BYE.
        if code == 408:
            self.hang_up()
        else:
            self.end()

    def _request(
        self,
        method: str,
        headers: HeaderList,
        body: bytes,
        carried: str,
        on_final: Callable[[int, Response | None], None],
    ) -> None:
        uri, lines = self.dialog.request(method, headers)
        self.flow.request(method, uri, headers=lines, body=body, carried=carried, on_final=on_final)


def _reason(fate: Fate) -> str:
    """RFC 3326 §2; its text is a quoted string, in which quotes and backslashes would need escapes."""
    text = "".join(character for character in fate.phrase if character not in '"\\')

    return f'SIP ;cause={fate.code} ;text="{text}"' if text else f"SIP ;cause={fate.code}"
