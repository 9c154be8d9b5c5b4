"""Looks again at the certificate of a peer while the stream that rests on it lives (RFC 6120 §13.7.2.3).

Knows when to look and whom to ask. Does not know what the stream is for; every decision is in `rules`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from simulator.gateway.edge.attending import attended
from simulator.gateway.edge.channel import Channel
from simulator.gateway.edge.context import Context
from simulator.wire.tls import TLSInfo
from simulator.xmpp.errors import StreamCondition


class CertificateWatch:
    """Watches one stream from `begin` on; `end` is called, once, when its certificate is good no longer."""

    def __init__(self, context: Context, channel: Channel, end: Callable[[StreamCondition, str], None]) -> None:
        self._context, self._channel, self._end = context, channel, end
        self._watching: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """The stream rests on the peer's certificate from now on; saying so again changes nothing."""
        info = self._channel.connection.tls

        if info is not None and self._watching is None:
            self._watching = attended(self._watch(info), self._context.log, self._mistaken)

    def stop(self) -> None:
        """The stream has ended."""
        if self._watching is not None:
            self._watching.cancel()

    def _mistaken(self) -> None:
        # Nobody knows any more whether it is good.
        self._end(StreamCondition.RESET, "the certificate could not be looked at again")

    async def _watch(self, info: TLSInfo) -> None:
        interval = self._context.configuration.edge.certificate_check_interval
        rules, expiry = self._context.rules.negotiation, self._context.rules.trust.expiry(info)

        while True:
            lasts = None if expiry is None else (expiry - datetime.now(UTC)).total_seconds()
            pause = rules.next_look(interval, lasts)

            if pause is None:
                return

            await asyncio.sleep(pause)
            reasons = await self._reasons(info, expiry)
            condition = rules.end_of_trust(reasons)

            if condition is not None:
                self._end(condition, "; ".join(reasons))
                return

    async def _reasons(self, info: TLSInfo, expiry: datetime | None) -> tuple[str, ...]:
        rules = self._context.rules.negotiation

        if rules.is_over(expiry, datetime.now(UTC)):
            return ("the certificate, or one above it, has expired",)

        return await self._context.credentials.revoked(info) if rules.lists_are_asked_again() else ()
