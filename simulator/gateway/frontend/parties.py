"""Who sends a request of a user inside, and for whom it is.

Knows registrations and what SIP says about addresses. Does not know methods.
"""

from __future__ import annotations

from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.frontend.addressing import uri_of
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.refusal import Refused, diagnostics
from simulator.gateway.frontend.registrar import Binding, Registrar
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.sip.message import Request
from simulator.sip.uri import parse_uri
from simulator.xmpp.address import Address, AddressError


class Parties:
    """Sender and recipient of requests."""

    def __init__(
        self, configuration: Configuration, rules: FrontEndRules, registrar: Registrar[Flow], access: AccessPoint
    ) -> None:
        self._configuration, self._rules, self._registrar, self._access = configuration, rules, registrar, access

    def sender(self, flow: Flow, request: Request) -> Address:
        """From as an XMPP address, with the resource of the device where that is known.

        Raises Refused (403) when this user did not register over this connection, and SIPSyntaxError.
        """
        sender = self._rules.address_of(request.sender.uri)

        if not self.speaks_for(flow, sender.bare):
            raise Refused(403, "The sender is not registered on this connection")

        if not sender.resource:
            # RFC 7572 Table 2 note 1: what is known of the device's GRUU MUST become the resource.
            bindings = self._registrar.bindings(sender.bare)
            known = next((each.resource for each in bindings if each.flow is flow and each.has_gruu), "")
            sender = Address(sender.local, sender.domain, known)

        return sender

    def speaks_for(self, flow: Flow, user: Address) -> bool:
        """Whether a user (bare address) is registered over a connection."""
        return self._rules.sender_is_registered(flow, [each.flow for each in self._registrar.bindings(user)])

    def binding(self, flow: Flow, user: Address) -> Binding[Flow] | None:
        """The device of a user (bare address) behind a connection."""
        return next((each for each in self._registrar.bindings(user) if each.flow is flow), None)

    def recipient(self, flow: Flow, request: Request) -> Address:
        """RFC 7572 Table 2: "Request-URI or To". A user agent without a route of its own may address its request to
        the host that it connected to; then To says for whom it is. Raises SIPSyntaxError."""
        target = request.target

        if target.host.strip("[]") == flow.local_host:
            return self._rules.address_of(request.to.uri)

        return self._rules.address_of(request.uri)

    def is_outside(self, request: Request, recipient: Address) -> bool:
        """Whether the recipient is a partner's user; raises Refused (416) where a request must not cross."""
        if self._configuration.serves(recipient.domain):
            return False

        if not self._rules.may_cross(request.target, parse_uri(request.to.uri)):
            raise Refused(416, "XMPP cannot promise TLS on every hop, as sips: demands")

        return True

    def admit(self, sender: Address, recipient: Address) -> None:
        """Ask the gates before anything of a user goes to somebody outside; raises Refused, naming a closed one."""
        closed = self._access.outbound(sender, recipient)

        if closed is not None:
            # The certificate and DNS summaries of the documents call the Access Edge sip.<SIP domain>.
            source = f"sip.{self._configuration.domains[0]}"
            header = diagnostics(closed.diagnostics, closed.reason, source)
            raise Refused(self._access.code(closed), closed.reason, [header])


def uri_or_refused(address: Address) -> str:
    """The SIP URI of an XMPP address; raises Refused (404) when it has none."""
    try:
        return uri_of(str(address))
    except AddressError as error:
        raise Refused(404, str(error)) from None
