"""A real front end on loopback; what stands for the edge is the real link's other end and a list.

Users speak at the level of bytes, so that tests see and say what a user agent would hide.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.gateway.configuration import (
    AccessEdgeConfiguration,
    AllowedPartner,
    CertificateFiles,
    CertificateSettings,
    Configuration,
    DNSSettings,
    EdgeSettings,
    ExternalAccessPolicy,
    FrontendSettings,
    LimitSettings,
    PartnerType,
    RetrySettings,
    User,
)
from simulator.gateway.frontend.frontend import FrontEnd
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.link import LinkListener
from simulator.gateway.topology import members
from simulator.sip.framing import Frame, MessageReader
from simulator.sip.message import Request, Response, build_response, parse_message
from simulator.world.addresses import Addresses
from simulator.world.ca import CertificateAuthority
from simulator.xmpp.element import parse_element, serialize
from tests.gateway.frontend.sipp import Sipp

_NUMBERS = itertools.count(1)

USERS = ("alice@contoso.com", "bob@contoso.com", "o\\27malley@contoso.com")


@dataclass
class Inside:
    """A front end, and the edge that it believes in."""

    frontend: FrontEnd
    edge: LinkListener
    authority: CertificateAuthority
    configuration: Configuration
    stanzas: asyncio.Queue[Element] = field(default_factory=asyncio.Queue)
    lines: list[str] = field(default_factory=list)
    hands_over: bool = True

    @property
    def port(self) -> int:
        assert self.frontend.tcp_port is not None
        return self.frontend.tcp_port

    def arrived(self, stanza: Element) -> None:
        self.stanzas.put_nowait(stanza)

        if self.hands_over and stanza.tag.endswith("}message"):
            self.edge.handed_over([stanza.get("id", "")])

    async def next_stanza(self) -> str:
        return serialize(await asyncio.wait_for(self.stanzas.get(), 5)).decode()

    def sends(self, xml: str) -> None:
        self.edge.send(parse_element(xml))


Start = Callable[..., Any]

#: domains that users here write to and hear from; the type is that which lets everybody write
PARTNERS = tuple(
    AllowedPartner(identity=domain, partner_type=PartnerType.PUBLIC_VERIFIED)
    for domain in ("gmail.com", "x.example", "xmpp.example", "example.com")
)
#: all gates open
OPEN = {
    "partners": PARTNERS,
    "access": AccessEdgeConfiguration(allow_federated_users=True),
    "policies": (ExternalAccessPolicy(enable_federation_access=True, enable_xmpp_access=True),),
}


def configured(authority: CertificateAuthority, **given: Any) -> Configuration:
    """A configuration on free loopback ports, in which nobody is stopped."""
    settings: dict[str, Any] = OPEN | given
    internal = authority.issue("link.internal")
    sip = authority.issue("contoso.com")

    return Configuration(
        domains=("contoso.com",),
        users=settings.pop("users", tuple(User(address=address) for address in USERS)),
        dns=DNSSettings(server="127.0.0.1"),
        certificates=CertificateSettings(
            authority=str(authority.authority),
            internal=CertificateFiles(certificate=str(internal.certificate), key=str(internal.key)),
            sip=CertificateFiles(certificate=str(sip.certificate), key=str(sip.key)),
        ),
        edge=EdgeSettings(port=0, link_port=0),
        frontend=settings.pop("frontend", FrontendSettings(sip_tcp_port=0, sip_tls_port=0)),
        retry=RetrySettings(link_first=0.01, link_longest=0.05),
        limits=settings.pop("limits", LimitSettings()),
        **settings,
    )


@pytest.fixture
def start(authority: CertificateAuthority) -> Start:
    """An asynchronous context manager: ``async with start(rules, frontend=...) as inside``."""

    @asynccontextmanager
    async def started(rules: FrontEndRules | None = None, **settings: Any) -> AsyncIterator[Inside]:
        configuration = configured(authority, **settings)
        lines: list[str] = []
        edge = LinkListener(configuration, log=lines.append)
        frontend = FrontEnd(configuration, rules, log=lines.append)
        inside = Inside(frontend, edge, authority, configuration, lines=lines)
        edge.on_stanza = inside.arrived
        await edge.start()

        try:
            servers = members(configuration.pools, configuration.edge)
            await inside.frontend.start({server.identity: ("127.0.0.1", edge.port) for server in servers})
            await asyncio.wait_for(asyncio.gather(inside.frontend.link.wait_up(), edge.wait_up()), 5)
            yield inside
        finally:
            await inside.frontend.stop()
            await edge.stop()

    return started


@pytest.fixture
async def inside(start: Start) -> AsyncIterator[Inside]:
    async with start() as made:
        yield made


class WireUser:
    """One TCP connection; `address` is the part of the URI after ``sip:``."""

    def __init__(self, port: int, address: str = "alice@contoso.com") -> None:
        self.port, self.address = port, address
        self._got: asyncio.Queue[Request | Response] = asyncio.Queue()

    async def __aenter__(self) -> WireUser:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._task = asyncio.create_task(self._read())

        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        await self._task

    async def _read(self) -> None:
        reader = MessageReader()

        while data := await self._reader.read(65536):
            for frame in reader.receive(data):
                assert isinstance(frame, Frame)
                self._got.put_nowait(parse_message(frame.head, frame.body))

    def says(self, data: bytes) -> None:
        self._writer.write(data)

    async def next(self) -> Request | Response:
        return await asyncio.wait_for(self._got.get(), 5)

    async def next_request(self) -> Request:
        message = await self.next()
        assert isinstance(message, Request)

        return message

    async def next_response(self) -> Response:
        message = await self.next()
        assert isinstance(message, Response), message.uri

        return message

    async def asks(self, method: str, uri: str, *lines: str, body: bytes = b"", **headers: str) -> Response:
        """Send a request and wait for its answer. Headers by name replace the usual ones."""
        self.sends(method, uri, *lines, body=body, **headers)

        return await self.next_response()

    def sends(self, method: str, uri: str, *lines: str, body: bytes = b"", **headers: str) -> None:
        number = next(_NUMBERS)
        usual = {
            "via": f"SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKw{number}",
            "max_forwards": "70",
            "to": f"<{uri}>",
            "from_": f"<sip:{self.address}>;tag=t{number}",
            "call_id": f"call-{number}",
            "cseq": f"{number} {method}",
        } | headers
        text = [f"{method} {uri} SIP/2.0"]
        text += [f"{name.rstrip('_').replace('_', '-')}: {value}" for name, value in usual.items()]
        text += [*lines, f"Content-Length: {len(body)}", "", ""]
        self.says("\r\n".join(text).encode() + body)

    async def registers(self, *lines: str, expires: int = 60) -> Response:
        to = f"<sip:{self.address}>"
        lines = lines or (f"Contact: <sip:{self.address.partition('@')[0]}@127.0.0.1:1>",)

        return await self.asks("REGISTER", "sip:contoso.com", *lines, f"Expires: {expires}", to=to)

    async def writes(self, to: str, body: str = "Hello", *lines: str) -> Response:
        return await self.asks("MESSAGE", f"sip:{to}", "Content-Type: text/plain", *lines, body=body.encode())

    def answers(self, request: Request, code: int, *lines: tuple[str, str], phrase: str = "") -> None:
        self.says(build_response(request, code, phrase, tag="w", headers=lines))


@pytest.fixture
async def alice(inside: Inside) -> AsyncIterator[WireUser]:
    """Registered, and not doing anything by herself."""
    async with WireUser(inside.port) as user:
        assert (await user.registers()).code == 200
        yield user


@pytest.fixture
def connect() -> type[WireUser]:
    return WireUser


@pytest.fixture
def sipp(inside: Inside, tmp_path: Path) -> Iterator[Sipp]:
    with Addresses() as addresses:
        yield Sipp(tmp_path, ("127.0.0.1", inside.port), addresses.take("sipp"))
