"""Subscriptions (RFC 6665): the header that tells their state, and the state machines of both ends, as tables.

Knows states, reasons and durations. Does not know event packages, dialogs or a clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from simulator.sip.errors import SIPError, SIPSyntaxError
from simulator.sip.message import Message

#: RFC 3856 §6.4: "The default expiration time for subscriptions within this package is 3600 seconds"
DEFAULT_EXPIRES = 3600

#: §4.1.2.2: after these to a refresh "the subscriber MUST consider the subscription terminated"; after others it "is
#: still considered valid for the duration of the most recently known "Expires" value".
ENDING = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_SECONDS = re.compile(r"\d{1,10}")


class State(StrEnum):
    """What a Subscription-State header says (§4.1.3)."""

    PENDING = "pending"
    ACTIVE = "active"
    TERMINATED = "terminated"


class Reason(StrEnum):
    """Why a subscription was terminated (§4.1.3)."""

    DEACTIVATED = "deactivated"
    PROBATION = "probation"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    GIVEUP = "giveup"
    NORESOURCE = "noresource"
    INVARIANT = "invariant"


class BadEvent(SIPError):  # noqa: N818 - the response's own name
    """§4.2.1.1: an event package that is not understood is answered 489."""

    code = 489


class IntervalTooBrief(SIPError):  # noqa: N818 - the response's own name
    """§4.2.1.1: an Expires that is too short is answered 423 with Min-Expires: `shortest` seconds."""

    code = 423

    def __init__(self, shortest: int) -> None:
        self.shortest = shortest
        super().__init__(f"Expires must be at least {shortest}")


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """A Subscription-State header, read or to be written. Durations in seconds."""

    state: str
    """One of `State`, or an unknown token: the grammar is open for others."""
    expires: int | None = None
    reason: str = ""
    retry_after: int | None = None

    def __str__(self) -> str:
        parts = [self.state]

        # "notifiers SHOULD NOT include an "expires" parameter [...] with a value of "terminated"".
        if self.expires is not None and self.state != State.TERMINATED:
            parts.append(f"expires={self.expires}")

        if self.reason:
            parts.append(f"reason={self.reason}")

        if self.retry_after is not None:
            parts.append(f"retry-after={self.retry_after}")

        return ";".join(parts)


def parse_subscription_state(value: str) -> SubscriptionState:
    """Read a Subscription-State header; raises SIPSyntaxError. Parameters that are malformed are passed over."""
    state, *parameters = (part.strip() for part in value.split(";"))

    if not _TOKEN.fullmatch(state):
        raise SIPSyntaxError("Subscription-State is not valid")

    found: dict[str, str] = {}

    for parameter in parameters:
        name, _, text = parameter.partition("=")
        found.setdefault(name.strip().lower(), text.strip().strip('"'))

    state = state.lower()
    reason = found.get("reason", "").lower()

    return SubscriptionState(
        state,
        # "subscribers MUST ignore any such parameter, if present" on a terminated subscription.
        expires=None if state == State.TERMINATED else _seconds(found.get("expires")),
        reason=reason if _TOKEN.fullmatch(reason) else "",
        retry_after=_seconds(found.get("retry-after")),
    )


def _seconds(text: str | None) -> int | None:
    return int(text) if text and _SECONDS.fullmatch(text) else None


def event_of(message: Message) -> tuple[str, str]:
    """The package that an Event header names, and its ``id`` parameter; raises BadEvent when there is none.

    §8.2.1: the package is compared "byte-by-byte", the id as well.
    """
    value = message.header("event")

    if not value:
        raise BadEvent("Event is missing")

    return parse_event(value)


def parse_event(value: str) -> tuple[str, str]:
    """Package and ``id`` of an Event header."""
    package, *parameters = (part.strip() for part in value.split(";"))
    identifier = next((text[3:] for text in parameters if text.lower().startswith("id=")), "")

    return package, identifier


def duration_of(message: Message, default: int = DEFAULT_EXPIRES) -> int:
    """The Expires of a SUBSCRIBE or of its answer, in seconds; raises SIPSyntaxError."""
    seconds = message.integer("expires")

    return default if seconds is None else seconds


class Life(Enum):
    """Of a subscription: the states of both figures of §4.1.2 and §4.2.2, under one set of names."""

    WAITING = auto()
    """``notify_wait`` of a subscriber, ``resp_wait`` of a notifier: nothing was notified yet."""
    PENDING = auto()
    ACTIVE = auto()
    TERMINATED = auto()


class Heard(Enum):
    """What moves a subscriber."""

    NOTIFY_PENDING = auto()
    NOTIFY_ACTIVE = auto()
    NOTIFY_TERMINATED = auto()
    REFUSED = auto()
    """A final response that is no 2xx: of a refresh, 481 and what RFC 6665 §4.1.2.2 names beside it."""
    TIMED_OUT = auto()
    """Timer N, or a refresh that no NOTIFY followed."""


class Decided(Enum):
    """What moves a notifier."""

    GRANTED = auto()
    UNDECIDED = auto()
    ENDED = auto()
    """Local policy, or the subscriber's wish."""
    EXPIRED = auto()
    NOTIFY_FAILED = auto()


class SubscriptionError(Exception):
    """The state of the subscription does not allow this: a bug here."""


#: Figure of §4.1.2. An active subscription may become pending again: "pending" is what a notifier says, at any time.
SUBSCRIBER: dict[Life, dict[Heard, Life]] = {
    Life.WAITING: {
        Heard.NOTIFY_PENDING: Life.PENDING,
        Heard.NOTIFY_ACTIVE: Life.ACTIVE,
        Heard.NOTIFY_TERMINATED: Life.TERMINATED,
        Heard.REFUSED: Life.TERMINATED,
        Heard.TIMED_OUT: Life.TERMINATED,
    },
    Life.PENDING: {
        Heard.NOTIFY_PENDING: Life.PENDING,
        Heard.NOTIFY_ACTIVE: Life.ACTIVE,
        Heard.NOTIFY_TERMINATED: Life.TERMINATED,
        Heard.REFUSED: Life.TERMINATED,
        Heard.TIMED_OUT: Life.TERMINATED,
    },
    Life.ACTIVE: {
        Heard.NOTIFY_PENDING: Life.PENDING,
        Heard.NOTIFY_ACTIVE: Life.ACTIVE,
        Heard.NOTIFY_TERMINATED: Life.TERMINATED,
        Heard.REFUSED: Life.TERMINATED,
        Heard.TIMED_OUT: Life.TERMINATED,
    },
    Life.TERMINATED: {},
}

#: Figure of §4.2.2.
NOTIFIER: dict[Life, dict[Decided, Life]] = {
    Life.WAITING: {
        Decided.GRANTED: Life.ACTIVE,
        Decided.UNDECIDED: Life.PENDING,
        Decided.ENDED: Life.TERMINATED,
        Decided.EXPIRED: Life.TERMINATED,
        Decided.NOTIFY_FAILED: Life.TERMINATED,
    },
    Life.PENDING: {
        Decided.GRANTED: Life.ACTIVE,
        Decided.UNDECIDED: Life.PENDING,
        Decided.ENDED: Life.TERMINATED,
        Decided.EXPIRED: Life.TERMINATED,
        Decided.NOTIFY_FAILED: Life.TERMINATED,
    },
    Life.ACTIVE: {
        Decided.GRANTED: Life.ACTIVE,
        Decided.ENDED: Life.TERMINATED,
        Decided.EXPIRED: Life.TERMINATED,
        Decided.NOTIFY_FAILED: Life.TERMINATED,
    },
    Life.TERMINATED: {},
}

_HEARD = {
    State.PENDING: Heard.NOTIFY_PENDING,
    State.ACTIVE: Heard.NOTIFY_ACTIVE,
    State.TERMINATED: Heard.NOTIFY_TERMINATED,
}
_SHOWN = {Life.PENDING: State.PENDING, Life.ACTIVE: State.ACTIVE, Life.TERMINATED: State.TERMINATED}


def heard_of(state: SubscriptionState) -> Heard:
    """What a NOTIFY with this header is to a subscriber; an unknown state counts as pending, which grants nothing."""
    return next((heard for name, heard in _HEARD.items() if name == state.state), Heard.NOTIFY_PENDING)


def shown(life: Life) -> State:
    """What a notifier in this state says; raises KeyError while nothing was decided."""
    return _SHOWN[life]


def next_as_subscriber(life: Life, heard: Heard) -> Life:
    """The subscriber's next state; raises SubscriptionError."""
    following = SUBSCRIBER[life].get(heard)

    if following is None:
        raise SubscriptionError(f"{heard.name} in state {life.name}")

    return following


def next_as_notifier(life: Life, decided: Decided) -> Life:
    """The notifier's next state; raises SubscriptionError."""
    following = NOTIFIER[life].get(decided)

    if following is None:
        raise SubscriptionError(f"{decided.name} in state {life.name}")

    return following
