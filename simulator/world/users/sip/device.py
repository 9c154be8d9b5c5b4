"""One device of a person who speaks SIP: registered over one connection, and what the peer may ask of it.

Knows REGISTER, and whose each request is. Does not know messages nor presence: those have files of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from simulator.journal import Journal
from simulator.sip.agent import Incoming
from simulator.sip.identifiers import Identifiers
from simulator.wire.connection import open_connection
from simulator.wire.tls import TLSContext
from simulator.world.pace import bounded
from simulator.world.users.sip.dialect import Dialect
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.lync import LyncDialect
from simulator.world.users.sip.pager import Pager
from simulator.world.users.sip.person import Person
from simulator.world.users.sip.plain import PlainDialect
from simulator.world.users.sip.talk import Talks

#: seconds that the system has to take us in or to let us go
PATIENCE = 3.0
GOODBYE = 0.5

DIALECTS: dict[str, type[LyncDialect] | type[PlainDialect]] = {"lync": LyncDialect, "rfc8048": PlainDialect}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the system takes user agents in, and how."""

    host: str
    port: int
    tls: TLSContext | None = None
    server_name: str | None = None
    timeout: float = 32.0
    """Seconds for the final answer to a request."""


class Device:
    """One device; `name` becomes the ``gr`` of its Contact. Everything that comes is told to the person's inbox."""

    def __init__(self, name: str, person: Person, place: Place, journal: Journal, identifiers: Identifiers) -> None:
        self.name = name
        self._person, self._place, self._journal, self._identifiers = person, place, journal, identifiers
        self._line: Line | None = None
        self._presence: Dialect | None = None
        self._pager: Pager | None = None
        self._talks: Talks | None = None

    # -- being there

    async def sign_in(self, *, available: bool, show: str, note: str | Mapping[str, str], priority: int | None) -> None:
        """Connect and register, and begin with presence where the person uses it. Raises ConnectionError."""
        where = f"{self._place.host}:{self._place.port}"

        try:
            connection = await open_connection(
                self._place.host,
                self._place.port,
                timeout=PATIENCE,
                tls=self._place.tls,
                server_name=self._place.server_name,
                bound=bounded,
            )
        except OSError as error:
            raise ConnectionError(f"{self._person.address} cannot sign in at {where}: {error}") from None

        line = self._line = Line(
            connection,
            address=self._person.address,
            journal=self._journal,
            identifiers=self._identifiers,
            timeout=self._place.timeout,
            on_request=self._requested,
            on_cancelled=self._cancelled,
            on_closed=self._closed,
        )
        contact = self._contact(line)
        self._pager = Pager(line, self._person, self.name, self.arrived)

        if self._person.habits.sessions:
            self._talks = Talks(line, self._person, self.name, f"<{contact}>", self.arrived)

        if self._person.habits.uses_presence:
            self._presence = DIALECTS[self._person.habits.dialect](line, self._person, f"<{contact}>", self.arrived)

        code = await self._register(line, 3600, PATIENCE)

        if not 200 <= code < 300:
            line.close()
            raise ConnectionError(f"{self._person.address} cannot sign in at {where}: REGISTER got {code}")

        if self._presence is not None:
            await self._presence.open()

            if available:
                await self._presence.show(show, note, priority)

    async def sign_out(self) -> None:
        """Remove the registration and disconnect; never raises."""
        line = self._line

        if line is None:
            return

        if line.is_open:
            # What was said a moment ago may have been taken and not answered yet; a loss of the connection would make
            # a refusal of it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await line.all_answered()

            await self._register(line, 0, GOODBYE)
            line.close()

        self._closed()

    def vanish(self) -> None:
        """Lose the connection (RST) without a word."""
        if self._line is not None:
            self._line.abort()

    # -- what it can do

    @property
    def pager(self) -> Pager:
        """Messages, each by itself; raises ConnectionError."""
        if self._pager is None:
            raise ConnectionError(f"{self._person.address} is not signed in")

        return self._pager

    @property
    def talks(self) -> Talks | None:
        """Sessions of messages, where the person has them."""
        return self._talks

    @property
    def presence(self) -> Dialect:
        """Contacts and presence; raises ConnectionError."""
        if self._presence is None:
            raise ConnectionError(f"{self._person.address} is not signed in, or uses no presence")

        return self._presence

    def arrived(self, what: str, **fields: Any) -> None:
        """Tell the inbox; `device` is ours, if we have a name."""
        self._person.inbox.arrived(what, **fields, device=self.name or None)

    # -- inside

    async def _register(self, line: Line, expires: int, patience: float) -> int:
        """The code of the answer, 0 when there is none."""
        uri = self._person.uri
        headers = [
            ("To", f"<{uri}>"),
            ("From", f"<{uri}>;tag={self._identifiers.fresh()}"),
            ("Call-ID", self._identifiers.fresh()),
            ("CSeq", f"{line.next_number()} REGISTER"),
            ("Contact", f"<{self._contact(line)}>{self._abilities()}"),
            ("Expires", str(expires)),
        ]
        domain = self._person.address.rpartition("@")[2]

        try:
            async with bounded(patience):
                code, _ = await line.ask("REGISTER", f"sip:{domain}", headers)
        except (TimeoutError, ConnectionError):
            return 0

        return code

    def _contact(self, line: Line) -> str:
        user = self._person.uri.removeprefix("sip:").partition("@")[0]
        # RFC 5627 §4.3 has the registrar make GRUUs; a device that brings its own name is known by it.
        name = f";gr={quote(self.name, safe='-_.!~*()[]/:&+$')}" if self.name else ""

        return f"sip:{user}@{line.place}{name}"

    def _abilities(self) -> str:
        """What the Contact of a registration says besides (RFC 5626 §4.1, RFC 3840 §9), for those who do more than
        write messages."""
        if not (self._presence or self._talks or self.name):
            return ""

        methods = [
            "MESSAGE",
            *(self._talks.methods if self._talks else ()),
            *(self._presence.methods if self._presence else ()),
        ]
        instance = uuid.uuid5(uuid.NAMESPACE_URL, f"{self._person.uri};{self.name}")

        return f';methods="{", ".join(methods)}";+sip.instance="<urn:uuid:{instance}>"'

    def _requested(self, incoming: Incoming) -> None:
        if self._talks is not None and self._talks.serves(incoming):
            return

        if self._presence is not None and self._presence.serves(incoming):
            return

        if self._pager is not None:
            self._pager.take(incoming)

    def _cancelled(self, incoming: Incoming) -> None:
        if self._talks is not None:
            self._talks.cancelled(incoming)

    def _closed(self) -> None:
        if self._presence is not None:
            self._presence.close()

        if self._talks is not None:
            self._talks.close()
