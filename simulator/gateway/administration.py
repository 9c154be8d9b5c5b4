"""A running gateway, as the management shell and everybody who administers it sees it.

Knows which question goes to which part of the gateway. Does not know cmdlets, nor how they reach us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.gateway.configuration import Configuration
from simulator.gateway.gateway import Gateway
from simulator.gateway.management.change import Find
from simulator.gateway.management.running import Attempt, Service, Socket
from simulator.gateway.management.session import Session, place
from simulator.gateway.services import PROXY, TRANSLATING
from simulator.gateway.status import snapshot
from simulator.gateway.tryout import send_message
from simulator.powershell.errors import Source, render
from simulator.powershell.evaluation import Ask, Outcome
from simulator.wire.tls import CertificateError, client_context

#: display name -> short name and role, as Get-CsWindowsService has them. That of the front end's service stands in
#: scripts that watch it; that of the proxy in no page that we found.
_SHORT = {TRANSLATING: ("RTCXMPPTGW", "XmppGateway"), PROXY: ("RTCXMPPTGWPX", "XmppProxy")}


class ScriptFailed(Exception):  # noqa: N818 - says what happened
    """A line of a script failed; the text names file, line and column."""


def read_script(path: Path) -> str:
    """The text of a script; raises ScriptFailed."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ScriptFailed(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScriptFailed(f"{path}: cannot be read: it is not UTF-8") from None


class Administration:
    """What administrators may do to a gateway; `find` is what its rules find wrong with settings."""

    def __init__(self, gateway: Gateway, find: Find | None = None) -> None:
        self._gateway, self._find = gateway, find
        self._lasting: Session | None = None

    def snapshot(self) -> dict[str, Any]:
        """The status, as `status` has it."""
        return snapshot(self._gateway, asyncio.get_running_loop().time())

    @property
    def configuration(self) -> Configuration:
        """What counts now."""
        return self._gateway.configuration

    def session(self, ask: Ask | None = None) -> Session:
        """A new session of the management shell; what it changes counts at once."""
        return Session(
            lambda: self._gateway.configuration,
            self._gateway.reconfigure,
            running=self,
            find=self._find,
            ask=ask,
        )

    async def run_script(self, path: Path) -> Outcome:
        """Run the lines of a file until one fails. Raises ScriptFailed, also for a file that cannot be read."""
        text = read_script(path)
        outcome = await self.session().run(text, name=str(path), stop=True)

        if outcome.errors:
            raise ScriptFailed(place(outcome.errors[0], text, str(path)))

        return outcome

    async def type_in(self, text: str) -> list[tuple[str, str]]:
        """Run lines in one lasting session: ``output`` with all that they print, then ``error`` for each error."""
        if self._lasting is None:
            self._lasting = self.session()

        outcome = await self._lasting.run(text)
        printed = "\n".join(line.text for line in outcome.lines if line.stream != "error").strip("\n")
        errors = [("error", "\n".join(render(error, Source(text)))) for error in outcome.errors]

        return [*([("output", printed)] if printed else []), *errors]

    # -- what cmdlets ask of a running gateway

    def services(self) -> Sequence[Service]:
        """Its services, on all computers of this process."""
        return [
            Service(
                name=_SHORT[service.name][0],
                display_name=service.name,
                role=_SHORT[service.name][1],
                computer=service.computer,
                running=service.running,
            )
            for service in self._gateway.services
        ]

    def sockets(self) -> Sequence[Socket]:
        """What listens and what is connected, by the status."""
        status = self.snapshot()
        edges = [server for server in self._gateway.edges.values() if server.running]
        inside = {name: found for name, found in self._gateway.listening.items() if name in ("sip", "sips")}
        places = [found for server in edges for found in server.places.values()] + list(inside.values())
        listening = [Socket(local=f"{host}:{port}", remote="0.0.0.0:0", state="LISTENING") for host, port in places]
        connected = [
            Socket(local=each["local"], remote=each["remote"], state="ESTABLISHED")
            for each in (*status["links"], *status["streams"])
            if each.get("local") and each.get("remote")
        ]

        return [*listening, *connected]

    async def start_service(self, service: Service) -> None:
        """Start a service that does not run. Raises OSError."""
        try:
            await self._gateway.start_service(service.display_name, service.computer)
        except CertificateError as error:
            raise OSError(str(error)) from None

    async def stop_service(self, service: Service) -> None:
        """Stop a service that runs."""
        await self._gateway.stop_service(service.display_name, service.computer)

    async def send_message(self, sender: str, receiver: str, port: int | None) -> Attempt:
        """Sign on as a user inside and send one message to somebody outside; `port` is the registrar's, if given."""
        settings = self.configuration.frontend
        found = {name: place for name, place in self._gateway.listening.items() if name in ("sip", "sips")}

        if not found:
            return Attempt(error="no front end runs in this process", diagnosis="ask the process of the front end")

        name, (host, own_port) = next(iter(found.items()))

        # The other transport has the port that was asked for, or nobody has.
        if port is not None:
            name = next((each for each, (_, listening) in found.items() if listening == port), name)

        tls = None

        if name == "sips":
            # Whom we speak to is ourselves: our certificate need not be for our address.
            tls = client_context(require_peer=False)

        return await send_message(
            host, port or own_port, sender, receiver, tls=tls, timeout=settings.transaction_timeout
        )
