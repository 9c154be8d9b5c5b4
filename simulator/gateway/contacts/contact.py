"""One contact of one user, as the gateway remembers it.

Knows what is remembered. Does not know where, nor what changes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.xmpp.address import Address
from simulator.xmpp.subscription import State, is_asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What a user has with one address; both addresses are bare."""

    user: Address
    address: Address
    state: State = State.NONE
    name: str = ""
    groups: tuple[str, ...] = ()
    listed: bool = False
    """Whether the user put the contact on the list: added, accepted or approved him. Partner types rest on it."""
    blocked: bool = False
    approved: bool = False
    """Whether a request of the contact is granted in advance (RFC 6121 §3.4)."""
    request: str | None = None
    """The contact's ``subscribe`` as XML while it waits for an answer (RFC 6121 §3.1.3)."""
    asked_at: float | None = None
    """When the user's own request last left, in seconds since 1970; None: it has not, or is answered."""

    @property
    def shown(self) -> bool:
        """Whether this is an item of the list that the user is shown.

        RFC 6121 §3.1.3: "Until and unless the contact approves the subscription request [...], the contact's server
        MUST NOT add an item for the user to the contact's roster".
        """
        return self.listed or self.state not in (State.NONE, State.NPI)

    @property
    def waits(self) -> bool:
        """Whether a request of the contact waits for the user's answer."""
        return is_asked(self.state) and self.request is not None

    @property
    def is_worth_keeping(self) -> bool:
        """Whether anything would be lost if this were forgotten."""
        return self.shown or self.blocked or self.state is not State.NONE
