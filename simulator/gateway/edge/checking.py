"""Checks whether the peers of streams are still there, by white space and by pings (RFC 6120 §4.6, XEP-0199).

Knows clocks and when to look. Does not know what a look means, which is `liveness`, nor what a stream is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

from simulator.gateway.edge.admission import Pair
from simulator.gateway.edge.channel import Channel
from simulator.gateway.edge.context import Context
from simulator.gateway.edge.liveness import Finding, Pulse
from simulator.xmpp.events import Stanza
from simulator.xmpp.namespaces import SERVER

IQ = f"{{{SERVER}}}iq"
_PING = "{urn:xmpp:ping}ping"


class StreamCheck:
    """Checks one stream from `begin` until `stop`. A dead connection is thrown away.

    Where `pair` gives domains, ours first, a quiet stream is pinged in their names, too; `broken` is called when
    nobody answers.
    """

    def __init__(
        self,
        context: Context,
        channel: Channel,
        pair: Callable[[], Pair | None] = lambda: None,
        broken: Callable[[], None] = lambda: None,
    ) -> None:
        self._context, self._channel, self._rules = context, channel, context.rules
        self._pair, self._broken = pair, broken
        self._loop = asyncio.get_running_loop()
        self._pulse: Pulse | None = None
        self._asked = ""

    def begin(self) -> None:
        """Both sides may send white space from now on; saying so again changes nothing."""
        if self._pulse is not None:
            return

        settings = self._context.configuration.edge
        self._pulse = Pulse(
            interval=self._rules.check_interval(settings),
            timeout=self._rules.check_timeout(settings),
            checked_at=self._loop.time(),
            is_progress=self._rules.is_progress,
        )
        self._channel.regularly(self._pulse.period, self._look)

    def stop(self) -> None:
        """The stream is over: whether a ping is answered is of no interest any more."""
        self._context.pings.pop(self._asked, None)

    def _look(self) -> None:
        assert self._pulse is not None
        channel, sent = self._channel, self._channel.connection.sent
        finding = self._pulse.look(
            self._loop.time(),
            active_at=max(channel.heard, channel.spoke),
            written=sent.written,
            acknowledged=sent.acknowledged,
        )

        if finding is Finding.DEAD:
            # RFC 6120 §4.6.1: "it is appropriate instead to simply terminate the TCP connection".
            channel.give_up("the peer's TCP acknowledges nothing")
        elif finding is Finding.QUIET:
            self._check()

    def _check(self) -> None:
        pair = self._pair() if self._rules.pings(self._context.configuration.edge) else None

        if pair is None:
            self._channel.fill(self._rules.check_text())
        elif self._asked not in self._context.pings:
            self._ping(*pair)

    def _ping(self, sender: str, to: str) -> None:
        """The answer comes back on a stream of the peer's own (RFC 6120 §4.6, implementation note)."""
        identifier = self._asked = self._context.random_text()
        ping = Element(IQ, {"from": sender, "to": to, "type": "get", "id": identifier})
        SubElement(ping, _PING)
        self._context.pings[identifier] = (sender, to)
        self._channel.send(Stanza(element=ping), counts=False)
        timeout = self._rules.check_timeout(self._context.configuration.edge)
        self._channel.at_latest(timeout, lambda: self._look_for_answer(identifier))

    def _look_for_answer(self, identifier: str) -> None:
        if self._context.pings.pop(identifier, None) is not None:
            self._broken()


def answers_ping(context: Context, stanza: Element) -> bool:
    """Whether a stanza of a partner answers a ping of ours, and is for nobody else."""
    identifier = stanza.get("id", "")
    pair = context.pings.get(identifier)

    if stanza.tag != IQ or pair is None or context.rules.pair_of_stanza(stanza.get("to"), stanza.get("from")) != pair:
        return False

    if context.rules.is_sign_of_life(stanza.get("type")):
        del context.pings[identifier]

    return True
