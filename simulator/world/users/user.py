"""A person inside the system or at a partner, and what reaches them.

Knows what every user can do and how arrivals are kept. Does not know SIP nor XMPP: each kind of user supplies that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.journal import Journal

MESSAGE, REFUSAL, ACCEPTED = "message", "refusal", "accepted"


@dataclass(frozen=True)
class Arrival:
    """One thing that reached a user."""

    entry: int
    """The number of its `delivered` entry in the journal."""
    what: str
    """``message``, ``refusal``, ``accepted``, and later ``presence``, ``subscription``, ..."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Plain JSON: from, to, body, type, id, subject, condition(s), code, text: those that there were."""


class Inbox:
    """Arrivals of one user, in order; each is recorded in the journal the moment it comes."""

    def __init__(self, journal: Journal, address: str) -> None:
        self._journal, self.address = journal, address
        self.arrivals: deque[Arrival] = deque()
        """Those that no step has taken yet."""
        self._changed = asyncio.Event()
        self._controls: dict[str, asyncio.Future[None]] = {}

    def arrived(self, what: str, **fields: Any) -> None:
        """Record an arrival (kind `delivered`) and keep it; fields that are None are left out.

        A control message (see `expect_control`) is not recorded: it only ends the wait for it.
        """
        control = self._control_of(fields)

        if control is not None:
            if not control.done():
                control.set_result(None)

            return

        kept = {name: value for name, value in fields.items() if value is not None}
        entry = self._journal.record("delivered", self.address, what=what, **kept)
        self.arrivals.append(Arrival(entry, what, kept))
        self._changed.set()

    def take(self, number: int) -> Arrival:
        """Take one of `arrivals`."""
        arrival = self.arrivals[number]
        del self.arrivals[number]

        return arrival

    async def changed(self) -> None:
        """Wait until something arrives."""
        self._changed.clear()
        await self._changed.wait()

    async def next(self, wanted: Callable[[Arrival], bool] = lambda arrival: True) -> Arrival:
        """Take the first arrival that is `wanted`, waiting for it; the caller bounds the wait."""
        while True:
            for arrival in self.arrivals:
                if wanted(arrival):
                    self.arrivals.remove(arrival)
                    return arrival

            await self.changed()

    def inherit(self, earlier: Inbox) -> None:
        """Take over what nobody took from an earlier inbox of the same person."""
        self.arrivals.extend(earlier.arrivals)

    def expect_control(self, token: str) -> asyncio.Future[None]:
        """Return a future that is done when something with `token` as its id or body reaches this user."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._controls[token] = future

        return future

    def _control_of(self, fields: dict[str, Any]) -> asyncio.Future[None] | None:
        return self._controls.get(str(fields.get("id"))) or self._controls.get(str(fields.get("body")).strip())


class User(Protocol):
    """What a step can ask of a person, whatever they speak."""

    @property
    def address(self) -> str:
        """The real bare address, ``local@domain``."""

    @property
    def inbox(self) -> Inbox:
        """What has reached them."""

    async def sign_in(self) -> None:
        """Become reachable. Raises ConnectionError when the system does not let them in."""

    async def sign_out(self) -> None:
        """Become unreachable, politely; never raises."""

    async def send_message(
        self,
        to: str,
        body: str,
        *,
        id: str,  # noqa: A002 - the attribute's name in XMPP
        type: str | None = None,  # noqa: A002
        subject: str | None = None,
        thread: str | None = None,
        language: str | None = None,
        extra: str = "",
    ) -> None:
        """Send an instant message and return when it left (not when it was answered).

        What becomes of it arrives in the inbox with the same `id`: `accepted` (SIP 2xx) or `refusal`.
        `extra` is XML that is put into the stanza; SIP users ignore it.
        """
