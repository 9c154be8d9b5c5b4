"""What the home has to tell a user's devices.

Knows what can be told. Does not know devices. All addresses are bare; a `resource` is a contact's.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.gateway.contacts.availability import Availability
from simulator.gateway.contacts.contact import Contact
from simulator.xmpp.address import Address


@dataclass(frozen=True, slots=True)
class Requested:
    """The contact asks to see the user's presence; `stanza` is the whole ``subscribe``.

    It is told again to each device that comes online, until the user has answered; then `device` is the resource of
    that one. None: to all devices.
    """

    user: Address
    contact: Address
    stanza: Element
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A request of the contact was granted in the user's name: from now on he may see the user."""

    user: Address
    contact: Address


@dataclass(frozen=True, slots=True)
class Answered:
    """The contact granted the user's request (``subscribed``), or refused or ended it (``unsubscribed``)."""

    user: Address
    contact: Address
    granted: bool


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The contact took a request back, or gave up a subscription to the user (``unsubscribe``)."""

    user: Address
    contact: Address


@dataclass(frozen=True, slots=True)
class Seen:
    """The presence of one resource of the contact; `availability` None: it is gone.

    `resource` is empty where the contact's bare address was meant, and then all its resources are gone: a Seen for each
    known one comes before. `stanza` is what the contact sent; None: the home concludes it (a link is lost, nothing was
    heard for too long). `device` None: for all devices of the user; else only for the one that the contact wrote to.
    """

    user: Address
    contact: Address
    resource: str
    availability: Availability | None
    stanza: Element | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """The contact's entry in the user's list is new or has changed (a roster push, RFC 6121 §2.1.6)."""

    user: Address
    contact: Address
    entry: Contact


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The contact is no longer on the user's list (a roster push with "remove")."""

    user: Address
    contact: Address


@dataclass(frozen=True, slots=True)
class Failed:
    """An error came for something that was sent to the contact in the user's name, or it could not be sent.

    `type` is that of the presence that failed: ``subscribe``, ``unsubscribe``, ``subscribed``, ``unsubscribed``,
    ``probe``; ``available`` and ``unavailable`` for directed presence.
    """

    user: Address
    contact: Address
    type: str
    condition: str
    text: str = ""


Notice = Requested | Granted | Answered | Withdrawn | Seen | Listed | Unlisted | Failed
