"""Who may see and send what, in short: RFC 6121 §2 to §4 and §11, XEP-0191 §3, and what the documents say of partners.

Knows two sides of a subscription as four plain truths, the gates as one, and the types of partners as a table of words.
Takes nothing from the gateway: what is asked here is what the gateway should have decided.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

FEDERATED, VERIFIED, UNVERIFIED = "Federated", "PublicVerified", "PublicUnverified"

#: "Configure XMPP gateway on Lync Server 2013": type -> what its users may do to whoever has not added them, and has
MAY = {
    FEDERATED: ("subscribe see message note", "subscribe see message note"),
    VERIFIED: ("subscribe see message", "subscribe see message"),
    UNVERIFIED: ("", "subscribe see message"),
}

#: the nine states of RFC 6121 §A.1: whether the user sees, asks, is seen, is asked
STATES = {
    "N": (False, False, False, False),
    "NPO": (False, True, False, False),
    "NPI": (False, False, False, True),
    "NPOI": (False, True, False, True),
    "T": (True, False, False, False),
    "TPI": (True, False, False, True),
    "F": (False, False, True, False),
    "FPO": (False, True, True, False),
    "B": (True, False, True, False),
}

Pair = tuple[str, str]


@dataclass(frozen=True)
class Settings:
    """What the administrator has set. `granted` are the switches of alice's own policy; None: the global one counts."""

    federation: bool = True
    everybody: tuple[bool, bool] = (True, True)
    granted: tuple[bool, bool] | None = None
    partner: str | None = VERIFIED
    """Its type; None: it is no partner."""
    prompts: bool = True


@dataclass
class Relation:
    """What a user has with a contact."""

    listed: bool = False
    blocked: bool = False
    approved: bool = False
    sees: bool = False
    """The contact's presence."""
    asks: bool = False
    is_seen: bool = False
    """By the contact."""
    waits: bool = False
    """The contact's request, for the user's answer."""


@dataclass
class Model:
    """Everything that decides. Addresses are bare texts."""

    settings: Settings = field(default_factory=Settings)
    relations: defaultdict[Pair, Relation] = field(default_factory=lambda: defaultdict(Relation))
    devices: defaultdict[str, dict[str, tuple[str, str]]] = field(default_factory=lambda: defaultdict(dict))
    """User -> resource -> show and note."""
    directed: set[tuple[str, str, str]] = field(default_factory=set)
    """User, resource, contact: to whom that device has shown itself directly (§4.6)."""

    # -- who may what

    def is_open(self, user: str) -> bool:
        """Whether a user may talk to the partner at all: AllowFederatedUsers, the policy that counts, the partner."""
        own = self.settings.granted if user.startswith("alice") else None

        return self.settings.federation and all(own or self.settings.everybody) and self.settings.partner is not None

    def may(self, user: str, contact: str, what: str) -> bool:
        """Whether the contact may do this to the user."""
        relation = self.relations[user, contact]
        kind = self.settings.partner

        if not self.is_open(user) or relation.blocked or kind is None:
            return False

        return what in MAY[kind][relation.listed].split()

    def may_write(self, user: str, contact: str) -> bool:
        """Whether the user may write to the contact."""
        return self.is_open(user) and not self.relations[user, contact].blocked

    def shown(self, user: str, contact: str) -> dict[str, tuple[str, str]]:
        """The user's devices as the contact is to see them by a subscription: show, and note."""
        if not self.relations[user, contact].is_seen or not self.may(user, contact, "see"):
            return {}

        notes = self.may(user, contact, "note")

        return {resource: (show, note if notes else "") for resource, (show, note) in self.devices[user].items()}

    def shows_directly(self, user: str, contact: str) -> set[str]:
        """The devices that have shown themselves to the contact directly."""
        return {resource for who, resource, to in self.directed if (who, to) == (user, contact)}

    def hears(self, user: str, contact: str) -> bool:
        """Whether the user is to be told of the contact's presence."""
        relation = self.relations[user, contact]

        return bool(self.devices[user]) and relation.sees and self.may_write(user, contact)

    # -- what users do; each tells whether it is done at all

    def add(self, user: str, contact: str) -> bool:
        relation = self.relations[user, contact]

        if relation.blocked:
            return False

        relation.listed = True
        relation.asks = relation.asks or (self.is_open(user) and not relation.sees)

        return True

    def accept(self, user: str, contact: str) -> bool:
        relation = self.relations[user, contact]

        if relation.blocked or not self.is_open(user):
            return False

        if relation.waits:
            relation.is_seen = relation.listed = True
            relation.waits = False

        return True

    def approve(self, user: str, contact: str) -> bool:
        relation = self.relations[user, contact]
        waited = relation.waits
        done = self.accept(user, contact)

        if done and not waited and not relation.is_seen:
            relation.approved = relation.listed = True

        return done

    def refuse(self, user: str, contact: str) -> bool:
        self._ends(user, contact)
        self.relations[user, contact].approved = False

        return True

    def unsubscribe(self, user: str, contact: str) -> bool:
        relation = self.relations[user, contact]
        relation.sees = relation.asks = False

        return True

    def remove(self, user: str, contact: str) -> bool:
        self.unsubscribe(user, contact)
        self.refuse(user, contact)
        self.relations[user, contact].listed = False

        return True

    def block(self, user: str, contact: str) -> bool:
        relation = self.relations[user, contact]

        if not relation.blocked:
            relation.blocked = True
            self.forget_directed(user, contact)

        return True

    def unblock(self, user: str, contact: str) -> bool:
        self.relations[user, contact].blocked = False

        return True

    def go(self, user: str, resource: str) -> None:
        self.devices[user].pop(resource, None)
        self.directed = {each for each in self.directed if each[:2] != (user, resource)}

    # -- what contacts send

    def asked(self, user: str, contact: str) -> None:
        """``subscribe``"""
        relation = self.relations[user, contact]

        if relation.is_seen or not self.may(user, contact, "subscribe"):
            return

        # Only users of a verified partner are put before the user, and only where that is set.
        prompts = self.settings.partner == VERIFIED and self.settings.prompts
        relation.is_seen = relation.approved or not prompts
        relation.waits = not relation.is_seen

    def withdrawn(self, user: str, contact: str) -> None:
        """``unsubscribe``"""
        self._ends(user, contact)

    def granted(self, user: str, contact: str) -> None:
        """``subscribed``"""
        relation = self.relations[user, contact]

        if relation.asks and self.may_write(user, contact):
            relation.sees, relation.asks = True, False

    def refused(self, user: str, contact: str) -> None:
        """``unsubscribed``"""
        self.unsubscribe(user, contact)

    def _ends(self, user: str, contact: str) -> None:
        relation = self.relations[user, contact]

        if relation.is_seen or relation.waits:
            relation.is_seen = relation.waits = False
            self.forget_directed(user, contact)

    def forget_directed(self, user: str, contact: str) -> None:
        """Nobody there sees any more what was shown to him directly."""
        self.directed = {each for each in self.directed if (each[0], each[2]) != (user, contact)}


def changed(settings: Settings, **to: object) -> Settings:
    """The same settings but for these."""
    return replace(settings, **to)  # type: ignore[arg-type]
