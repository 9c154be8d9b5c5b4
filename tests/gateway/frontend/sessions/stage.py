"""A front end in memory: connections are pieces of memory, the edge is a list of stanzas, and time is told.

Knows how `FrontEnd` wires its parts. Does not know what users do: they are in `device`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import cast
from xml.etree.ElementTree import Element

from simulator.gateway.access.edge import AccessEdgeConfiguration
from simulator.gateway.access.point import AccessPoint
from simulator.gateway.access.policy import ExternalAccessPolicy
from simulator.gateway.configuration import (
    AllowedPartner,
    CertificateFiles,
    CertificateSettings,
    Configuration,
    DNSSettings,
    FrontendSettings,
    LimitSettings,
    PartnerType,
    User,
)
from simulator.gateway.frontend.delivery import Delivery
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.inward import Inward
from simulator.gateway.frontend.messages import Messages
from simulator.gateway.frontend.outbox import Outbox
from simulator.gateway.frontend.outward import Dispatcher
from simulator.gateway.frontend.parties import Parties
from simulator.gateway.frontend.registrar import Registrar
from simulator.gateway.frontend.registration import Registration
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.sessions.context import Context
from simulator.gateway.frontend.sessions.sessions import Sessions
from simulator.gateway.link import LinkDown
from simulator.sip.identifiers import Identifiers
from simulator.wire.connection import Connection
from simulator.xmpp.address import parse_address
from simulator.xmpp.element import parse_element, serialize

USERS = ("alice@contoso.com", "bob@contoso.com")


def configured(frontend: FrontendSettings, limits: LimitSettings) -> Configuration:
    """One partner, and all gates open."""
    files = CertificateFiles(certificate="none", key="none")

    return Configuration(
        domains=("contoso.com",),
        users=tuple(User(address=address) for address in USERS),
        partners=(AllowedPartner(identity="gmail.com", partner_type=PartnerType.PUBLIC_VERIFIED),),
        access=AccessEdgeConfiguration(allow_federated_users=True),
        policies=(ExternalAccessPolicy(enable_federation_access=True, enable_xmpp_access=True),),
        dns=DNSSettings(server="127.0.0.1"),
        certificates=CertificateSettings(authority="none", internal=files),
        frontend=frontend,
        limits=limits,
    )


class Wire:
    """What a flow needs of a connection."""

    tls = None
    remote, local = ("127.0.0.1", 50000), ("127.0.0.1", 5060)
    unsent = 0

    def __init__(self) -> None:
        self.closed = False
        self.written = bytearray()
        self.on_data: Callable[[bytes], None] = lambda data: None
        self.on_closed: Callable[[str, Exception | None], None] = lambda how, error: None

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written += data

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.on_closed("local", None)


class Stage:
    """The front end, wired as `FrontEnd` does it."""

    def __init__(
        self,
        rules: FrontEndRules | None = None,
        *,
        frontend: FrontendSettings | None = None,
        limits: LimitSettings | None = None,
    ) -> None:
        self.rules = rules or FrontEndRules()
        self.now = 0.0
        self.link_up = True
        self.hands_over = True
        self.stanzas: list[Element] = []
        self.lines: list[str] = []
        self._to_report: list[str] = []
        self.configuration = configured(frontend or FrontendSettings(), limits or LimitSettings())
        self.identifiers = Identifiers(random.Random(1))
        self.registrar: Registrar[Flow] = Registrar()
        self.flows: list[Flow] = []
        self._wire_up()

    def _wire_up(self) -> None:
        configuration, rules, access = self.configuration, self.rules, AccessPoint(self.configuration)
        delivery = Delivery(self.identifiers, rules.message_limit, rules.best_answer)
        parties = Parties(configuration, rules, self.registrar, access)
        self.dispatcher = Dispatcher(rules, parties.speaks_for)
        self.outbox = Outbox(
            rules,
            identifiers=self.identifiers,
            send=partial(self._send_message, parties),
            timeout=configuration.frontend.transaction_timeout,
            clock=lambda: self.now,
            log=self.lines.append,
        )
        context = Context(
            settings=lambda: configuration.frontend,
            rules=rules,
            parties=parties,
            dialogs=self.dispatcher.dialogs,
            outbox=self.outbox,
            delivery=delivery,
            identifiers=self.identifiers,
            clock=lambda: self.now,
            allow=lambda: self.dispatcher.allow,
            log=self.lines.append,
        )
        self.sessions = Sessions(context, self.registrar, queue=configuration.limits.queued_stanzas)
        self.sessions.serve(self.dispatcher)
        messages = Messages(
            configuration, rules, parties=parties, registrar=self.registrar, delivery=delivery, outbox=self.outbox
        )
        registration = Registration(configuration, rules, self.registrar, lambda: self.now)
        self.dispatcher.serve("MESSAGE", messages.handle)
        self.dispatcher.serve("REGISTER", registration.handle)
        self.held = 0
        self.inward = Inward(
            configuration,
            rules,
            registrar=self.registrar,
            sessions=self.sessions,
            access=access,
            added=lambda user, contact: False,
            send=self._send,
            hold=self._hold,
            bounced=self.outbox.bounced,
            presence=lambda presence: None,
            log=self.lines.append,
        )

    def _hold(self) -> Callable[[], None]:
        self.held += 1

        def settle() -> None:
            self.held -= 1

        return settle

    def _send_message(self, parties: Parties, stanza: Element) -> None:
        parties.admit(parse_address(stanza.get("from", "")), parse_address(stanza.get("to", "")))
        self._send(stanza)

    def _send(self, stanza: Element) -> None:
        if not self.link_up:
            raise LinkDown("the link is down")

        self.stanzas.append(stanza)

        if self.hands_over and stanza.get("type") != "error" and stanza.find("{jabber:server}body") is not None:
            self._to_report.append(stanza.get("id", ""))

    def reports(self) -> None:
        """The edge reports what it has handed over: never in the turn in which it got it."""
        ids, self._to_report = self._to_report, []
        self.outbox.handed_over(ids)

    def attach(self) -> tuple[Wire, Flow]:
        """A new connection."""
        wire, frontend, limits = Wire(), self.configuration.frontend, self.configuration.limits
        flow = Flow(
            cast("Connection", wire),
            self.identifiers,
            timeout=frontend.transaction_timeout,
            body_bytes=limits.sip_bytes,
            unsent_bytes=limits.unsent_bytes,
            queue=limits.queued_stanzas,
            overlaps=self.rules.overlaps,
            clock=lambda: self.now,
            on_request=self.dispatcher.handle,
            on_closed=self._closed,
        )
        flow.on_cancelled = lambda incoming: self.sessions.cancelled(flow, incoming)
        self.flows.append(flow)

        return wire, flow

    def _closed(self, flow: Flow) -> None:
        self.flows.remove(flow)
        self.dispatcher.dialogs.forget_flow(flow)
        self.sessions.flow_closed(flow)
        self.registrar.forget_flow(flow)

    def lose_link(self) -> None:
        """The link goes down."""
        self.link_up = False
        self._to_report.clear()
        self.outbox.link_lost()

    def passes(self, seconds: float) -> None:
        """Time passes, and the front end looks at what has run out."""
        self.now += seconds
        self.outbox.expire(self.now)
        self.sessions.expire(self.now)

        for flow in tuple(self.flows):
            flow.expire()

    def arrives(self, xml: str) -> None:
        """A stanza of the partner's."""
        self.inward.handle(parse_element(xml))

    def writes(
        self,
        text: str,
        *more: str,
        name: str = "m1",
        to: str = "alice@contoso.com",
        type: str = "chat",  # noqa: A002
    ) -> None:
        """Juliet writes to Alice."""
        content = (f"<body>{text}</body>" if text else "") + "".join(more)
        attributes = f"from='juliet@gmail.com/balcony' to='{to}' id='{name}' type='{type}'"
        self.arrives(f"<message {attributes}>{content}</message>")

    def bounces(self, stanza: Element, condition: str) -> None:
        """The partner returns a message."""
        self.arrives(
            f"<message type='error' id='{stanza.get('id')}' from='{stanza.get('to')}' to='{stanza.get('from')}'>"
            f"<error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )

    def sent(self) -> list[str]:
        """What went to the partner since the last call."""
        texts = [serialize(stanza).decode() for stanza in self.stanzas]
        self.stanzas.clear()

        return texts

    def bodies(self) -> list[str]:
        """The texts that went to the partner since the last call, errors left out."""
        found = [each for each in self.stanzas if each.get("type") != "error"]
        self.stanzas.clear()

        return [text for each in found if (text := each.findtext("{jabber:server}body")) is not None]

    def errors(self) -> list[str]:
        """The conditions of errors that went to the partner since the last call, each with the id of its message."""
        found = [each for each in self.stanzas if each.get("type") == "error"]
        self.stanzas.clear()

        return [f"{each.get('id')} {_condition(each)}" for each in found]


def _condition(stanza: Element) -> str:
    error = stanza.find("{jabber:server}error")
    assert error is not None

    return error[0].tag.rpartition("}")[2]
