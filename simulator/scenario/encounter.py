"""Two servers that meet, in words: who dials, what the partner is able to do, and what may come of it.

Knows the vocabulary of the negotiation matrix. What comes of which encounter is `negotiation`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from simulator.scenario.negotiation_table import Method


class Direction(StrEnum):
    """Who dials."""

    INBOUND = "inbound"
    """The partner: the system is the receiving server."""
    OUTBOUND = "outbound"
    """The system: it is the initiating server."""

    @property
    def opposite(self) -> Direction:
        """The other one."""
        return Direction.OUTBOUND if self is Direction.INBOUND else Direction.INBOUND


class TLS(StrEnum):
    """What a partner does about TLS."""

    NONE = "none"
    OPTIONAL = "optional"
    """Offers it, and uses it where it is offered."""
    REQUIRED = "required"
    """Goes on with nothing else."""
    DIRECT = "direct"
    """TLS comes before the first byte of XMPP (XEP-0368), on both sides."""


class Certificate(StrEnum):
    """What a partner shows."""

    VALID = "valid"
    SELF_SIGNED = "self-signed"
    EXPIRED = "expired"
    WRONG_NAME = "wrong-name"
    UNKNOWN_CA = "unknown-ca"
    NONE = "none"
    """None, as TLS client; as TLS server, which always shows one, one of its own making."""


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What a partner is able to do."""

    tls: TLS = TLS.NONE
    certificate: Certificate = Certificate.VALID
    external: bool = True
    """Offers SASL EXTERNAL, and uses it where it is offered; only ever over TLS."""
    dialback: bool = True

    @property
    def impossible(self) -> str:
        """Why there is no such partner; empty: there may be."""
        if self.tls is TLS.NONE and self.external:
            return "SASL EXTERNAL needs TLS"

        if self.tls is TLS.NONE and self.certificate is not Certificate.NONE:
            return "a certificate needs TLS"

        return ""


class Point(StrEnum):
    """How far a stream that is refused has come."""

    FEATURES = "features"
    """Nothing in the first features is of use."""
    STARTTLS = "starttls"
    TLS = "tls"
    """The TLS handshake, up to the header that follows it."""
    SECURED_FEATURES = "features over TLS"
    SASL = "sasl"
    DIALBACK = "dialback"
    STANZA = "stanza"
    """There was nothing to negotiate: a stanza was sent all the same."""


class Means(StrEnum):
    """How a refusal is said."""

    STREAM_ERROR = "stream error"
    STARTTLS_FAILURE = "STARTTLS failure"
    SASL_FAILURE = "SASL failure"
    DIALBACK_ERROR = "dialback error"
    SILENCE = "silence"
    END = "end of the connection"


@dataclass(frozen=True)
class Refusal:
    """The end of an attempt: at which point, by what, with which condition; None: whatever it is."""

    at: Point
    by: Means | None = None
    condition: str | None = None


Outcome = Method | Refusal

#: The two sorts of outcome, as `when:` in a scenario names them.
AUTHENTICATED, REFUSED = "authenticated", "refused"
#: The first of them, where the other side would be authenticated, too, if it dialled.
BOTH_WAYS = "authenticated both ways"


@dataclass(frozen=True)
class Allowed:
    """An outcome, and the text by which it is right."""

    outcome: Outcome
    because: str


@dataclass(frozen=True)
class Expectation:
    """What must come of a negotiation, and what else may."""

    right: Allowed
    alternatives: tuple[Allowed, ...] = field(default=())

    @property
    def outcome(self) -> Outcome:
        """What must come of it."""
        return self.right.outcome

    @property
    def methods(self) -> frozenset[Method]:
        """Every method that is right by some text."""
        outcomes = [self.outcome, *(other.outcome for other in self.alternatives)]

        return frozenset(outcome for outcome in outcomes if isinstance(outcome, Method))

    @property
    def sorts(self) -> frozenset[str]:
        """Which of *authenticated* and *refused* it may come to."""
        outcomes = [self.outcome, *(other.outcome for other in self.alternatives)]

        return frozenset(AUTHENTICATED if isinstance(outcome, Method) else REFUSED for outcome in outcomes)


def as_fields(direction: Direction, outcome: Outcome) -> dict[str, str]:
    """An outcome as the argument of *negotiates*, and as what its act reports."""
    if isinstance(outcome, Method):
        return {"direction": direction.value, "outcome": outcome.value}

    parts = {"at": outcome.at, "by": outcome.by, "condition": outcome.condition}

    return {
        "direction": direction.value,
        "outcome": REFUSED,
        **{name: str(value) for name, value in parts.items() if value is not None},
    }
