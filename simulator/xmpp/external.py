"""SASL EXTERNAL between servers, both ends (RFC 6120 §6, RFC 4422 appendix A, XEP-0178 §3): elements in, elements out.

Rule 1: everything that changes the state of an exchange is in the two tables.
Rule 2: what the other end may say has a key there in every state; the tests ask for each.

Knows the order of an exchange; the elements are `sasl`. Does not know certificates: whether an authorization identity
will do is a function that the owner gives. Sections without a name are those of RFC 6120.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element

from simulator.xmpp.address import AddressError, normalize_domain
from simulator.xmpp.errors import SASLCondition
from simulator.xmpp.sasl import (
    ABORT,
    AUTH,
    CHALLENGE,
    FAILURE,
    RESPONSE,
    SUCCESS,
    decode,
    encode,
    failure,
    failure_condition,
)

MECHANISM = "EXTERNAL"

#: §6.4.5: "a configurable but reasonable number of retries (at least 2 and no more than 5)"
RETRIES = 3


# -- decisions


def mechanism_is_ours(name: str | None) -> bool:
    """Mechanism names are upper case (RFC 4422 §3.1), and there is only one that servers need."""
    return name == MECHANISM


def judge_authzid(authzid: str, sender: str) -> SASLCondition | None:
    """Whether a peer whose stream is that of `sender` (normalised) may act as `authzid`; empty: as itself.

    §6.3.8: it "MUST be a domainpart only", and one that the peer may not assume is answered by invalid-authzid.
    Another domain of the same certificate is refused, too: §6.4.6 wants it to match the 'from' of the stream.
    """
    if not authzid:
        return None

    try:
        return None if normalize_domain(authzid) == sender else SASLCondition.INVALID_AUTHZID
    except AddressError:
        return SASLCondition.INVALID_AUTHZID


def attempt_is_allowed(failures: int) -> bool:
    """§6.4.5: "If the initiating entity exceeds the number of retries, the receiving entity MUST close the stream"."""
    return failures <= RETRIES


# -- receiving entity


class ReceivingState(StrEnum):
    """How far an exchange has come at the end that judges."""

    IDLE = "idle"
    """Nothing was asked for, or the last attempt has failed."""
    CHALLENGED = "challenged"
    """An empty challenge was sent; the response is due."""
    SUCCEEDED = "succeeded"


class Request(StrEnum):
    """What the initiating entity may say."""

    AUTH = "auth"
    """``<auth/>`` for EXTERNAL with an initial response."""
    BARE_AUTH = "bare auth"
    """``<auth/>`` for EXTERNAL without one."""
    OTHER_AUTH = "other auth"
    """``<auth/>`` for no mechanism, or for one that is not offered."""
    RESPONSE = "response"
    ABORT = "abort"
    BADLY_ENCODED = "badly encoded"
    """``<auth/>`` or ``<response/>`` whose text is no base 64."""
    MALFORMED = "malformed"
    """Anything else of the namespace."""


class Reaction(StrEnum):
    """What is done about it."""

    JUDGE = "judge the authorization identity"
    CHALLENGE = "send an empty challenge"
    FAIL = "send a failure"


@dataclass(frozen=True, slots=True)
class Step:
    """The state that follows, what is done, and the condition if that is a failure."""

    state: ReceivingState
    reaction: Reaction
    condition: SASLCondition | None = None


def _fails(condition: SASLCondition, state: ReceivingState = ReceivingState.IDLE) -> Step:
    return Step(state, Reaction.FAIL, condition)


_IDLE, _CHALLENGED, _SUCCEEDED = ReceivingState
_JUDGED = Step(_IDLE, Reaction.JUDGE)

#: §6.4.2-§6.4.4: in both states that wait an <auth/> begins anew, "MUST discard the ongoing handshake".
_ALWAYS = {
    Request.AUTH: _JUDGED,
    # RFC 4422 §5: a mechanism that wants a response first gets it by an empty challenge.
    Request.BARE_AUTH: Step(_CHALLENGED, Reaction.CHALLENGE),
    Request.OTHER_AUTH: _fails(SASLCondition.INVALID_MECHANISM),
    Request.ABORT: _fails(SASLCondition.ABORTED),
    Request.BADLY_ENCODED: _fails(SASLCondition.INCORRECT_ENCODING),
    Request.MALFORMED: _fails(SASLCondition.MALFORMED_REQUEST),
}

ReceivingTable = Mapping[tuple[ReceivingState, Request], Step]

RECEIVING: ReceivingTable = {
    **{(_IDLE, request): step for request, step in _ALWAYS.items()},
    # Nothing was asked of the peer.
    (_IDLE, Request.RESPONSE): _fails(SASLCondition.MALFORMED_REQUEST),
    **{(_CHALLENGED, request): step for request, step in _ALWAYS.items()},
    (_CHALLENGED, Request.RESPONSE): _JUDGED,
    # §6.4.6: after success there is a new stream, on which nobody needs to prove anything again.
    **{(_SUCCEEDED, request): _fails(SASLCondition.NOT_AUTHORIZED, _SUCCEEDED) for request in Request},
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes to the initiating entity; nothing but the end of the stream when `exhausted`."""

    element: Element | None
    succeeded: bool = False
    condition: SASLCondition | None = None
    exhausted: bool = False


class Receiving:
    """The end that judges, for one stream.

    `judge` says why an authorization identity (empty: none) will not do. The functions are decisions; a deliberate
    defect replaces one of them.
    """

    def __init__(
        self,
        judge: Callable[[str], SASLCondition | None],
        *,
        mechanism_is_ours: Callable[[str | None], bool] = mechanism_is_ours,
        decode: Callable[[str], bytes | None] = decode,
        attempt_is_allowed: Callable[[int], bool] = attempt_is_allowed,
        table: ReceivingTable = RECEIVING,
    ) -> None:
        self._judge, self._mechanism_is_ours, self._decode = judge, mechanism_is_ours, decode
        self._attempt_is_allowed, self._table = attempt_is_allowed, table
        self.state = ReceivingState.IDLE
        self.failures = 0

    def handle(self, element: Element, refusal: SASLCondition | None = None) -> Reply:
        """Take an element of SASL, and give what is answered; `refusal`: why an ``<auth/>`` fails whatever it says."""
        request, data = self._read(element)

        if not self._attempt_is_allowed(self.failures):
            return Reply(None, exhausted=True)

        if refusal is not None and element.tag == AUTH:
            step = Step(self.state, Reaction.FAIL, refusal)
        else:
            step = self._table[self.state, request]

        self.state = step.state

        if step.reaction is Reaction.CHALLENGE:
            return Reply(Element(CHALLENGE))

        condition = self._verdict(data) if step.reaction is Reaction.JUDGE else step.condition

        if condition is None:
            self.state = ReceivingState.SUCCEEDED
            return Reply(Element(SUCCESS), succeeded=True)

        self.failures += 1

        return Reply(failure(condition), condition=condition)

    def _read(self, element: Element) -> tuple[Request, bytes]:
        if len(element):
            return Request.MALFORMED, b""

        if element.tag == ABORT:
            return Request.ABORT, b""

        if element.tag not in (AUTH, RESPONSE):
            return Request.MALFORMED, b""

        if element.tag == AUTH and not self._mechanism_is_ours(element.get("mechanism")):
            return Request.OTHER_AUTH, b""

        text = element.text or ""

        if not text:
            return Request.BARE_AUTH if element.tag == AUTH else Request.RESPONSE, b""

        data = self._decode(text)

        if data is None:
            return Request.BADLY_ENCODED, b""

        return Request.AUTH if element.tag == AUTH else Request.RESPONSE, data

    def _verdict(self, data: bytes) -> SASLCondition | None:
        # RFC 4422 appendix A.1: the authorization identity is UTF-8 without NUL.
        try:
            authzid = data.decode("utf-8")
        except UnicodeDecodeError:
            return SASLCondition.MALFORMED_REQUEST

        return SASLCondition.MALFORMED_REQUEST if "\0" in authzid else self._judge(authzid)


# -- initiating entity


class InitiatingState(StrEnum):
    """How far an exchange has come at the end that is judged."""

    ASKED = "asked"
    """``<auth/>`` was sent."""
    ANSWERED = "answered"
    """An empty challenge came and was answered."""
    ABORTING = "aborting"
    """``<abort/>`` was sent; the failure that acknowledges it is due."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Answer(StrEnum):
    """What the receiving entity may say."""

    CHALLENGE = "challenge"
    """An empty one: EXTERNAL knows no other (RFC 4422 appendix A)."""
    CHALLENGE_WITH_DATA = "challenge with data"
    SUCCESS = "success"
    FAILURE = "failure"
    OTHER = "other"
    """Anything else of the namespace, and what is no base 64: §13.9.1 has both ends verify it."""


class Sends(StrEnum):
    """What is sent in answer."""

    NOTHING = "nothing"
    RESPONSE = "the response"
    ABORT = "an abort"


_ASKED, _ANSWERED, _ABORTING, _DONE, _FAILED = InitiatingState
_ENDS = {Answer.SUCCESS: (_DONE, Sends.NOTHING), Answer.FAILURE: (_FAILED, Sends.NOTHING)}
_ABORTS = (_ABORTING, Sends.ABORT)

InitiatingTable = Mapping[tuple[InitiatingState, Answer], tuple[InitiatingState, Sends]]

INITIATING: InitiatingTable = {
    **{(state, answer): step for state in (_ASKED, _ANSWERED, _ABORTING) for answer, step in _ENDS.items()},
    # §6.3.10: "clients and servers MUST support the less efficient modes as well", whatever the <auth/> held.
    (_ASKED, Answer.CHALLENGE): (_ANSWERED, Sends.RESPONSE),
    (_ASKED, Answer.CHALLENGE_WITH_DATA): _ABORTS,
    (_ASKED, Answer.OTHER): _ABORTS,
    **{(_ANSWERED, answer): _ABORTS for answer in Answer if answer not in _ENDS},
    **{(_ABORTING, answer): (_ABORTING, Sends.NOTHING) for answer in Answer if answer not in _ENDS},
    **{(state, answer): (state, Sends.NOTHING) for state in (_DONE, _FAILED) for answer in Answer},
}


class Initiating:
    """The end that is judged, for one exchange; `authzid` empty: to act as what the certificate says."""

    def __init__(self, authzid: str, *, table: InitiatingTable = INITIATING) -> None:
        self._response, self._table = encode(authzid), table
        self.state = InitiatingState.ASKED
        self.condition: SASLCondition | None = None
        """Why it failed."""

    def begin(self) -> Element:
        """``<auth/>`` with its initial response."""
        element = Element(AUTH, {"mechanism": MECHANISM})
        element.text = self._response

        return element

    def handle(self, element: Element) -> Element | None:
        """Take an element of SASL, and give what is answered, if anything is."""
        answer = _read_answer(element)
        self.state, sends = self._table[self.state, answer]

        if self.state is InitiatingState.FAILED and self.condition is None:
            self.condition = failure_condition(element)

        if sends is Sends.RESPONSE:
            reply = Element(RESPONSE)
            reply.text = self._response

            return reply

        return Element(ABORT) if sends is Sends.ABORT else None


def _read_answer(element: Element) -> Answer:
    if element.tag == FAILURE:
        return Answer.FAILURE

    data = decode(element.text) if element.text else b""

    if data is None or len(element):
        return Answer.OTHER

    if element.tag == CHALLENGE:
        return Answer.CHALLENGE_WITH_DATA if data else Answer.CHALLENGE

    return Answer.SUCCESS if element.tag == SUCCESS else Answer.OTHER
