"""Decisions about dialback keys, and about which answers to believe (XEP-0220, XEP-0185). Pure.

Knows requests and answers as values. Does not know streams: whether a request was sent on the stream that the answer
came on is an argument. Sections without a name are those of XEP-0220.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Set

from simulator.gateway.edge.admission import Pair
from simulator.xmpp.address import AddressError, normalize_domain
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.events import DialbackResult, DialbackVerify

#: what identifies a verification: (the domain that asks, the domain that is asked, the id of the inbound stream)
Question = tuple[str, str, str]


def pair_of_answer(answer: DialbackResult) -> Pair | None:
    """The pair that a ``<db:result/>`` answer is about: addresses are swapped in answers."""
    try:
        return normalize_domain(answer.to or ""), normalize_domain(answer.sender or "")
    except AddressError:
        return None


def question_of_answer(answer: DialbackVerify) -> Question | None:
    """The verification that a ``<db:verify/>`` answer is about."""
    try:
        return normalize_domain(answer.to or ""), normalize_domain(answer.sender or ""), answer.id or ""
    except AddressError:
        return None


def is_request(type_: str | None) -> bool:
    """Whether an element on an inbound stream asks for something; with a type it is an answer, and out of place.

    §2.2: "the 'type' should not be set on either <db:result/> or <db:verify/> elements received on an inbound
    connection".
    """
    return type_ is None


def closes_after_answer() -> bool:
    """§2.1.2: a connection "for the sole purpose of doing key verification […] SHOULD close […] immediately after
    receiving the verification result"."""
    return True


def result_is_expected(pair: Pair, pending: Set[Pair]) -> bool:
    """§2.1.1: "MUST ensure that the 'from' and 'to' attributes in this response correlate to a request that was sent
    over the same XML stream"; `pending` are the pairs requested on that stream."""
    return pair in pending


def verification_is_expected(question: Question, asked_on_this_stream: Collection[Question]) -> bool:
    """§2.1.2: "MUST ensure that the values of the 'from', 'to' and 'id' attributes correlate to a request that was
    sent over the same XML stream"."""
    return question in asked_on_this_stream


def queue_may_leave(answer: str | None) -> bool:
    """§2.1.1: queued stanzas leave after ``valid`` only; None: the key was sent, and nothing answered yet."""
    return answer == "valid"


def verification_is_positive(answer: str | None) -> bool:
    """Only the type ``valid`` says that a key is valid: neither its absence nor an unknown type does."""
    return answer == "valid"


def answer_verification(
    request: DialbackVerify,
    served: Set[str],
    secret: str,
    *,
    host_is_served: Callable[[str, Set[str]], bool],
    key_is_valid: Callable[[str, str, str, str, str], bool],
) -> DialbackVerify | None:
    """Our answer as authoritative server (§2.2.2); None when the request lacks what an answer must repeat."""
    if not request.sender or not request.to or not request.id:
        return None

    try:
        receiving, originating = normalize_domain(request.sender), normalize_domain(request.to)
    except AddressError:
        return None

    if not host_is_served(originating, served):
        condition: str | None = StanzaCondition.ITEM_NOT_FOUND
        kind = "error"
    else:
        condition = None
        good = key_is_valid(request.key, secret, receiving, originating, request.id)
        kind = "valid" if good else "invalid"

    # "MUST possess 'from' and 'to' attributes whose values are swapped from the request": as they were written.
    return DialbackVerify(sender=request.to, to=request.sender, id=request.id, type=kind, condition=condition)
