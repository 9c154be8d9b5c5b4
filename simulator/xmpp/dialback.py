"""Server Dialback: keys (XEP-0185) and the life of one domain pair in each role (XEP-0220).

Rule 1: everything that changes the state of a pair is in the three tables.
Rule 2: what the peer says out of turn has no key there and is ignored (XEP-0220 §3.1: unsolicited answers were the
attack of 2012); what *we* do out of turn has no key either and is a LocalProtocolError.

Knows neither streams nor connections nor time: their owner correlates from, to and id "over the same XML stream"
(§2.1.1, §2.1.2), keeps one `Pair` for each, and tells it what happened. Sections without a name are those of XEP-0220.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from simulator.xmpp.errors import LocalProtocolError, StanzaCondition


def dialback_key(secret: str, receiving: str, originating: str, stream_id: str) -> str:
    """The recommended key (XEP-0185 §2), 64 lower-case hexadecimal digits.

    `receiving` is the target domain, `originating` the sender domain, `stream_id` the id that the receiving server
    gave the stream. All are used as they stand; normalise before.
    """
    text = f"{receiving} {originating} {stream_id}"

    return hmac.digest(_hashed(secret), text.encode("utf-8"), "sha256").hex()


def key_is_valid(key: str, secret: str, receiving: str, originating: str, stream_id: str) -> bool:
    """Whether `key` is the one of these four, in a time that does not tell how nearly."""
    expected = dialback_key(secret, receiving, originating, stream_id)

    return hmac.compare_digest(expected.encode("ascii"), key.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=16)
def _hashed(secret: str) -> bytes:
    # XEP-0185 §2: "The output of the SHA256 hashing algorithm MUST be provided in the hexadecimal representation".
    return hashlib.sha256(secret.encode("utf-8")).hexdigest().encode("ascii")


class PairState(StrEnum):
    """How far a domain pair has come on one stream, in one role."""

    UNKNOWN = "unknown"
    """Nothing was said about it."""
    PENDING = "pending"
    """A key was offered; its answer is due."""
    VALID = "valid"
    """Stanzas of this pair may flow (initiating, receiving); the key is genuine (verification)."""
    INVALID = "invalid"
    FAILED = "failed"
    """An error, a time-out or the end of the other stream came instead of an answer."""
    ENDED = "ended"
    """The stream is gone; nothing can happen any more."""


class PairEvent(StrEnum):
    """What can happen to a pair."""

    KEY_SENT = "key sent"
    """We sent ``<db:result/>`` (initiating) or ``<db:verify/>`` (verification)."""
    KEY_RECEIVED = "key received"
    """The peer sent ``<db:result/>`` (receiving)."""
    VALID = "valid"
    """The answer of the other server (initiating, verification), or our own (receiving)."""
    INVALID = "invalid"
    ERROR = "error"
    TIMED_OUT = "timed out"
    STREAM_ENDED = "stream ended"
    """The stream that carries the pair is gone."""


Table = Mapping[tuple[PairState, PairEvent], PairState]

_S, _E = PairState, PairEvent

#: §2.1.1: the initiating server wants to send stanzas; its answers come from the receiving server.
INITIATING: Table = {
    (_S.UNKNOWN, _E.KEY_SENT): _S.PENDING,
    (_S.PENDING, _E.VALID): _S.VALID,
    (_S.PENDING, _E.INVALID): _S.INVALID,
    (_S.PENDING, _E.ERROR): _S.FAILED,
    # "it ought to consider dialback operations as having failed when there is no response after a certain […] time".
    (_S.PENDING, _E.TIMED_OUT): _S.FAILED,
    # "shall behave as it does when receiving a dialback error".
    (_S.PENDING, _E.STREAM_ENDED): _S.FAILED,
    # "Such an error is non-fatal for the XML stream": the pair may be tried again on it.
    (_S.FAILED, _E.KEY_SENT): _S.PENDING,
    (_S.UNKNOWN, _E.STREAM_ENDED): _S.ENDED,
    (_S.VALID, _E.STREAM_ENDED): _S.ENDED,
    (_S.INVALID, _E.STREAM_ENDED): _S.ENDED,
    (_S.FAILED, _E.STREAM_ENDED): _S.ENDED,
}

#: §2.2.1: the receiving server is offered a key; VALID, INVALID and ERROR are what it decides and answers.
RECEIVING: Table = {
    (_S.UNKNOWN, _E.KEY_RECEIVED): _S.PENDING,
    # A key offered again while the first is being verified gets the one answer.
    (_S.PENDING, _E.KEY_RECEIVED): _S.PENDING,
    (_S.PENDING, _E.VALID): _S.VALID,
    (_S.PENDING, _E.INVALID): _S.INVALID,
    (_S.PENDING, _E.ERROR): _S.FAILED,
    (_S.PENDING, _E.TIMED_OUT): _S.FAILED,
    # "MUST continue to accept and process stanzas for already verified domain pairs": it stays valid meanwhile.
    (_S.VALID, _E.KEY_RECEIVED): _S.VALID,
    (_S.INVALID, _E.KEY_RECEIVED): _S.PENDING,
    (_S.FAILED, _E.KEY_RECEIVED): _S.PENDING,
    # "If no inbound connection is found […], the verification result SHOULD be dropped silently" (§2.1.2): ENDED
    # has no keys at all.
    (_S.UNKNOWN, _E.STREAM_ENDED): _S.ENDED,
    (_S.PENDING, _E.STREAM_ENDED): _S.ENDED,
    (_S.VALID, _E.STREAM_ENDED): _S.ENDED,
    (_S.INVALID, _E.STREAM_ENDED): _S.ENDED,
    (_S.FAILED, _E.STREAM_ENDED): _S.ENDED,
}

#: §2.1.2: the receiving server asks the authoritative one about a key. The first answer counts.
VERIFICATION: Table = {
    (_S.UNKNOWN, _E.KEY_SENT): _S.PENDING,
    (_S.UNKNOWN, _E.STREAM_ENDED): _S.FAILED,
    (_S.PENDING, _E.VALID): _S.VALID,
    (_S.PENDING, _E.INVALID): _S.INVALID,
    (_S.PENDING, _E.ERROR): _S.FAILED,
    (_S.UNKNOWN, _E.TIMED_OUT): _S.FAILED,
    (_S.PENDING, _E.TIMED_OUT): _S.FAILED,
    # "those requests SHOULD be considered failed".
    (_S.PENDING, _E.STREAM_ENDED): _S.FAILED,
}

#: Answers a server may give about a pair, by the `type` on the wire; any other type is none (§2.2, schema).
ANSWERS: Mapping[str | None, PairEvent] = {"valid": _E.VALID, "invalid": _E.INVALID, "error": _E.ERROR}

#: What we do ourselves: doing it out of turn is our own fault.
_LOCAL = frozenset({_E.KEY_SENT})


class Pair:
    """The state of one domain pair in one role: pass one of the three tables."""

    __slots__ = ("_table", "state")

    def __init__(self, table: Table) -> None:
        self._table = table
        self.state = PairState.UNKNOWN

    def handle(self, event: PairEvent) -> bool:
        """Take an event; False when it is ignored because nothing is waiting for it.

        Raises LocalProtocolError when we ourselves did what the state forbids.
        """
        state = self._table.get((self.state, event))

        if state is None:
            if event in _LOCAL:
                raise LocalProtocolError(f"{event} does not fit a pair that is {self.state}")

            return False

        self.state = state

        return True


class Obstacle(StrEnum):
    """Why a receiving server could not, or did not, verify a key."""

    DOMAIN_NOT_HOSTED = "domain not hosted"
    NO_CONNECTION = "no connection to the authoritative server"
    NO_SUCH_DOMAIN = "the sender domain does not exist"
    HOST_UNKNOWN = "the authoritative server does not know the sender domain"
    ERROR_ANSWERED = "the authoritative server answered with an error"
    STREAM_ENDED = "the authoritative server closed the stream"
    NO_ANSWER = "the authoritative server did not answer"
    TLS_REQUIRED = "TLS required"
    PROOF_REQUIRED = "certificate required"
    KEY_DENIED = "the authoritative server denies the key"
    NOT_ESTABLISHED = "the identity could not be established"
    NO_RESOURCES = "no room for another pair"


#: The dialback error of each obstacle (§2.5).
ERROR_FOR: Mapping[Obstacle, StanzaCondition] = {
    Obstacle.DOMAIN_NOT_HOSTED: StanzaCondition.ITEM_NOT_FOUND,
    Obstacle.NO_CONNECTION: StanzaCondition.REMOTE_CONNECTION_FAILED,
    Obstacle.NO_SUCH_DOMAIN: StanzaCondition.REMOTE_SERVER_NOT_FOUND,
    Obstacle.HOST_UNKNOWN: StanzaCondition.REMOTE_SERVER_NOT_FOUND,
    # "If an error is encountered in Step 3 […] MUST send a <remote-server-not-found/> dialback error".
    Obstacle.ERROR_ANSWERED: StanzaCondition.REMOTE_SERVER_NOT_FOUND,
    Obstacle.STREAM_ENDED: StanzaCondition.REMOTE_SERVER_TIMEOUT,
    Obstacle.NO_ANSWER: StanzaCondition.REMOTE_SERVER_TIMEOUT,
    Obstacle.TLS_REQUIRED: StanzaCondition.POLICY_VIOLATION,
    Obstacle.PROOF_REQUIRED: StanzaCondition.NOT_AUTHORIZED,
    Obstacle.KEY_DENIED: StanzaCondition.FORBIDDEN,
    Obstacle.NOT_ESTABLISHED: StanzaCondition.NOT_ACCEPTABLE,
    Obstacle.NO_RESOURCES: StanzaCondition.RESOURCE_CONSTRAINT,
}

#: How the initiating server gives queued stanzas back to their senders (§2.1.1, §2.5: "MUST return").
BOUNCE_FOR: Mapping[PairState, StanzaCondition] = {
    PairState.INVALID: StanzaCondition.INTERNAL_SERVER_ERROR,
    PairState.FAILED: StanzaCondition.REMOTE_SERVER_TIMEOUT,
}
