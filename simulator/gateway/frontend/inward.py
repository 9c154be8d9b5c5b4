"""Stanzas of partners: messages on their way to a SIP user (RFC 7572 §4), and what else must be answered.

Knows which stanza is delivered, answered or left alone. Does not know the link or connections.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.gateway.access.partner_types import Action
from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.frontend.delivery import Letter
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.recipients import Standing, Target
from simulator.gateway.frontend.registrar import Binding, Registrar
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.sessions.sessions import Sessions
from simulator.gateway.frontend.stanzas import DELIVER, IGNORE, IQ, PRESENCE
from simulator.gateway.frontend.translation import MESSAGE
from simulator.gateway.link import LinkDown
from simulator.sip.errors import SIPError
from simulator.sip.message import Response
from simulator.sip.uri import parse_name_address, parse_uri
from simulator.xmpp.address import Address, AddressError, parse_address
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.namespaces import STANZA_ERRORS

_PLAIN = ("Content-Type", "text/plain;charset=UTF-8")


class Inward:
    """What partners send. `send` puts an answer on the link, or raises LinkDown; `bounced` gets errors.

    `added` says whether a user (bare) has a contact (bare) on the list, `is_taken` whether the user wants to hear of
    that contact, `shares` whether somebody outside may know that a device is there (both full); `priority_of` tells the
    priority of a device, None where it says that it is not available; `presence` gets every presence.
    """

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules,
        *,
        registrar: Registrar[Flow],
        sessions: Sessions,
        access: AccessPoint,
        added: Callable[[Address, Address], bool],
        is_taken: Callable[[Address, Address], bool] = lambda user, contact: True,
        send: Callable[[Element], None],
        hold: Callable[[], Callable[[], None]],
        bounced: Callable[[Element], None],
        presence: Callable[[Element], None],
        priority_of: Callable[[Address, Binding[Flow]], int | None] = lambda user, binding: 0,
        shares: Callable[[Address, Address], bool] = lambda device, contact: False,
        log: Callable[[str], None],
    ) -> None:
        self._configuration, self._rules = configuration, rules
        self._registrar, self._sessions = registrar, sessions
        self._access, self._added, self._is_taken = access, added, is_taken
        self._send, self._hold, self._bounced, self._presence, self._log = send, hold, bounced, presence, log
        self._priority_of, self._shares = priority_of, shares

    def handle(self, stanza: Element) -> None:
        """Deliver, answer or ignore a stanza."""
        try:
            to = parse_address(stanza.get("to", ""))
        except AddressError as error:
            self._log(f"a stanza without a usable address was dropped: {error}")
            return

        if stanza.tag == MESSAGE:
            self._message(stanza, to)
        elif stanza.tag == IQ:
            self._iq(stanza, to)
        elif stanza.tag == PRESENCE:
            self._presence(stanza)

    def _iq(self, iq: Element, to: Address) -> None:
        fault = self._rules.fault_of_iq(iq)

        if fault is not None:
            self._refuse(iq, fault)
        elif iq.get("type") in ("get", "set"):
            device = self._asked_device(iq, to)
            result = self._rules.result_of_iq(iq, to_domain=not to.local)

            if device is not None:
                result = self._rules.result_for_device(iq, sessions="INVITE" in device.methods)

            condition = self._rules.condition_for_request(self._knows(to))

            if result is not None:
                self._answer(result)
            elif condition is not None:
                self._refuse(iq, condition)

    def _message(self, stanza: Element, to: Address) -> None:
        type_ = stanza.get("type", "normal")

        if self._rules.is_error(stanza):
            self._bounced(stanza)
            return

        if self._rules.faces_gates(stanza) and self._is_stopped(stanza, to, type_):
            return

        known = self._knows(to)
        bindings = self._registrar.bindings(to.bare) if known else []
        named = [each for each in bindings if to.resource and self._rules.matches(each.resource, to.resource)]
        standings = [self._standing(stanza, to, each) for each in bindings]
        chosen = named or [bindings[number] for number in self._rules.recipients(type_, standings)]
        target = Target.MATCH if named else Target.OTHER if to.resource else Target.BARE
        fate = self._rules.fate_of_message(type_, target, known=known, reachable=bool(chosen))

        if fate == DELIVER:
            self._deliver(stanza, to, chosen)
        elif fate is not None and fate != IGNORE:
            self._refuse(stanza, fate)

    def _is_stopped(self, message: Element, to: Address, type_: str) -> bool:
        """Ask the gates and the user; answers for whoever says no, before anybody is looked for: who exists shall not
        show."""
        try:
            sender = parse_address(message.get("from", ""))
        except AddressError as error:
            self._refuse(message, StanzaCondition.JID_MALFORMED, text=str(error))
            return True

        added = self._added(to.bare, sender.bare)
        closed = self._access.inbound(to.bare, sender.bare, Action.MESSAGE, added=added)

        if closed is None and self._is_taken(to.bare, sender.bare):
            return False

        reason = closed.reason if closed is not None else f"{to.bare} has blocked {sender.bare}"
        self._log(f"a message from {sender} to {to.bare} was stopped: {reason}")
        # XEP-0191 §3.3, of a contact who is blocked: "the server SHOULD return an error, which SHOULD be
        # <service-unavailable/>".
        condition = StanzaCondition.SERVICE_UNAVAILABLE if closed is None else self._access.answer_to_message(closed)

        # What is ignored where nobody is there is ignored here, too.
        target = Target.OTHER if to.resource else Target.BARE

        if condition is not None and self._rules.fate_of_message(type_, target, known=False, reachable=False) != IGNORE:
            self._refuse(message, condition)

        return True

    def _standing(self, message: Element, to: Address, binding: Binding[Flow]) -> Standing:
        sender = parse_address(message.get("from", ""))

        return Standing(
            priority=self._priority_of(to.bare, binding), talks=self._sessions.has((to.bare, sender.bare), binding)
        )

    def _asked_device(self, iq: Element, to: Address) -> Binding[Flow] | None:
        """The device that a request is for, if who asks may know that it is there."""
        try:
            sender = parse_address(iq.get("from", ""))
        except AddressError:
            return None

        named = [each for each in self._registrar.bindings(to.bare) if self._rules.matches(each.resource, to.resource)]
        found = named[0] if named and to.resource and self._knows(to) else None

        return found if self._rules.may_ask_device(self._shares(to, sender)) else None

    def _knows(self, to: Address) -> bool:
        return bool(to.local) and self._configuration.user(str(to.bare)) is not None

    def _deliver(self, stanza: Element, to: Address, bindings: list[Binding[Flow]]) -> None:
        content = self._rules.content_of(stanza)
        pair = (to.bare, parse_address(stanza.get("from", "")))

        # Receipts and the like have nothing that could be shown, chat states only in an open session.
        if content is None:
            self._sessions.show_state(stanza, pair, bindings)
            return

        try:
            written_to = self._rules.recipient_of(to, bindings[0].resource)
            sender, recipient = self._rules.uri_of(stanza.get("from", "")), self._rules.uri_of(str(written_to))
        except AddressError as error:
            self._refuse(stanza, StanzaCondition.JID_MALFORMED, text=str(error))
            return

        letter = Letter(
            sender=sender,
            to=recipient,
            body=content.body,
            headers=(*content.headers, _PLAIN),
            call_id=content.call_id,
            carried=stanza.get("id", ""),
        )

        # Until the user has it, or its sender an error, the edge must answer for it: we may be killed meanwhile.
        settle = self._hold()

        def final(code: int, response: Response | None) -> None:
            if code >= 300 and self._rules.returns_errors:
                self._failed(stanza, code, response)

            settle()

        self._sessions.deliver(stanza, letter, pair, bindings, final)

    def _failed(self, stanza: Element, code: int, response: Response | None) -> None:
        contact = _contact(response) if response is not None and code < 400 else ""
        condition = self._rules.condition_for_answer(code, bool(contact))
        # RFC 7247 §7: "it is reasonable for a gateway to map these constructs to each other", phrase and text.
        text = f"{code} {response.phrase}" if response is not None else ""
        self._refuse(stanza, condition, text=text, new_address=contact)

    def _refuse(self, stanza: Element, condition: str, text: str = "", new_address: str = "") -> None:
        printable = "".join(filter(str.isprintable, text))
        answer = self._rules.error_for(stanza, condition, text=printable)

        # RFC 6120 §8.2.3: "The response MUST preserve the 'id' attribute of the request (or be empty if [...])".
        if stanza.tag == IQ and "id" not in answer.attrib:
            answer.set("id", "")

        if new_address and condition in (StanzaCondition.GONE, StanzaCondition.REDIRECT):
            for element in answer.iter(f"{{{STANZA_ERRORS}}}{condition}"):
                element.text = new_address

        self._answer(answer)

    def _answer(self, stanza: Element) -> None:
        try:
            self._send(stanza)
        except LinkDown as error:
            self._log(f"an answer to {stanza.get('to')} was lost: {error}")


def _contact(response: Response) -> str:
    """The first Contact of a redirection, if it is a URI."""
    for value in response.values("contact"):
        try:
            return parse_uri(parse_name_address(value).uri).raw
        except SIPError:
            continue

    return ""
