"""A person on an XMPP server: a slixmpp client over plain TCP, on loopback.

Knows slixmpp (no other file of the world does). Does not know which server it talks to.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from typing import Any
from xml.etree import ElementTree as ET

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatcherId, MatchXPath

from simulator.journal import Journal
from simulator.world.users.stanza import arrival, message
from simulator.world.users.user import ACCEPTED, Inbox
from simulator.xmpp.element import serialize
from simulator.xmpp.namespaces import CLIENT

#: What the client has to say about itself belongs into no report.
logging.getLogger("slixmpp").addHandler(logging.NullHandler())
logging.getLogger("slixmpp").propagate = False

PING = "urn:xmpp:ping"
OLD_AUTHENTICATION, OLD_SIGN_IN = "jabber:iq:auth", "old-sign-in"
RESOURCE = "simulator"
PATIENCE = 10.0
"""Seconds that the server has to let us in: one that hangs still accepts connections, and says nothing."""
GOODBYE = 0.5
"""Seconds that the server has to answer our closing tag."""


class XMPPUser:
    """One client of one server; `address` is bare. Raises PermissionError off loopback.

    Without `sasl` it signs in as clients did before (XEP-0078), for a server that has none.
    """

    def __init__(
        self, address: str, password: str, host: str, port: int, journal: Journal, *, sasl: bool = True
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise PermissionError(f"{host} is not on loopback: users contact nobody else")

        self.address = address
        self.inbox = Inbox(journal, address)
        self._password, self._host, self._port, self._sasl = password, host, port, sasl
        self._client: ClientXMPP | None = None
        self._answers: set[asyncio.Task[None]] = set()

    async def sign_in(self) -> None:
        """Log in and announce availability; returns when the server has taken note of it. Raises ConnectionError."""
        await self.sign_out()
        client = self._client = self._make_client()
        outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def settle(problem: str) -> None:
            if not outcome.done():
                outcome.set_result(problem)

        client.add_event_handler("session_start", lambda _: settle(""))
        client.add_event_handler("failed_all_auth", lambda _: settle("the server refused the password"))
        client.add_event_handler("connection_failed", lambda error: settle(f"no connection: {error}"))
        client.add_event_handler("disconnected", lambda reason: settle(f"the server ended the stream: {reason}"))

        try:
            async with asyncio.timeout(PATIENCE):
                client.connect(self._host, self._port)
                problem = await outcome

                if not problem:
                    client.send_presence()
                    await self._echo()
        except TimeoutError:
            problem = f"no answer within {PATIENCE:g} s"
        except BaseException:
            await self.sign_out()
            raise

        if problem:
            await self.sign_out()
            raise ConnectionError(f"{self.address} cannot sign in at {self._host}:{self._port}: {problem}")

    async def sign_out(self) -> None:
        """Close the stream and leave no task behind; never raises."""
        client, self._client = self._client, None

        for task in tuple(self._answers):
            task.cancel()

        await asyncio.gather(*self._answers, return_exceptions=True)

        if client is None:
            return

        client.cancel_connection_attempt()
        filters = client._run_out_filters
        await client.disconnect(wait=GOODBYE)
        client.abort()

        if filters is not None:
            filters.cancel()

            with contextlib.suppress(asyncio.CancelledError):
                await filters

    async def send_message(
        self,
        to: str,
        body: str,
        *,
        id: str,  # noqa: A002
        type: str | None = None,  # noqa: A002
        subject: str | None = None,
        thread: str | None = None,
        language: str | None = None,
        extra: str = "",
    ) -> None:
        """Send a message; once the server has answered a later request, the inbox gets ``accepted``."""
        if self._client is None:
            raise ConnectionError(f"{self.address} is not signed in")

        element = message(
            CLIENT, to=to, body=body, id=id, type=type, subject=subject, thread=thread, language=language, extra=extra
        )
        self._client.send_raw(serialize(element, CLIENT).decode())
        task = asyncio.get_running_loop().create_task(self._confirm(id))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _confirm(self, message_id: str) -> None:
        # RFC 6120 §10.1: stanzas of one stream are processed in order, so our message was taken before this answer.
        if await self._echo():
            self.inbox.arrived(ACCEPTED, id=message_id)

    async def _echo(self) -> bool:
        client = self._client

        if client is None:
            return False

        request: Any = client.make_iq_get(queryxmlns=None, ito=client.boundjid.host)
        request.xml.append(ET.Element(f"{{{PING}}}ping"))

        try:
            await request.send(timeout=10)
        except IqError:
            pass
        except IqTimeout:
            return False

        return True

    def _make_client(self) -> ClientXMPP:
        # A context of our own: the default one reads the machine's authorities, 20 ms for a TLS that never comes.
        client = ClientXMPP(
            f"{self.address}/{RESOURCE}",
            self._password,
            sasl_mech="PLAIN",
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )
        client.enable_direct_tls = client.enable_starttls = False
        client.enable_plaintext = True
        client.whitespace_keepalive = False
        client.plugin["feature_mechanisms"].unencrypted_plain = True
        client.remove_handler("IM")
        client.register_handler(Callback("every message", MatchXPath(f"{{{CLIENT}}}message"), self._arrived))

        if not self._sasl:
            client.add_event_handler("stream_negotiated", lambda _: self._sign_in_without_sasl(client))

        return client

    def _sign_in_without_sasl(self, client: ClientXMPP) -> None:
        # By hand: slixmpp has a plugin for this, which looks for the answer before it can have come.
        def answered(answer: Any) -> None:
            if answer["type"] == "result":
                client.boundjid = JID(f"{self.address}/{RESOURCE}")
                client.sessionstarted = True

            client.event("session_start" if client.sessionstarted else "failed_all_auth")

        client.register_handler(Callback("signed in", MatcherId(OLD_SIGN_IN), answered, once=True))
        query = ET.Element(f"{{{OLD_AUTHENTICATION}}}query")

        for name, text in {
            "username": self.address.partition("@")[0],
            "password": self._password,
            "resource": RESOURCE,
        }.items():
            ET.SubElement(query, f"{{{OLD_AUTHENTICATION}}}{name}").text = text

        request = ET.Element(f"{{{CLIENT}}}iq", {"type": "set", "id": OLD_SIGN_IN})
        request.append(query)
        client.send_raw(serialize(request, CLIENT).decode())

    def _arrived(self, stanza: Any) -> None:
        what, fields = arrival(stanza.xml)
        self.inbox.arrived(what, **fields)
