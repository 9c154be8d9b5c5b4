"""A person on an XMPP server: what they do as stanzas and requests of their sessions, what came as arrivals.

Knows RFC 6121 as a client has it, and blocking (XEP-0191). Does not know which server it talks to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from simulator.journal import Journal
from simulator.world.pace import bounded
from simulator.world.users.stanza import arrival, chat_state, message, presence
from simulator.world.users.user import ACCEPTED, CONTACT, PRESENCE, SUBSCRIPTION, UNAVAILABLE, Inbox, Unable
from simulator.world.users.xmpp_session import PATIENCE, Session
from simulator.xmpp.namespaces import CLIENT

RESOURCE = "simulator"
"""Of the device without a name."""
ROSTER, BLOCKING = "jabber:iq:roster", "urn:xmpp:blocking"
OWN = "a presence of the user's own account"
#: RFC 6120 §8.4: how a server says that it has no such thing.
_UNKNOWN = {"feature-not-implemented", "service-unavailable"}


class XMPPUser:
    """One account of one server; `address` is bare. Raises PermissionError off loopback.

    Without `sasl` it signs in as clients did before (XEP-0078), for a server that has none. Without
    `uses_presence` it has no list and does not look at what others show: only the server knows that it is available.
    """

    def __init__(
        self,
        address: str,
        password: str,
        host: str,
        port: int,
        journal: Journal,
        *,
        sasl: bool = True,
        uses_presence: bool = False,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise PermissionError(f"{host} is not on loopback: users contact nobody else")

        self.address = address
        self.inbox = Inbox(journal, address)
        self.uses_presence = uses_presence
        self._password, self._host, self._port, self._sasl = password, host, port, sasl
        self._sessions: dict[str, Session] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self._asking: set[str] = set()
        self._numbers = itertools.count(1)

    # -- being there

    async def sign_in(
        self,
        device: str = "",
        *,
        available: bool = True,
        show: str = "",
        note: str | Mapping[str, str] = "",
        priority: int | None = None,
    ) -> None:
        """Log in; returns when the server has taken note of our presence. Raises ConnectionError."""
        if device in self._sessions:
            await self._close(device)

        session = self._sessions[device] = self._make_session(device)

        try:
            async with bounded(PATIENCE):
                problem = await session.open()

                if not problem and self.uses_presence:
                    # RFC 6121 §2.2: who has asked for the roster is told of its changes.
                    await session.ask("get", Element(f"{{{ROSTER}}}query"))

                if not problem and available:
                    session.send(presence(CLIENT, show=show, note=note, priority=priority))
                    await session.echo()
        except TimeoutError:
            problem = f"no answer within {PATIENCE:g} s"
        except BaseException:
            await self._close(device)
            raise

        if problem:
            await self._close(device)
            raise ConnectionError(f"{self.address} cannot sign in at {self._host}:{self._port}: {problem}")

    async def sign_out(self, device: str = "") -> None:
        """Close the stream and leave no task behind; never raises."""
        for task in tuple(self._answers):
            task.cancel()

        await asyncio.gather(*self._answers, return_exceptions=True)

        for name in [device] if device else list(self._sessions):
            await self._close(name)

    def vanish(self, device: str = "") -> None:
        """Lose the connection (RST) without a word."""
        for name in [device] if device else list(self._sessions):
            if name in self._sessions:
                self._sessions[name].vanish()

    # -- messages

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
        device: str = "",
    ) -> None:
        """Send a message; once the server has answered a later request, the inbox gets ``accepted``."""
        session = self._session(device)
        session.send(
            message(
                CLIENT,
                to=to,
                body=body,
                id=id,
                type=type,
                subject=subject,
                thread=thread,
                language=language,
                extra=extra,
            )
        )
        task = asyncio.get_running_loop().create_task(self._confirm(session, id, device))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def send_state(self, to: str, state: str, *, device: str = "") -> None:
        """Send a chat state alone (XEP-0085)."""
        self._session(device).send(chat_state(CLIENT, to=to, state=state, id=self._fresh("state")))

    # -- contacts

    async def add_contact(
        self, contact: str, *, name: str | None = None, groups: Sequence[str] = (), device: str = ""
    ) -> None:
        """RFC 6121 §3.1.2: a client should set the contact in the roster before it asks."""
        bare = contact.partition("/")[0]
        item = Element(f"{{{ROSTER}}}item", {"jid": bare, **({"name": name} if name is not None else {})})

        for group in groups:
            SubElement(item, f"{{{ROSTER}}}group").text = group

        if await self._set_roster(item, device):
            await self._say("subscribe", contact, device)

    async def remove_contact(self, contact: str, *, device: str = "") -> None:
        """RFC 6121 §2.5: the server ends both subscriptions by itself."""
        await self._set_roster(Element(f"{{{ROSTER}}}item", {"jid": contact, "subscription": "remove"}), device)

    async def accept(self, contact: str, *, device: str = "") -> None:
        """Send ``subscribed``."""
        await self._say("subscribed", contact, device)

    async def refuse(self, contact: str, *, device: str = "") -> None:
        """Send ``unsubscribed``."""
        await self._say("unsubscribed", contact, device)

    async def unsubscribe(self, contact: str, *, device: str = "") -> None:
        """Send ``unsubscribe``."""
        await self._say("unsubscribe", contact, device)

    async def cancel(self, contact: str, *, device: str = "") -> None:
        """Send ``unsubscribed``."""
        await self._say("unsubscribed", contact, device)

    async def block(self, contact: str, *, device: str = "") -> None:
        """XEP-0191 §3.3."""
        await self._set_blocking("block", contact, device)

    async def unblock(self, contact: str, *, device: str = "") -> None:
        """XEP-0191 §3.4."""
        await self._set_blocking("unblock", contact, device)

    async def contact_list(self, *, device: str = "") -> dict[str, dict[str, Any]]:
        """Ask for the roster; who asks and has no answer is known from what arrived (RFC 6121 §3.1.3: the server must
        not show them in it)."""
        answer, _ = await self._session(device).ask("get", Element(f"{{{ROSTER}}}query"))
        items = [] if answer is None else answer.findall(f"{{{ROSTER}}}query/{{{ROSTER}}}item")
        entries = {item.get("jid", ""): _entry(item) for item in items}

        for contact in self._asking:
            entries.setdefault(contact, {})["pending"] = True

        return entries

    # -- presence

    async def set_presence(
        self,
        *,
        show: str = "",
        note: str | Mapping[str, str] = "",
        priority: int | None = None,
        extra: str = "",
        device: str = "",
    ) -> None:
        """Broadcast presence (RFC 6121 §4.4)."""
        identifier = self._fresh("presence")
        stanza = presence(CLIENT, id=identifier, show=show, note=note, priority=priority, extra=extra)
        await self._show(stanza, device)

    async def set_unavailable(self, *, note: str | Mapping[str, str] = "", device: str = "") -> None:
        """Broadcast unavailable presence, and keep the session (RFC 6121 §4.5)."""
        await self._show(presence(CLIENT, type=UNAVAILABLE, note=note), device)

    async def direct_presence(
        self, to: str, *, show: str | None = "", note: str | Mapping[str, str] = "", device: str = ""
    ) -> None:
        """Send presence to one address."""
        kind = UNAVAILABLE if show is None else None
        identifier = self._fresh("direct")
        await self._show(presence(CLIENT, type=kind, to=to, id=identifier, show=show or "", note=note), device)

    async def probe(self, contact: str, *, device: str = "") -> None:
        """RFC 6121 §4.3.1: a probe is a server's: clients have none."""
        raise Unable("sip")

    # -- inside

    def _session(self, device: str) -> Session:
        name = device or next(iter(self._sessions), "")

        if name not in self._sessions:
            raise ConnectionError(f"{self.address}{'/' if device else ''}{device} is not signed in")

        return self._sessions[name]

    def _make_session(self, device: str) -> Session:
        return Session(
            f"{self.address}/{device or RESOURCE}",
            self._password,
            self._host,
            self._port,
            sasl=self._sasl,
            arrived=lambda stanza: self._arrived(device, stanza),
            pushed=lambda request: self._pushed(device, request),
        )

    async def _close(self, device: str) -> None:
        session = self._sessions.pop(device, None)

        if session is not None:
            await session.close()

    async def _confirm(self, session: Session, message_id: str, device: str) -> None:
        if await session.echo():
            self.inbox.arrived(ACCEPTED, id=message_id, device=device or None)

    async def _say(self, kind: str, contact: str, device: str) -> None:
        if kind in ("subscribed", "unsubscribed"):
            self._asking.discard(contact)

        await self._show(presence(CLIENT, type=kind, to=contact, id=self._fresh(kind)), device)

    async def _show(self, stanza: Element, device: str) -> None:
        session = self._session(device)
        session.send(stanza)
        await session.echo()

    async def _set_roster(self, item: Element, device: str) -> bool:
        query = Element(f"{{{ROSTER}}}query")
        query.append(item)

        return await self._set(query, device)

    async def _set_blocking(self, what: str, contact: str, device: str) -> None:
        request = Element(f"{{{BLOCKING}}}{what}")
        SubElement(request, f"{{{BLOCKING}}}item", {"jid": contact})
        await self._set(request, device, capability="blocking")

    async def _set(self, payload: Element, device: str, capability: str = "") -> bool:
        """Whether the server did it; what it refuses is an arrival. Raises Unable where it has no `capability`."""
        answer, done = await self._session(device).ask("set", payload)

        if done:
            return True

        if answer is None:
            raise ConnectionError(f"{self._host} does not answer {self.address}")

        what, fields = arrival(answer)

        if capability and _UNKNOWN.intersection(fields["conditions"]):
            raise Unable(capability)

        self.inbox.arrived(what, **fields, device=device or None)

        return False

    def _arrived(self, device: str, stanza: Element) -> None:
        what, fields = arrival(stanza)
        sender = str(fields.get("from") or self.address).partition("/")[0].lower()

        if not self.uses_presence and not stanza.tag.endswith("}message"):
            return

        if what == PRESENCE and sender == self.address.lower():
            # RFC 6121 §4.2.2: the server tells all resources, "including the resource that generated" it.
            self.inbox.dealt_with(what, OWN, **fields, device=device or None)
            return

        if what == SUBSCRIPTION and fields["type"] == "subscribe":
            self._asking.add(sender)
        elif what == SUBSCRIPTION and fields["type"] == "unsubscribe":
            self._asking.discard(sender)

        self.inbox.arrived(what, **fields, device=device or None)

    def _pushed(self, device: str, request: Element) -> None:
        """Only changes of the list matter to somebody: what is blocked, they have blocked themselves."""
        for item in request.findall(f"{{{ROSTER}}}query/{{{ROSTER}}}item") if self.uses_presence else ():
            self.inbox.arrived(CONTACT, contact=item.get("jid"), **_entry(item), device=device or None)

    def _fresh(self, what: str) -> str:
        return f"{what}-{next(self._numbers)}"


def _entry(item: Element) -> dict[str, Any]:
    groups = [group.text or "" for group in item.findall(f"{{{ROSTER}}}group")]
    attributes = {name: item.get(name) for name in ("ask", "name", "approved")}

    return {
        # RFC 6121 §2.1.2.5: none is what an absent attribute means.
        "subscription": item.get("subscription", "none"),
        **{name: value for name, value in attributes.items() if value is not None},
        **({"groups": groups} if groups else {}),
    }
