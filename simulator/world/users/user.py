"""A person inside the system or at a partner, and what reaches them.

Knows what every user can do and how arrivals are kept. Does not know SIP nor XMPP: each kind of user supplies that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.journal import Journal

MESSAGE, REFUSAL, ACCEPTED = "message", "refusal", "accepted"
PRESENCE, SUBSCRIPTION, CONTACT, COMPOSING = "presence", "subscription", "contact", "composing"
#: How a presence without a type is called, and what it ends with.
AVAILABLE, UNAVAILABLE, PROBE = "available", "unavailable", "probe"

#: What arrives, and its fields beside `device`, `id`, `xml` (of users who speak XMPP) and `to`; those that there were.
ARRIVALS: Mapping[str, str] = {
    MESSAGE: "from, body, type, subject, thread, xml:lang, content-type",
    REFUSAL: "id, conditions, type, code, text, from: the error that answers what the user sent",
    ACCEPTED: "id, code: what the user sent was taken",
    PRESENCE: "from, type (available, unavailable, probe), show, status, priority, notes (by language)",
    SUBSCRIPTION: "from, type (subscribe, subscribed, unsubscribe, unsubscribed), status",
    CONTACT: "contact, subscription (none, to, from, both, remove), ask, name, groups: a change of the list",
    COMPOSING: "from, state (active, composing, paused, inactive, gone), thread",
}


class Unable(Exception):  # noqa: N818 - says what the user is
    """This user, or the system they live on, cannot do that at all; the text is the capability that is missing."""


@dataclass(frozen=True)
class Arrival:
    """One thing that reached a user."""

    entry: int
    """The number of its `delivered` entry in the journal."""
    what: str
    """A key of `ARRIVALS`."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Plain JSON, as `ARRIVALS` says; and `device` where a named device of the user's got it."""


class Inbox:
    """Arrivals of one user, in order; each is recorded in the journal the moment it comes."""

    def __init__(self, journal: Journal, address: str) -> None:
        self._journal, self.address = journal, address
        self.arrivals: deque[Arrival] = deque()
        """Those that no step has taken yet."""
        self._changed = asyncio.Event()
        self._controls: dict[str, asyncio.Future[None]] = {}
        self._controllers: set[str] = set()

    def arrived(self, what: str, **fields: Any) -> None:
        """Record an arrival (kind `delivered`) and keep it; fields that are None are left out.

        A control message (see `expect_control`) is not recorded: it only ends the wait for it. Nor is what its sender
        tells of the conversation, such as that a session is over that the message has opened on several devices.
        """
        control = self._control_of(fields)

        sender = str(fields.get("from"))

        if control is not None:
            self._controllers.add(sender)

            if not control.done():
                control.set_result(None)

            return

        if what == COMPOSING and sender in self._controllers:
            return

        kept = {name: value for name, value in fields.items() if value is not None}
        entry = self._journal.record("delivered", self.address, what=what, **kept)
        self.arrivals.append(Arrival(entry, what, kept))
        self._changed.set()

    def dealt_with(self, what: str, handled: str, **fields: Any) -> None:
        """Record what the user's own software deals with by itself; `handled` says how. No step needs to take it."""
        kept = {name: value for name, value in fields.items() if value is not None}
        self._journal.record("delivered", self.address, what=what, handled=handled, **kept)

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
    """What a step can ask of a person, whatever they speak.

    A person may be there on several devices, each with a name: the resource of its address in XMPP, its `gr` in SIP.
    Without a name the first one is meant that is signed in; what comes to it bears no `device`.

    What a user does raises ConnectionError when the device it is done on is not signed in, and Unable when this kind of
    user, or the system, cannot do it. It returns when it left, or when the user's own system has taken it where that
    answers; what is refused arrives as `refusal`. Contacts are bare addresses.
    """

    @property
    def address(self) -> str:
        """The real bare address, ``local@domain``."""

    @property
    def inbox(self) -> Inbox:
        """What has reached them, on whichever device."""

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
        """Become reachable, again if they were, and available as `set_presence` would have it.

        Not `available`: signed in without any presence. Raises ConnectionError when the system does not let them in.
        """

    async def sign_out(self, device: str = "") -> None:
        """Become unreachable, politely; without a name on every device. Never raises."""

    def vanish(self, device: str = "") -> None:
        """Lose the connection without a word; without a name on every device."""

    # -- messages

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
        device: str = "",
    ) -> None:
        """Send an instant message and return when it left (not when it was answered).

        What becomes of it arrives in the inbox with the same `id`: `accepted` (SIP 2xx) or `refusal`.
        `extra` is XML that is put into the stanza; SIP users ignore it.
        """

    async def send_state(self, to: str, state: str, *, device: str = "") -> None:
        """Say how far a conversation is: active, composing, paused, inactive or gone (XEP-0085, RFC 3994).

        ``gone`` ends a session, where there is one.
        """

    # -- contacts

    async def add_contact(
        self, contact: str, *, name: str | None = None, groups: Sequence[str] = (), device: str = ""
    ) -> None:
        """Put somebody on the contact list and ask to see their presence."""

    async def remove_contact(self, contact: str, *, device: str = "") -> None:
        """Take somebody off the list, which ends what either may see of the other."""

    async def accept(self, contact: str, *, device: str = "") -> None:
        """Let somebody see our presence; before they ask, it is a pre-approval (RFC 6121 §3.4)."""

    async def refuse(self, contact: str, *, device: str = "") -> None:
        """Answer a request with no."""

    async def unsubscribe(self, contact: str, *, device: str = "") -> None:
        """See somebody's presence no longer; they stay on the list."""

    async def cancel(self, contact: str, *, device: str = "") -> None:
        """Take back what was granted: they see our presence no longer."""

    async def block(self, contact: str, *, device: str = "") -> None:
        """Hear nothing from somebody, and be unseen by them."""

    async def unblock(self, contact: str, *, device: str = "") -> None:
        """Take that back."""

    async def contact_list(self, *, device: str = "") -> dict[str, dict[str, Any]]:
        """Ask the system for the list: bare address -> `subscription` (none, to, from, both), `ask` (subscribe, or
        absent), `name`, `groups`, `pending` (true: they ask, and have no answer). Those that there are: who only asks,
        and is not on the list, has nothing but `pending`."""

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
        """Be seen as available, with `show` (away, chat, dnd, xa, or empty) and a note, or one for each language.

        `extra` is XML that is put into the stanza; in SIP it is the whole document (PIDF), in place of all the rest.
        """

    async def set_unavailable(self, *, note: str | Mapping[str, str] = "", device: str = "") -> None:
        """Be seen as unavailable, and stay signed in."""

    async def direct_presence(
        self, to: str, *, show: str | None = "", note: str | Mapping[str, str] = "", device: str = ""
    ) -> None:
        """Show presence to one address, on the list or not (RFC 6121 §4.6); `show` None: be unavailable to it."""

    async def probe(self, contact: str, *, device: str = "") -> None:
        """Ask for somebody's presence once (a probe; in SIP, a SUBSCRIBE that expires at once)."""
