"""What can go wrong on the way to a domain, and what those who wait are told. Pure.

Knows RFC 6120 §10.4.3 and XEP-0220 §2.1.1, §2.2.1 and §2.5. Does not know who waits.
"""

from __future__ import annotations

from enum import Enum
from xml.etree.ElementTree import Element

from simulator.xmpp.dialback import BOUNCE_FOR, ERROR_FOR, Obstacle, PairState
from simulator.xmpp.errors import StanzaCondition, StreamCondition


class Failure(Enum):
    """Why a stream to a domain could not be had, or a pair on it not be authorised."""

    NOT_FOUND = "DNS knows no host for it"
    DENIED = "DNS says that it does not federate"
    UNREACHABLE = "no host of it could be connected to"
    HOST_UNKNOWN = "its host says that it does not serve it"
    BROKEN = "the stream ended before it was usable"
    NO_TLS = "TLS could not be negotiated with it"
    UNPROVEN = "its certificate does not prove that it is the domain"
    NOT_TAKEN = "it does not take our certificate"
    TIMEOUT = "the stream was not usable in time"
    INVALID = "it says that our dialback key is invalid"
    DIALBACK_ERROR = "it could not verify our dialback key"
    NOT_VERIFIED = "it answers the verification of a key with an error"
    NO_METHOD = "its settings allow no method that can be carried out"
    NOT_A_PARTNER = "it is not an allowed partner"
    TOO_MANY_WAIT = "too many stanzas wait for it"
    TOO_MANY_STREAMS = "there are too many connections"
    SHUTDOWN = "the gateway shuts down"
    UNACKNOWLEDGED = "the stream ended before it had taken the message"


class StreamFailure(Exception):  # noqa: N818 - it is one
    """A stream to a domain cannot be had; `failure` says which kind, the text what was seen."""

    def __init__(self, failure: Failure, text: str = "") -> None:
        self.failure = failure
        super().__init__(text or failure.value)


class SentAway(StreamFailure):
    """The peer ended the stream with a stream error that may send us elsewhere, or back."""

    def __init__(self, condition: str, content: str, text: str) -> None:
        self.condition, self.content = condition, content
        self.address = ""
        """That of the peer."""
        super().__init__(failure_of_stream_error(condition), text)


#: RFC 6120 §10.4.3: "If resolution of the remote domain is unsuccessful, the stanza error MUST be
#: <remote-server-not-found/>. If resolution succeeds but streams cannot be negotiated, [it] MUST be
#: <remote-server-timeout/>". The rest:
_BOUNCES = {
    Failure.NOT_FOUND: StanzaCondition.REMOTE_SERVER_NOT_FOUND,
    Failure.DENIED: StanzaCondition.REMOTE_SERVER_NOT_FOUND,
    Failure.INVALID: BOUNCE_FOR[PairState.INVALID],
    Failure.DIALBACK_ERROR: BOUNCE_FOR[PairState.FAILED],
    # RFC 6120 §8.3.3.10: not-allowed, "e.g., sending to entities at a blacklisted domain"
    Failure.NOT_A_PARTNER: StanzaCondition.NOT_ALLOWED,
    Failure.TOO_MANY_WAIT: StanzaCondition.RESOURCE_CONSTRAINT,
    Failure.TOO_MANY_STREAMS: StanzaCondition.RESOURCE_CONSTRAINT,
}


#: failures that are ours, and say nothing of the domain
_OURS = {
    Failure.NO_METHOD,
    Failure.NOT_A_PARTNER,
    Failure.TOO_MANY_WAIT,
    Failure.TOO_MANY_STREAMS,
    Failure.SHUTDOWN,
}


def loses_domain(failure: Failure) -> bool:
    """Whether nothing is known any more of the users of a domain to which no stream can be had, for this reason."""
    return failure not in _OURS


def bounce_condition(failure: Failure) -> StanzaCondition:
    """The condition with which a stanza comes back that cannot be routed."""
    return _BOUNCES.get(failure, StanzaCondition.REMOTE_SERVER_TIMEOUT)


def is_bounced(stanza: Element) -> bool:
    """Whether the sender is told that a stanza was not delivered.

    RFC 6120 §8.3.1: an error is never answered with an error; §8.2.3: neither is the result of an iq. RFC 6121 §4.3:
    a probe has no user behind it who could be told.
    """
    kind = stanza.get("type")

    return kind not in ("error", "probe") and not (kind == "result" and stanza.tag.endswith("}iq"))


def is_answered(stanza: Element) -> bool:
    """Whether a partner's stanza that cannot be handed on is answered with an error: messages and iq requests.

    A presence gets no answer: RFC 6120 §10.5.3.1 has it ignored where it cannot be delivered.
    """
    kind = stanza.get("type")

    if stanza.tag.endswith("}iq"):
        return kind in ("get", "set")

    return stanza.tag.endswith("}message") and kind != "error"


#: how a failure looks to the receiving server (XEP-0220 §2.5); the rest is NO_ANSWER
_OBSTACLES = {
    Failure.NOT_FOUND: Obstacle.NO_SUCH_DOMAIN,
    Failure.DENIED: Obstacle.NO_SUCH_DOMAIN,
    Failure.UNREACHABLE: Obstacle.NO_CONNECTION,
    Failure.HOST_UNKNOWN: Obstacle.HOST_UNKNOWN,
    Failure.NOT_VERIFIED: Obstacle.ERROR_ANSWERED,
    Failure.BROKEN: Obstacle.STREAM_ENDED,
}


def answer_to_unverified(failure: Failure) -> StanzaCondition:
    """The dialback error for a pair whose key could not be verified."""
    return ERROR_FOR[_OBSTACLES.get(failure, Obstacle.NO_ANSWER)]


def failure_of_stream_error(condition: str) -> Failure:
    """What the peer's stream error means for those who wait for the stream."""
    return Failure.HOST_UNKNOWN if condition == StreamCondition.HOST_UNKNOWN else Failure.BROKEN


def answer_to_invalid(other_valid_pairs: bool) -> str:
    """The answer to a pair whose key is invalid: ``invalid``, which ends the stream, or ``error``, which does not.

    XEP-0220 §2.2.1: without other valid pairs "the Receiving Server SHOULD send a result with type 'invalid'"; with
    others it "MAY (instead of closing the connection) return an error condition of <forbidden/>".
    """
    return "error" if other_valid_pairs else "invalid"


def invalid_closes_stream() -> bool:
    """XEP-0220 §2.2.1: after type ``invalid`` the receiving server "MUST close the XML stream"."""
    return True
