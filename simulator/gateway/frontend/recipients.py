"""Which devices of a user a message of a partner's user goes to (RFC 6121 §8.5.2.1.1, §8.5.3): pure answers.

Knows how reachable each device is. Does not know devices: they are numbers here, and who is there is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Target(Enum):
    """What a message is addressed to."""

    BARE = auto()
    """A user, whatever the device."""
    MATCH = auto()
    """A device that is registered."""
    OTHER = auto()
    """A device that is not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How reachable one registered device is for the sender of a message."""

    priority: int | None = 0
    """Of its presence; None: it says that it is not available."""
    talks: bool = False
    """Whether it has a session with the sender."""

    @property
    def available(self) -> bool:
        """Whether it takes what is meant for the user, and not for it alone.

        "for any message type the server MUST NOT deliver the stanza to any available resource with a negative
        priority".
        """
        return self.priority is not None and self.priority >= 0


def matches(resource: str, wanted: str) -> bool:
    """Whether a device of this resource is the one that is `wanted`.

    RFC 7622 §3.4.1: a resource is prepared by the profile OpaqueString, which maps no letter to another case.
    """
    return resource == wanted


def recipients(type_: str, standings: Sequence[Standing]) -> list[int]:
    """The numbers of those that get a message which names none of them; empty where nobody is available.

    Of the choices that §8.5.4 Table 1 leaves for several devices: "(a) deliver the message to the "most available"
    resource or resources", not to all, since for chat "a server SHOULD NOT act in accordance with option (A) unless
    clients can explicitly opt in". Most available is the device on which the conversation is, then those of the highest
    priority; SIP users who say nothing of either have the message on all devices, as RFC 3428 §4 forks it.
    """
    available = [number for number, each in enumerate(standings) if each.available]

    # "If there is more than one resource with a non-negative presence priority then the server MUST deliver the message
    # to all of the non-negative resources."
    if type_ == "headline":
        return available

    wanted = [number for number in available if standings[number].talks] or available
    highest = max((standings[number].priority or 0 for number in wanted), default=0)

    return [number for number in wanted if (standings[number].priority or 0) == highest]
