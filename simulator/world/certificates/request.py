"""What a kind of certificate is made from, and what comes of it.

Knows a domain, its issuer and the moment. Does not know the kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from simulator.world.certificates.draft import LIFETIME, Draft, Issuer, leaf, subject
from simulator.world.certificates.general_names import dns
from simulator.world.certificates.keys import PrivateKey, fresh_key
from simulator.xmpp.address import domain_of


class CannotMint(ValueError):  # noqa: N818 - says what is the matter
    """This kind of certificate does not exist for this domain; the text says why."""


class Register(Protocol):
    """Where serial numbers get onto lists of revoked certificates, and where those lists are served."""

    def revoked_serial(self) -> int:
        """A number that the list in the file holds already."""

    def serial_for(self, list_name: str) -> int:
        """A number that the served list of this name holds."""

    def url(self, domain: str, list_name: str) -> str:
        """Where the list is served to whoever checks this domain's certificate."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One certificate that is wanted."""

    kind: str
    domain: str
    """In A-labels."""
    root: Issuer
    register: Register
    now: datetime
    host: str = ""
    """The host that serves the domain, for the kind that names it."""
    lifetime: timedelta = LIFETIME
    """How long from now on it is good, where it is good at all."""

    @property
    def other_domain(self) -> str:
        """A domain that is not the one in question, and would pass for it when only the ends are compared."""
        return f"not-{self.domain}"

    @property
    def unicode_domain(self) -> str:
        """The domain in U-labels; raises CannotMint when it has none."""
        found = domain_of(self.domain)

        if found.isascii():
            raise CannotMint(f"{self.kind} needs an internationalized domain, which {self.domain} is not")

        return found

    @property
    def above(self) -> str:
        """The domain without its first label; raises CannotMint when nothing is left."""
        rest = self.domain.partition(".")[2]

        if not rest:
            raise CannotMint(f"{self.kind} needs a domain of two labels or more, not {self.domain}")

        return rest

    def leaf(self, key: PrivateKey | None = None) -> Draft:
        """A good certificate of the domain, for the kind to spoil; its subject names the kind."""
        draft = leaf(subject(self.kind), key or fresh_key(), self.now, self.lifetime)

        return draft.named(dns(self.domain))

    def by_root(self, draft: Draft) -> Shown:
        """The draft, signed by the trusted authority itself."""
        return shown(draft, self.root.sign(draft))


@dataclass(frozen=True)
class Shown:
    """What is shown in the handshake: certificates in DER, the leaf first; the leaf's key and serial number."""

    key: PrivateKey
    serial: int
    chain: tuple[bytes, ...]


def shown(draft: Draft, *chain: bytes) -> Shown:
    """The signed draft, and what is shown along with it."""
    return Shown(draft.key, draft.serial, chain)


Recipe = Callable[[Request], Shown]
Change = Callable[[Request, Draft], Draft]


def by_root(change: Change) -> Recipe:
    """A recipe that spoils a good certificate before the trusted authority signs it."""
    return lambda request: request.by_root(change(request, request.leaf()))
