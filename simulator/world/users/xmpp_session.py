"""One session of a person on an XMPP server: a slixmpp client over plain TCP, on loopback.

Knows slixmpp (no other file of the world does), and takes away what it would do by itself: a user is asked about
everything. Does not know what is sent, nor what becomes of what came.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from typing import Any, Literal
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatcherId, MatchXPath, StanzaPath

from simulator.xmpp.element import make_error, serialize
from simulator.xmpp.namespaces import CLIENT

#: What the client has to say about itself belongs into no report.
logging.getLogger("slixmpp").addHandler(logging.NullHandler())
logging.getLogger("slixmpp").propagate = False

PING = "urn:xmpp:ping"
OLD_AUTHENTICATION, OLD_SIGN_IN = "jabber:iq:auth", "old-sign-in"
PATIENCE = 10.0
"""Seconds that the server has to let us in, or to answer: one that hangs accepts connections, and says nothing."""
GOODBYE = 0.5
"""Seconds that the server has to answer our closing tag."""

#: Handlers that would answer subscriptions and keep a list of their own.
AUTOMATIC = ("IM", "Presence", "Roster Update")


class Session:
    """One client of one server, under a full address.

    `arrived` hears of every message and presence; `pushed` of each request of the server that sets something, whose
    answer is the result of an empty request.
    """

    def __init__(
        self,
        address: str,
        password: str,
        host: str,
        port: int,
        *,
        sasl: bool,
        arrived: Callable[[Element], None],
        pushed: Callable[[Element], None],
    ) -> None:
        self.address = address
        self._password, self._host, self._port, self._sasl = password, host, port, sasl
        self._arrived, self._pushed = arrived, pushed
        self._client: ClientXMPP | None = None

    @property
    def is_open(self) -> bool:
        """Between `open` and `close`, as far as anybody noticed."""
        return self._client is not None

    async def open(self) -> str:
        """Log in; returns why not, or nothing. A stream that came about must be closed either way."""
        client = self._client = self._make_client()
        outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def settle(problem: str) -> None:
            if not outcome.done():
                outcome.set_result(problem)

        client.add_event_handler("session_start", lambda _: settle(""))
        client.add_event_handler("failed_all_auth", lambda _: settle("the server refused the password"))
        client.add_event_handler("connection_failed", lambda error: settle(f"no connection: {error}"))
        client.add_event_handler("disconnected", lambda reason: settle(f"the server ended the stream: {reason}"))
        client.connect(self._host, self._port)

        return await outcome

    async def close(self) -> None:
        """Close the stream and leave no task behind; never raises."""
        client, self._client = self._client, None

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

    def vanish(self) -> None:
        """Lose the connection without a word; `close` is still due."""
        if self._client is not None and self._client.transport is not None:
            self._client.transport.abort()

    def send(self, stanza: Element) -> None:
        """Send a stanza; raises ConnectionError."""
        self._opened().send_raw(serialize(stanza, CLIENT).decode())

    async def ask(
        self, kind: Literal["get", "set"], payload: Element, *, to: str | None = None
    ) -> tuple[Element | None, bool]:
        """Send a request and wait for its answer: the element, and whether it is a result.

        None stands for no answer in time. Raises ConnectionError.
        """
        client = self._opened()
        request: Any = client.make_iq(ito=to, itype=kind)
        request.xml.append(payload)

        try:
            return (await request.send(timeout=PATIENCE)).xml, True
        except IqError as error:
            return error.iq.xml, False
        except IqTimeout:
            return None, False

    async def echo(self) -> bool:
        """Whether the server has answered a request, and with it has taken everything that was sent before.

        RFC 6120 §10.1: stanzas of one stream are processed in order.
        """
        if self._client is None:
            return False

        answer, _ = await self.ask("get", Element(f"{{{PING}}}ping"), to=self._client.boundjid.host)

        return answer is not None

    # -- inside

    def _opened(self) -> ClientXMPP:
        if self._client is None or self._client.transport is None or self._client.transport.is_closing():
            raise ConnectionError(f"{self.address} is not signed in")

        return self._client

    def _make_client(self) -> ClientXMPP:
        # A context of our own: the default one reads the machine's authorities, 20 ms for a TLS that never comes.
        client = ClientXMPP(
            self.address, self._password, sasl_mech="PLAIN", ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        client.enable_direct_tls = client.enable_starttls = False
        client.enable_plaintext = True
        client.whitespace_keepalive = False
        client.plugin["feature_mechanisms"].unencrypted_plain = True

        for name in AUTOMATIC:
            client.remove_handler(name)

        for name in ("message", "presence"):
            client.register_handler(Callback(f"every {name}", MatchXPath(f"{{{CLIENT}}}{name}"), self._came))

        client.register_handler(Callback("every push", StanzaPath("iq@type=set"), self._asked))

        if not self._sasl:
            client.add_event_handler("stream_negotiated", lambda _: self._sign_in_without_sasl(client))

        return client

    def _came(self, stanza: Any) -> None:
        self._arrived(stanza.xml)

    def _asked(self, request: Any) -> None:
        # RFC 6121 §2.1.6: "a receiving client MUST ignore the stanza unless it has no 'from' attribute [...] or it has
        # a 'from' attribute whose value matches the user's bare JID".
        if str(request["from"]) not in ("", self.address.partition("/")[0]):
            self.send(make_error(request.xml, "service-unavailable"))
            return

        self.send(Element(f"{{{CLIENT}}}iq", {"type": "result", "id": request["id"]}))
        self._pushed(request.xml)

    def _sign_in_without_sasl(self, client: ClientXMPP) -> None:
        # By hand: slixmpp has a plugin for this, which looks for the answer before it can have come.
        bare, _, resource = self.address.partition("/")

        def answered(answer: Any) -> None:
            if answer["type"] == "result":
                client.boundjid = JID(self.address)
                client.sessionstarted = True

            client.event("session_start" if client.sessionstarted else "failed_all_auth")

        client.register_handler(Callback("signed in", MatcherId(OLD_SIGN_IN), answered, once=True))
        query = Element(f"{{{OLD_AUTHENTICATION}}}query")

        for name, text in {
            "username": bare.partition("@")[0],
            "password": self._password,
            "resource": resource,
        }.items():
            SubElement(query, f"{{{OLD_AUTHENTICATION}}}{name}").text = text

        request = Element(f"{{{CLIENT}}}iq", {"type": "set", "id": OLD_SIGN_IN})
        request.append(query)
        client.send_raw(serialize(request, CLIENT).decode())
