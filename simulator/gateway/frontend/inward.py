"""Stanzas of partners: messages on their way to a SIP user (RFC 7572 §4), and what else must be answered.

Knows which stanza is delivered, answered or left alone. Does not know the link or connections.

Presence is left alone for now, as RFC 6121 §8.5.1 has it for users that do not exist: no user here shows any.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.gateway.configuration import Configuration
from simulator.gateway.frontend.delivery import Delivery, Letter
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.registrar import Binding, Registrar
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.stanzas import DELIVER, IGNORE, IQ, result_of_iq
from simulator.gateway.frontend.translation import MESSAGE, content_of
from simulator.gateway.link import LinkDown
from simulator.sip.errors import SIPError
from simulator.sip.message import Response
from simulator.sip.uri import parse_name_address, parse_uri
from simulator.xmpp.address import Address, AddressError, parse_address
from simulator.xmpp.element import make_error
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.namespaces import STANZA_ERRORS

_PLAIN = ("Content-Type", "text/plain;charset=UTF-8")


class Inward:
    """What partners send. `send` puts an answer on the link, or raises LinkDown; `bounced` gets errors."""

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules,
        *,
        registrar: Registrar[Flow],
        delivery: Delivery,
        send: Callable[[Element], None],
        bounced: Callable[[Element], None],
        log: Callable[[str], None],
    ) -> None:
        self._configuration, self._rules = configuration, rules
        self._registrar, self._delivery = registrar, delivery
        self._send, self._bounced, self._log = send, bounced, log

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

    def _iq(self, iq: Element, to: Address) -> None:
        fault = self._rules.fault_of_iq(iq)

        if fault is not None:
            self._refuse(iq, fault)
        elif iq.get("type") in ("get", "set"):
            result = result_of_iq(iq, to_domain=not to.local)

            if result is not None:
                self._answer(result)
            else:
                # RFC 6120 §8.2.3: an iq "get" or "set" MUST be answered; RFC 6121 §8.5.1 and §8.5.2.1.3 want the
                # same answer for users that exist and for those that do not.
                self._refuse(iq, StanzaCondition.SERVICE_UNAVAILABLE)

    def _message(self, stanza: Element, to: Address) -> None:
        type_ = stanza.get("type", "normal")

        # RFC 6120 §8.3.1: an error is never answered with an error.
        if type_ == "error":
            self._bounced(stanza)
            return

        known = bool(to.local) and self._configuration.user(str(to.bare)) is not None
        bindings = self._registrar.bindings(to.bare) if known else []
        chosen = [each for each in bindings if each.resource == to.resource] if to.resource else bindings
        fate = self._rules.fate_of_message(type_, reachable=bool(bindings), exact=bool(chosen))

        if fate == DELIVER:
            self._deliver(stanza, to, chosen or bindings)
        elif fate is not None and fate != IGNORE:
            self._refuse(stanza, fate)

    def _deliver(self, stanza: Element, to: Address, bindings: list[Binding[Flow]]) -> None:
        content = content_of(stanza)

        # Chat states, receipts and the like have nothing that pager mode could show.
        if content is None:
            return

        try:
            sender, recipient = self._rules.uri_of(stanza.get("from", "")), self._rules.uri_of(str(to.bare))
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

        def final(code: int, response: Response | None) -> None:
            if code >= 300 and self._rules.returns_errors:
                self._failed(stanza, code, response)

        self._delivery.deliver(letter, bindings, final)

    def _failed(self, stanza: Element, code: int, response: Response | None) -> None:
        contact = _contact(response) if response is not None and code < 400 else ""
        condition = self._rules.condition_for_answer(code, bool(contact))
        # RFC 7247 §7: "it is reasonable for a gateway to map these constructs to each other", phrase and text.
        text = f"{code} {response.phrase}" if response is not None else ""
        self._refuse(stanza, condition, text=text, new_address=contact)

    def _refuse(self, stanza: Element, condition: str, text: str = "", new_address: str = "") -> None:
        printable = "".join(filter(str.isprintable, text))
        answer = make_error(stanza, condition, text=printable)

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
