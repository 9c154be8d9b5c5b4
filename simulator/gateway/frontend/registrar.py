"""Who is registered, and where (RFC 3261 §10): a binding is a Contact and the connection it came over.

Knows bindings and their expiry, with `now` as an argument. Does not know connections: a flow is anything.
The connection stands for the user agent in the spirit of RFC 5626: requests go back over it, whatever host the Contact
names, and bindings end with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from simulator.sip.errors import SIPError, SIPSyntaxError
from simulator.sip.message import Request
from simulator.sip.uri import NameAddress, parse_name_address, parse_uri
from simulator.xmpp.address import Address

Flow = TypeVar("Flow")

#: seconds (RFC 3261 §10.2.1.1: the registrar chooses when the user agent does not say)
DEFAULT_EXPIRES = 3600
LONGEST_EXPIRES = 86400
#: devices of one user
MOST_BINDINGS = 20


class TooManyBindings(SIPError):  # noqa: N818 - says what is the matter
    """One user registers more devices than anybody has."""

    code = 403


@dataclass(frozen=True, slots=True)
class Binding(Generic[Flow]):
    """One registered device of one user."""

    contact: str
    """The Contact as written: what a request is sent to (RFC 3261 §19.1.4 compares escapes)."""
    flow: Flow
    expires: float
    """In the terms of `now`."""
    resource: str
    """The resource on the XMPP side: the ``gr`` parameter, or else a short name made of `device`."""
    device: str
    """What makes a new Contact replace an old one: ``+sip.instance`` and ``reg-id`` (RFC 5626 §6), or the URI."""
    has_gruu: bool = False
    """Whether `resource` is a ``gr`` parameter."""
    methods: frozenset[str] = frozenset()
    """The methods that the device says it understands (RFC 3840 §10.1, RFC 3841); empty where it says nothing."""


class Registrar(Generic[Flow]):
    """All bindings, by bare address.

    `on_gone` hears of every device that is no longer registered, `on_new` of every one that is now, or is now behind
    another connection: of these when `announce` is called, for a device wants its 200 first.
    """

    def __init__(self) -> None:
        self._bindings: dict[Address, list[Binding[Flow]]] = {}
        self.on_gone: Callable[[Address, Binding[Flow]], None] = lambda user, binding: None
        self.on_new: Callable[[Address, Binding[Flow]], None] = lambda user, binding: None
        self._unannounced: list[tuple[Address, Binding[Flow]]] = []

    def __len__(self) -> int:
        return len(self._bindings)

    def bindings(self, user: Address) -> list[Binding[Flow]]:
        """The devices of a user (bare address)."""
        return self._bindings.get(user, [])

    def register(self, user: Address, request: Request, flow: Flow, now: float) -> list[tuple[str, str]]:
        """Carry out a REGISTER for `user` and give the Contact headers of its 200 (RFC 3261 §10.3 steps 6 to 8).

        Raises SIPError; then nothing has changed ("either all binding updates MUST succeed or all MUST fail").
        """
        contacts = request.values("contact")
        found = [each for each in self.bindings(user) if each.expires > now]

        if "*" in contacts:
            # §10.3 step 6: a "*" must stand alone, with an expiration of zero.
            if len(contacts) != 1 or request.integer("expires") != 0:
                raise SIPSyntaxError("Contact: * needs Expires: 0 and no other contact")

            found = []

        for value in contacts:
            if value != "*":
                found = _updated(found, value, request, flow, now)

        if len(found) > MOST_BINDINGS:
            raise TooManyBindings("too many contacts")

        self._set(user, found)

        return [("Contact", f"<{each.contact}>;expires={max(1, round(each.expires - now))}") for each in found]

    def announce(self) -> None:
        """Tell `on_new` of what was registered since the last time."""
        announced, self._unannounced = self._unannounced, []

        for user, binding in announced:
            if binding in self.bindings(user):
                self.on_new(user, binding)

    def forget_flow(self, flow: Flow) -> list[Address]:
        """The connection is gone: remove its bindings; gives the users whom nobody can reach any more."""
        return self._keep(lambda each: each.flow is not flow)

    def forget_users(self, exists: Callable[[Address], bool]) -> None:
        """Remove the bindings of everybody who does not exist any more."""
        for user in tuple(self._bindings):
            if not exists(user):
                self._set(user, [])

    def expire(self, now: float) -> list[Address]:
        """Remove what has run out; gives the users whom nobody can reach any more."""
        return self._keep(lambda each: each.expires > now)

    def _keep(self, wanted: Callable[[Binding[Flow]], bool]) -> list[Address]:
        gone = []

        for user, found in tuple(self._bindings.items()):
            self._set(user, [each for each in found if wanted(each)])

            if user not in self._bindings:
                gone.append(user)

        return gone

    def _set(self, user: Address, found: list[Binding[Flow]]) -> None:
        before = {each.device: each for each in self.bindings(user)}

        if found:
            self._bindings[user] = found
        else:
            self._bindings.pop(user, None)

        for each in found:
            old = before.pop(each.device, None)

            if old is None or old.flow is not each.flow:
                self._unannounced.append((user, each))

        for each in before.values():
            self.on_gone(user, each)


def _updated(found: list[Binding[Flow]], value: str, request: Request, flow: Flow, now: float) -> list[Binding[Flow]]:
    contact = parse_name_address(value)
    uri = parse_uri(contact.uri)
    device = _device(contact)
    others = [each for each in found if each.device != device]
    seconds = _seconds(contact, request)

    if seconds == 0:
        return others

    gruu = uri.parameters.get("gr") or ""

    return [
        *others,
        Binding(contact.uri, flow, now + seconds, gruu or _short_name(device), device, bool(gruu), _methods(contact)),
    ]


def _short_name(device: str) -> str:
    """A resource for a device that names none: always the same one, and it tells nobody outside about the device."""
    return hashlib.sha256(device.encode()).hexdigest()[:8]


def _methods(contact: NameAddress) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z]+", contact.parameter("methods") or ""))


def _device(contact: NameAddress) -> str:
    instance = contact.parameter("+sip.instance")

    return f"{instance} {contact.parameter('reg-id') or ''}" if instance else contact.uri


def _seconds(contact: NameAddress, request: Request) -> int:
    """RFC 3261 §10.2.1.1: the contact's own expires, or else the Expires header, or else our default."""
    own = contact.parameter("expires")

    # §10.3 step 7: an expires parameter that is malformed counts as 3600.
    if own is not None:
        seconds = int(own) if own.isdigit() and len(own) < 10 else DEFAULT_EXPIRES
    else:
        header = request.integer("expires")
        seconds = DEFAULT_EXPIRES if header is None else header

    return min(seconds, LONGEST_EXPIRES)
