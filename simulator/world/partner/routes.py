"""How stanzas of a partner's users leave: one verified stream per pair of domains, dialled when it is needed.

Knows the initiating server of XEP-0220. Does not know who the users are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol
from xml.etree.ElementTree import Element

from simulator.world.pace import bounded
from simulator.world.partner import negotiating
from simulator.world.partner.automation import domain_of
from simulator.world.partner.negotiating import Refused, authenticate
from simulator.world.partner.sasl import BEFORE_RESET
from simulator.world.partner.stream import PartnerStream
from simulator.xmpp.element import serialize

Pair = tuple[str, str]

#: Seconds from the first stanza of a pair until its stream must be verified.
ESTABLISHMENT_TIMEOUT = 10.0


class Origin(negotiating.Origin, Protocol):
    """What the routes need of their partner."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside, cancelled when the partner stops."""

    def returned(self, stanza: Element, condition: str) -> None:
        """A stanza could not leave."""

    async def dial_route(self, sender: str, to: str) -> PartnerStream:
        """Open a stream for a pair; raises OSError."""


class Routes:
    """Queues and streams by pair (own domain, remote domain)."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._streams: dict[Pair, PartnerStream] = {}
        self._queues: dict[Pair, list[Element]] = {}
        self._flushed = asyncio.Event()

    @property
    def streams(self) -> list[PartnerStream]:
        """The streams on which stanzas leave."""
        return list(dict.fromkeys(self._streams.values()))

    async def flushed(self) -> None:
        """Wait until nothing waits for a stream any more: it has left, or has come back."""
        while self._queues:
            self._flushed.clear()
            await self._flushed.wait()

    def use(self, pair: Pair, stream: PartnerStream) -> None:
        """From now on, stanzas of this pair leave on `stream`, which is verified for it."""
        self._streams[pair] = stream

    def send(self, stanza: Element) -> None:
        """Send a stanza now, or once a stream for its pair is verified."""
        pair = domain_of(stanza.get("from", "")), domain_of(stanza.get("to", ""))
        stream = self._streams.get(pair)

        if stream and not stream.connection.closed and pair in stream.verified:
            _say(stream, stanza)
        elif pair in self._queues:
            self._queues[pair].append(stanza)
        else:
            # XEP-0220 §2.1.1: stanzas are queued until the receiving server has said valid.
            self._queues[pair] = [stanza]
            self._origin.spawn(self._establish(pair))

    async def _establish(self, pair: Pair) -> None:
        condition = "remote-server-timeout"

        try:
            async with bounded(ESTABLISHMENT_TIMEOUT):
                stream = await self._origin.dial_route(*pair)
                await authenticate(self._origin, stream, *pair)
                condition = ""
        except Refused as refused:
            # XEP-0220 §2.1.1: what becomes of stanzas whose key was called invalid.
            if refused.at == "dialback" and refused.condition == "invalid":
                condition = "internal-server-error"
        except (OSError, TimeoutError):
            pass

        queue = self._queues.pop(pair)
        self._flushed.set()

        if condition:
            for stanza in queue:
                self._origin.returned(stanza, condition)
            return

        self._streams[pair] = stream

        for stanza in queue:
            _say(stream, stanza)


def _say(stream: PartnerStream, stanza: Element) -> None:
    text = serialize(stanza).decode()

    if not stream.behaviour.vanishes:
        stream.send_xml(text)
        return

    stream.send_xml(text[: len(text) // 2])
    asyncio.get_running_loop().call_later(BEFORE_RESET, stream.drop, "reset")
