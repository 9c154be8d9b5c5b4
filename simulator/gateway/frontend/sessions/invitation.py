"""A session that a contact's message opens: INVITEs to the devices of a user, of which one wins (RFC 7573 §4).

Knows forking, and the messages that wait meanwhile. Does not know what follows within the session.

Each device gets an INVITE of its own, with a tag of its own: two devices behind one connection must not take them for
the same one. The first 2xx wins and gets everything that waited; the others are cancelled, and a 2xx of theirs that was
faster than the CANCEL is acknowledged and ended. When nobody takes it, devices that have no sessions get the messages
as a pager would, or else their senders get the best of the refusals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.gateway.frontend.delivery import rank
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.registrar import Binding
from simulator.gateway.frontend.sessions.context import Context
from simulator.gateway.frontend.sessions.opening import MakeSession
from simulator.gateway.frontend.sessions.session import Session
from simulator.gateway.frontend.sessions.translation import Words
from simulator.sip import sdp
from simulator.sip.dialog import Dialog
from simulator.sip.errors import SIPError
from simulator.sip.first_message import HEADER, write_first_message
from simulator.sip.message import HeaderList, Response
from simulator.xmpp.address import Address

#: the refusal that an answer without a stream of messages amounts to
NOT_ACCEPTABLE_HERE = 488


@dataclass(slots=True)
class _Leg:
    """One device that is invited."""

    binding: Binding[Flow]
    dialog: Dialog
    carries: bool
    """Whether the first message rides in the INVITE."""
    branch: str = ""
    done: bool = False
    code: int = 0
    response: Response | None = None
    acknowledgement: tuple[str, HeaderList] | None = None


class Invitation:
    """Messages that wait for a session. `on_over` is called once, when none waits any more."""

    def __init__(
        self,
        context: Context,
        make: MakeSession,
        *,
        user: Address,
        contact: Address,
        on_over: Callable[[Invitation], None],
    ) -> None:
        self._context, self._make, self._on_over = context, make, on_over
        self.user, self.contact = user, contact
        self._waiting: list[Words] = []
        self._legs: list[_Leg] = []
        self._pagers: list[Binding[Flow]] = []
        self._session: Session | None = None
        self._deadline = context.clock() + context.settings().invitation_timeout
        self.hangs_up = False
        """Whether the contact left before the session was open: it ends as soon as everything is said."""
        self.knows_states: bool | None = None
        """Whether the contact's client tells chat states."""

    def start(self, words: Words, devices: Sequence[Binding[Flow]], pagers: Sequence[Binding[Flow]]) -> None:
        """Invite `devices`; `pagers` are those that get a message without a session, if it comes to that."""
        self._waiting.append(words)
        self._pagers = list(pagers)
        call_id = words.letter.call_id or self._context.identifiers.fresh()
        self._legs = [self._leg(each, call_id, words) for each in devices]

        for leg in tuple(self._legs):
            self._invite(leg, words)

    def add(self, words: Words, limit: int) -> None:
        """Let another message wait, unless `limit` do."""
        if len(self._waiting) < limit:
            self._waiting.append(words)
        else:
            words.on_final(500, None)

    def expire(self, now: float) -> None:
        """Give up devices that ring for too long; to be called now and then."""
        if self._deadline <= now:
            self._cancel_others()

    def _leg(self, binding: Binding[Flow], call_id: str, words: Words) -> _Leg:
        dialog = Dialog.outgoing(
            call_id=call_id,
            local_tag=self._context.identifiers.fresh(),
            local_uri=words.letter.sender,
            remote_uri=words.letter.to,
            target=binding.contact,
        )

        return _Leg(binding, dialog, self._context.sessions.puts_first_message(words.letter.body))

    def _invite(self, leg: _Leg, words: Words) -> None:
        flow, letter = leg.binding.flow, words.letter
        lines = [("Contact", f"<{flow.contact}>"), self._context.allow()]

        if leg.carries:
            lines += [pair for pair in letter.headers if pair[0] != "Content-Type"]
            lines.append((HEADER, write_first_message("text/plain", letter.body)))

        uri, headers = leg.dialog.request("INVITE", [*lines, ("Content-Type", sdp.MEDIA_TYPE)])
        leg.branch = flow.invite(
            uri,
            headers=headers,
            body=sdp.offer(flow.local_host, self._context.sessions.offered),
            carried=letter.carried if leg.carries else "",
            on_final=lambda code, response: self._answered(leg, code, response),
            on_repeated=lambda response: self._acknowledge(leg),
        )

    def _answered(self, leg: _Leg, code: int, response: Response | None) -> None:
        leg.done, leg.code, leg.response = True, code, response

        if 200 <= code < 300 and response is not None:
            self._taken(leg, response)

        if self._context.sessions.stops_others(leg.code):
            self._cancel_others()

        if self._session is None and all(each.done for each in self._legs):
            self._give_up()

    def _taken(self, leg: _Leg, response: Response) -> None:
        stream = None

        try:
            leg.dialog.confirm(response)
            stream = sdp.parse_description(response.body).chosen
        except SIPError as error:
            self._context.log(f"an answer of {self.user} to an INVITE cannot be used: {error}")

        self._acknowledge(leg)

        if stream is None or self._session is not None:
            # §13.2.2.4: what was answered 2xx is ended by a BYE, whatever is wrong with the answer.
            uri, headers = leg.dialog.request("BYE")
            leg.binding.flow.request("BYE", uri, headers=headers, on_final=lambda code, response: None)
            leg.code = NOT_ACCEPTABLE_HERE
        else:
            self._open(leg, response, stream)

    def _open(self, leg: _Leg, response: Response, stream: sdp.Stream) -> None:
        binding = leg.binding
        user = Address(self.user.local, self.user.domain, binding.resource if binding.has_gruu else "")
        allowed = frozenset(each.upper() for each in response.values("allow"))
        session = self._make(leg.binding.flow, leg.dialog, user, self.contact, stream, allowed)
        session.knows_states = self.knows_states
        self._session = session
        waiting, self._waiting = self._waiting, []
        self._on_over(self)

        for number, words in enumerate(waiting):
            if number == 0 and leg.carries and self._context.sessions.counts_as_delivered(response):
                words.on_final(response.code, response)
            else:
                session.say(words)

        if self.hangs_up:
            session.leave()

    def _acknowledge(self, leg: _Leg) -> None:
        """§13.2.2.4: the ACK of a 2xx is the user agent core's, once for each 2xx."""
        if leg.acknowledgement is None:
            leg.acknowledgement = leg.dialog.request("ACK")

        uri, headers = leg.acknowledgement
        leg.binding.flow.request("ACK", uri, headers=headers)

    def _cancel_others(self) -> None:
        for leg in self._legs:
            if not leg.done and leg.branch:
                leg.binding.flow.cancel(leg.branch)

    def _give_up(self) -> None:
        rules, delivery = self._context.sessions, self._context.delivery
        pagers = [*(leg.binding for leg in self._legs if rules.falls_back(leg.code)), *self._pagers]
        best = min(self._legs, key=lambda leg: rank(leg.code))
        waiting, self._waiting = self._waiting, []
        self._on_over(self)

        for words in waiting:
            if pagers:
                delivery.deliver(words.letter, pagers, words.on_final)
            else:
                words.on_final(best.code, best.response)
