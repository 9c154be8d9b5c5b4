"""Messages of users on their way out: which still wait for the edge, and what became of each.

Knows ids, the link and errors that come back. Does not know in which request a message came, nor who is answered.

A message's fate is known when the edge has handed it over, when it came back as an error, when neither happened in time
(408), or when the link went down (500). An error may also come after it was handed over: whoever can still use it
leaves word when the message is sent (`on_late`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.gateway.frontend.bounce import Bounce, read_bounce
from simulator.gateway.frontend.refusal import Refused, phrase
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.link import LinkDown
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList
from simulator.sip.transaction import Waiting
from simulator.xmpp.address import Address

#: how much of the client's own patience (Timer F) we use up
PATIENCE = 0.9
#: seconds in which an error still belongs to a message that was handed over
LATE = 300.0
#: messages that are remembered so long
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Fate:
    """The final response that says what became of a message."""

    code: int
    phrase: str = ""
    headers: HeaderList = ()


OnFate = Callable[[Fate], None]


@dataclass(frozen=True, slots=True)
class _Pending:
    to: Address
    on_fate: OnFate
    on_late: OnFate | None


class Outbox:
    """Sends message stanzas. `timeout` is Timer F in seconds.

    `send` puts one on the link, or raises LinkDown, or Refused where a gate is closed.
    """

    def __init__(
        self,
        rules: FrontEndRules,
        *,
        identifiers: Identifiers,
        send: Callable[[Element], None],
        timeout: float,
        clock: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._rules, self._identifiers = rules, identifiers
        self._send, self._clock, self._log = send, clock, log
        self._pending: Waiting[str, _Pending] = Waiting(timeout * PATIENCE)
        self._late: Waiting[str, _Pending] = Waiting(LATE)

    def name(self, wanted: str) -> str:
        """An id for a stanza: the wanted one where it can be told apart on the way back."""
        # Two user agents may choose the same branch, and spaces would break the edge's report.
        if not wanted or wanted in self._pending or any(map(str.isspace, wanted)):
            return self._identifiers.fresh()

        return wanted

    def post(self, stanza: Element, to: Address, on_fate: OnFate, on_late: OnFate | None = None) -> None:
        """Send a message to a partner's user; `on_fate` is called once, perhaps at once.

        `on_late` hears of an error that comes after it was handed over. Raises Refused when the link is down, or a gate
        is closed.
        """
        try:
            self._send(stanza)
        except LinkDown as error:
            if self._rules.answers_when_link_is_down:
                raise Refused(500, str(error)) from None

            return

        pending = _Pending(to, on_fate, on_late)

        if self._rules.waits_for_edge:
            self._pending.add(stanza.get("id", ""), pending, self._clock())
        else:
            self._hand_over(stanza.get("id", ""), pending)

    def say(self, stanza: Element) -> None:
        """Send what nobody waits for; it is lost when the link is down, or a gate is closed."""
        try:
            self._send(stanza)
        except (LinkDown, Refused) as error:
            self._log(f"a stanza to {stanza.get('to')} was lost: {error}")

    def handed_over(self, ids: Iterable[str]) -> None:
        """The edge wrote these stanzas to an authenticated stream."""
        for name in ids:
            pending = self._pending.take(name)

            if pending is not None:
                self._hand_over(name, pending)

    def bounced(self, stanza: Element) -> None:
        """An error stanza for one of our users. What nobody waits for any more has no carrier in SIP, and is logged."""
        name, bounce = stanza.get("id", ""), read_bounce(stanza)

        for waiting in (self._pending, self._late):
            found = waiting.get(name)

            if found is None or not self._rules.may_report(bounce.sender, found.to):
                continue

            waiting.take(name)
            hears = found.on_fate if waiting is self._pending else found.on_late

            if hears is not None:
                hears(self._fate_of(bounce, found.to))

            return

        self._log(f"an error for {stanza.get('to')} from {stanza.get('from')} has no request: {bounce.condition}")

    def link_lost(self) -> None:
        """The link went down: what became of the waiting messages cannot be learned any more."""
        if self._rules.answers_when_link_is_down:
            for _, pending in self._pending.take_all():
                pending.on_fate(Fate(500, "The link to the edge is down"))

    def expire(self, now: float) -> None:
        """Give up what has waited too long; to be called now and then."""
        for _, pending in tuple(self._pending.take_expired(now)):
            pending.on_fate(Fate(408))

        for _ in self._late.take_expired(now):
            pass

    def _hand_over(self, name: str, pending: _Pending) -> None:
        hears = pending.on_late is not None and self._rules.tells_of_late_errors

        if hears and len(self._late) < MOST_REMEMBERED:
            self._late.take(name)
            self._late.add(name, pending, self._clock())

        pending.on_fate(Fate(self._rules.success_code))

    def _fate_of(self, bounce: Bounce, to: Address) -> Fate:
        code = self._rules.code_for_error(bounce.condition, full=bool(to.resource), new_address=bounce.new_address)

        return Fate(code, phrase(bounce.text), _headers_of_error(code, bounce))


def _headers_of_error(code: int, bounce: Bounce) -> HeaderList:
    if code in (301, 302) and bounce.new_address:
        return [("Contact", f"<{bounce.new_address}>")]

    # RFC 3261 §21.4.6: a 405 MUST say what is allowed; of a resource outside we know nothing that is.
    return [("Allow", "")] if code == 405 else []
