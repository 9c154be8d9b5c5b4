"""One question to one device: may this contact see its user, and what?

Knows its dialog and its times. Does not know what is asked or answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from simulator.gateway.frontend.flow import Flow
from simulator.sip.dialog import Dialog
from simulator.sip.event import ENDING, Heard, Life, next_as_subscriber
from simulator.xmpp.address import Address

#: RFC 6665 §4.1.2.4, Timer N, 64*T1: how long a first NOTIFY may take, in seconds
TIMER_N = 32.0


@dataclass(eq=False, kw_only=True, slots=True)
class Inquiry:
    """A subscription of ours to a device, in the name of a contact."""

    flow: Flow
    user: Address
    """Bare, as `contact` is."""
    contact: Address
    device: str
    """The resource."""
    dialog: Dialog
    polls: bool = False
    """It asks once."""
    ending: bool = False
    """It was taken back."""
    ends_at: float = inf
    refresh_at: float = inf
    kept_until: float = inf
    """While a refresh is on its way: how long the subscription lasts without it."""
    tries: int = 0
    shown: dict[str, None] = field(default_factory=dict)
    """The resources that the contact was told are available."""
    has_spoken: bool = False
    life: Life = Life.WAITING
    target: str = field(init=False, default="")
    """Where a dialog begins: the device's Contact."""

    def __post_init__(self) -> None:
        self.target = self.dialog.target

    @property
    def open(self) -> bool:
        """Whether the device may still answer."""
        return self.life is not Life.TERMINATED

    def hears(self, heard: Heard) -> None:
        """Move on; nothing more is heard once it is over."""
        if self.open:
            self.life = next_as_subscriber(self.life, heard)

    def lasts(self, seconds: float, now: float, refreshed_after: float) -> None:
        """The device grants so much; a NOTIFY must still come where nothing is granted."""
        self.ends_at, self.kept_until = now + (seconds or TIMER_N), inf
        self.refresh_at = now + seconds * refreshed_after if seconds and not self.ending else inf

    def takes_refresh(self, now: float) -> bool:
        """Whether it is time to refresh it: once for each time that `lasts` has told.

        It is also where the end has passed between two looks: a device that has forgotten the dialog by then says so
        (481), and is asked anew, while one that was not asked would be taken for one that shows nothing any more.
        """
        if self.refresh_at > now:
            return False

        self.refresh_at = inf

        return True

    def waits(self) -> None:
        """A refresh is on its way: its answer, which comes in any case, says how long it lasts from now on."""
        self.ends_at, self.kept_until = inf, self.ends_at

    def outlives(self, code: int) -> bool:
        """Whether a subscription that was being refreshed goes on after this refusal; it then ends when it would have.

        RFC 6665 §4.1.2.2: after any other code than those of `ENDING` it "is still considered valid for the duration of
        the most recently known "Expires" value".
        """
        if code in ENDING or self.kept_until == inf:
            return False

        self.ends_at, self.kept_until = self.kept_until, inf

        return True

    def takes_back(self) -> None:
        """Nobody wants the answer any more."""
        self.ending, self.refresh_at = True, inf
