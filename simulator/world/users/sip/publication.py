"""What one device publishes about itself (RFC 3903), and keeps published.

Knows entity-tags and durations. Does not know what a document says.
"""

from __future__ import annotations

import asyncio

from simulator.sip import pidf
from simulator.sip.message import Response
from simulator.sip.pidf import Presence, write_presence
from simulator.world.users.sip.line import Line
from simulator.world.users.sip.subscriptions import EXPIRES, PART


class Publication:
    """The publication of one device."""

    def __init__(self, line: Line, own_uri: str) -> None:
        self._line, self._own_uri = line, own_uri
        self._tag = ""
        self._timer: asyncio.TimerHandle | None = None

    async def show(self, document: Presence | bytes) -> tuple[int, Response | None]:
        """Publish a document in place of the one before; returns the final answer. Raises ConnectionError.

        Bytes are published as they are.
        """
        code, response = await self._ask(document)

        if code == 412 and self._tag:
            # §4.1: the tag is known no longer: "the EPA MUST NOT reattempt the PUBLISH" with it, but begins again.
            self._tag = ""
            code, response = await self._ask(document)

        self._answered(code, response)

        return code, response

    def forget(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- inside

    async def _ask(self, document: Presence | bytes) -> tuple[int, Response | None]:
        headers, body = self._request(document)

        return await self._line.ask("PUBLISH", self._own_uri, headers, body=body)

    def _request(self, document: Presence | bytes | None) -> tuple[list[tuple[str, str]], bytes]:
        identifiers = self._line.identifiers
        headers = [
            ("To", f"<{self._own_uri}>"),
            ("From", f"<{self._own_uri}>;tag={identifiers.fresh()}"),
            ("Call-ID", identifiers.fresh()),
            ("CSeq", f"{self._line.next_number()} PUBLISH"),
            ("Event", "presence"),
            ("Expires", str(EXPIRES)),
            *([("SIP-If-Match", self._tag)] if self._tag else []),
        ]

        if document is None:
            return headers, b""

        body = document if isinstance(document, bytes) else write_presence(document)

        return [*headers, ("Content-Type", pidf.MEDIA_TYPE)], body

    def _answered(self, code: int, response: Response | None) -> None:
        self.forget()

        if response is None or not 200 <= code < 300:
            return

        self._tag = response.header("sip-etag") or ""
        granted = response.integer("expires") or EXPIRES
        self._timer = asyncio.get_running_loop().call_later(granted * PART, self._renew)

    def _renew(self) -> None:
        """§4.1: a refresh has no body."""
        self._timer = None

        if self._line.is_open:
            headers, _ = self._request(None)
            self._line.send("PUBLISH", self._own_uri, headers, self._answered)
