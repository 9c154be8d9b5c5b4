"""Whether the peer of a stream is still there (RFC 6120 §4.6). Pure: times are arguments, in seconds by any one clock.

Knows how long a connection was quiet, and what the peer's TCP has acknowledged. Does not know connections.

Two of the three silences of §4.6 are told apart here; the third, the idle peer, is a matter of
StreamInactivityTimeout. §4.6.1: a connection is dead when nothing of what was sent on it is acknowledged any more. A
peer that is there and never reads looks the same, and is of as little use. So that something is sent on a stream on
which nobody has anything to say, there is the space between stanzas. §4.6.2: a stream is broken when TCP acknowledges
everything and the peer's XMPP says nothing: that only a ping can tell (XEP-0199). Whether a partner may be silent
itself is another question, which EnableKeepAlive answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from simulator.gateway.settings import EdgeSettings


class Finding(Enum):
    """What a look at a connection came to."""

    WELL = auto()
    QUIET = auto()
    """Nothing was said or heard for so long that it is to be checked."""
    DEAD = auto()


def check_interval(settings: EdgeSettings) -> float | None:
    """How long a stream may be quiet before it is checked; None for ever.

    §4.6.4: "it is RECOMMENDED that any such check be performed not more than once every 5 minutes".
    """
    return settings.check_interval


def check_timeout(settings: EdgeSettings) -> float | None:
    """How long a peer may take to acknowledge what was sent, or to answer a ping; None for ever."""
    return settings.check_timeout


def check_text() -> bytes:
    """What shows whether the connection lives: RFC 6120 §4.6.1: "a space character (U+0020) between XML stanzas"."""
    return b" "


def checks_unauthenticated() -> bool:
    """Whether streams are checked that are still being negotiated.

    RFC 6120 §5.3.3 and §6.3.5: during STARTTLS and SASL "the entities MUST NOT send any whitespace as separators".
    """
    return False


def pings(settings: EdgeSettings) -> bool:
    """Whether the streams to partners are checked by pings as well."""
    return settings.pings


def is_sign_of_life(type_: str | None) -> bool:
    """Whether an answer to a ping of this type says that the peer is there.

    XEP-0199 §4.2: a peer that knows no pings "MUST return a <service-unavailable/> error": an error is an answer.
    """
    return type_ in ("result", "error")


def is_progress(before: int, acknowledged: int) -> bool:
    """Whether a peer that has not acknowledged everything has acknowledged something, both in bytes: it reads."""
    return acknowledged != before


@dataclass(slots=True)
class Pulse:
    """What is known of one connection, of which `look` is told again and again."""

    interval: float | None
    """As `check_interval`."""
    timeout: float | None
    """As `check_timeout`."""
    checked_at: float
    """When it was last checked, or began."""
    is_progress: Callable[[int, int], bool] = is_progress
    acknowledged: int = 0
    stuck_since: float | None = None
    """Since when something waits for its acknowledgement, and nothing was acknowledged."""

    @property
    def period(self) -> float | None:
        """How often to look; None: there is nothing to look for."""
        times = [each for each in (self.interval, self.timeout) if each is not None]

        return min(times) / 4 if times else None

    def look(self, now: float, *, active_at: float, written: int, acknowledged: int) -> Finding:
        """`active_at` is when something was last heard or said; `written` and `acknowledged` are bytes."""
        if written <= acknowledged:
            self.stuck_since = None
        elif self.stuck_since is None or self.is_progress(self.acknowledged, acknowledged):
            self.stuck_since = now

        self.acknowledged = acknowledged

        if self.timeout is not None and self.stuck_since is not None and now - self.stuck_since >= self.timeout:
            return Finding.DEAD

        if self.interval is None or now - max(active_at, self.checked_at) < self.interval:
            return Finding.WELL

        self.checked_at = now

        return Finding.QUIET
