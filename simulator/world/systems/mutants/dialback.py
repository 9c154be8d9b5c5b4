"""Deliberate defects in server dialback: keys, roles, and several pairs on one stream (XEP-0220, XEP-0185).

Knows the rules of the edge that it breaks, one or two for each defect.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Set
from dataclasses import replace
from typing import Any

from simulator.gateway.configuration import Configuration
from simulator.gateway.edge.admission import Action, Pair, RequestJudgement, StreamFacts, judge_request
from simulator.gateway.edge.answers import answer_verification
from simulator.gateway.edge.header import answer_header
from simulator.gateway.negotiation import Negotiation
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.dialback import dialback_key
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.events import DialbackVerify, StreamHeader

RIGHT = Rules()

#: (secret, receiving, originating, stream id) -> key
Key = Callable[[str, str, str, str], str]


def _keyed(make: Key) -> Rules:
    """Rules that make keys in this way, and check them in the same."""
    return replace(RIGHT, dialback_key=make, key_is_valid=lambda key, *parts: key == make(*parts))


def _checked(same: Callable[[str, str], bool]) -> Rules:
    """Rules that make the right key and take another for it: ``same(key, right)``."""
    return replace(RIGHT, key_is_valid=lambda key, *parts: same(key, dialback_key(*parts)))


def _without_separators(secret: str, receiving: str, originating: str, stream_id: str) -> str:
    return _mac(hashlib.sha256(secret.encode()).hexdigest().encode(), receiving + originating + stream_id)


def _over_raw_digest(secret: str, receiving: str, originating: str, stream_id: str) -> str:
    return _mac(hashlib.sha256(secret.encode()).digest(), f"{receiving} {originating} {stream_id}")


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def _partly_the_same(key: str, right: str) -> bool:
    """Compares what both have, from the beginning or from the end, once around or but for the first digit."""
    return key in right + right or right in key or key[1:] == right[1:]


def _without_number(sender: str | None, to: str | None, key: str, facts: StreamFacts, **rules: Any) -> RequestJudgement:
    return judge_request(sender, to, key, replace(facts, most_pairs=1000000), **rules)


def _once_only(sender: str | None, to: str | None, key: str, facts: StreamFacts, **rules: Any) -> RequestJudgement:
    judged = judge_request(sender, to, key, facts, **rules)
    again = judged.pair in facts.pending

    return replace(judged, action=Action.REFUSE, condition=StanzaCondition.CONFLICT) if again else judged


def _parts_are_valid(pair: Pair, valid: Set[Pair]) -> bool:
    return any(pair[0] == sender for sender, _ in valid) and any(pair[1] == target for _, target in valid)


def _passed_over(sender: str | None, to: str | None, key: str, facts: StreamFacts, **rules: Any) -> RequestJudgement:
    judged = judge_request(sender, to, key, facts, **rules)

    return replace(judged, action=Action.IGNORE) if judged.action is Action.ANSWER_VALID else judged


def _waved_through(sender: str | None, to: str | None, key: str, facts: StreamFacts, **rules: Any) -> RequestJudgement:
    judged = judge_request(sender, to, key, facts, **rules)

    return replace(judged, action=Action.ANSWER_VALID) if judged.action is Action.CLOSE else judged


def _anybody(configuration: Configuration, domain: str) -> AllowedPartner:
    never = Negotiation.NOT_SUPPORTED

    return AllowedPartner(identity=domain, tls_negotiation=never, sasl_negotiation=never)


def _of_letters(request: DialbackVerify, *arguments: Any, **rules: Any) -> DialbackVerify | None:
    answer = answer_verification(request, *arguments, **rules)

    return answer and replace(answer, id=re.sub("[^a-z]", "", answer.id or ""))


def _as_it_came(request: DialbackVerify, *arguments: Any, **rules: Any) -> DialbackVerify | None:
    answer = answer_verification(request, *arguments, **rules)

    return answer and replace(answer, sender=answer.to, to=answer.sender)


def _trusting(request: DialbackVerify, *arguments: Any, **rules: Any) -> DialbackVerify | None:
    """Answers a question that lacks something as if it were about itself."""
    answer = answer_verification(request, *arguments, **rules)

    return answer or DialbackVerify(sender=request.to, to=request.sender, id=request.id, type="valid")


def _header_without_dialback(*arguments: Any, **options: Any) -> StreamHeader:
    return replace(answer_header(*arguments, **options), dialback=False)


DIALBACK = (
    # Keys
    Mutant(
        "key-ignores-stream-id", "Makes one key for every stream.", _keyed(lambda s, r, o, _: dialback_key(s, r, o, ""))
    ),
    Mutant(
        "key-ignores-target", "Makes one key for every target.", _keyed(lambda s, _, o, i: dialback_key(s, "", o, i))
    ),
    Mutant(
        "key-ignores-sender", "Makes one key for all its domains.", _keyed(lambda s, r, _, i: dialback_key(s, r, "", i))
    ),
    Mutant("key-without-separators", "Joins what a key is made of without a space.", _keyed(_without_separators)),
    Mutant("key-over-raw-digest", "Uses the octets of the secret's digest.", _keyed(_over_raw_digest)),
    Mutant("key-in-capitals", "Writes keys in capitals.", _keyed(lambda *parts: dialback_key(*parts).upper())),
    Mutant("every-key-is-valid", "Vouches for whatever it is asked about.", _checked(lambda key, right: True)),
    Mutant("no-key-is-valid", "Denies its own keys.", _checked(lambda key, right: False)),
    Mutant("keys-are-compared-in-part", "Takes what looks like a key for it.", _checked(_partly_the_same)),
    Mutant("own-keys-are-denied", "Denies the keys that it has made.", replace(RIGHT, key_is_valid=lambda *_: False)),
    Mutant(
        "capitals-are-the-same",
        "Takes a key in capitals for the key.",
        _checked(lambda key, right: key.lower() == right),
    ),
    # The initiating server
    Mutant(
        "any-result-is-believed",
        "Takes every answer for the one it waits for.",
        replace(RIGHT, result_is_expected=lambda pair, pending: True),
    ),
    Mutant(
        "any-answer-lets-the-queue-leave",
        "Sends after every answer.",
        replace(RIGHT, queue_may_leave=lambda answer: answer is not None),
    ),
    Mutant(
        "unknown-answers-let-the-queue-leave",
        "Sends after every answer that is neither invalid nor an error.",
        replace(RIGHT, queue_may_leave=lambda answer: answer not in (None, "invalid", "error")),
    ),
    Mutant(
        "every-bounce-is-a-timeout",
        "Says that the peer did not answer, whatever it said.",
        replace(RIGHT, bounce_condition=lambda _: StanzaCondition.REMOTE_SERVER_TIMEOUT),
    ),
    Mutant(
        "every-bounce-is-not-found",
        "Says that the peer was not found, whatever it said.",
        replace(RIGHT, bounce_condition=lambda _: StanzaCondition.REMOTE_SERVER_NOT_FOUND),
    ),
    Mutant(
        "senders-never-share",
        "Opens a stream for each of its domains.",
        replace(RIGHT, senders_share_stream=lambda _: False),
    ),
    # The receiving server
    Mutant(
        "sound-keys-are-denied",
        "Takes every verification for a denial.",
        replace(RIGHT, verification_is_positive=lambda _: False),
    ),
    Mutant(
        "all-but-denied-keys-are-good",
        "Takes every answer to a verification but a denial for a confirmation.",
        replace(RIGHT, verification_is_positive=lambda answer: answer != "invalid"),
    ),
    Mutant(
        "any-verification-is-believed",
        "Takes every answer for the one to its question, wherever it comes from.",
        replace(RIGHT, verification_is_expected=lambda question, asked: True),
    ),
    Mutant(
        "unverified-means-timeout",
        "Says that nobody answered, whatever was the matter.",
        replace(RIGHT, answer_to_unverified=lambda _: StanzaCondition.REMOTE_SERVER_TIMEOUT),
    ),
    Mutant(
        "denied-streams-live-on",
        "Leaves a stream open whose key was denied.",
        replace(RIGHT, invalid_closes_stream=lambda: False),
    ),
    Mutant(
        "errors-close-streams", "Closes the stream after an error.", replace(RIGHT, stream_survives=lambda _: False)
    ),
    Mutant(
        "any-target-is-served",
        "Takes dialback for every domain.",
        replace(RIGHT, host_is_served=lambda host, served: True),
    ),
    Mutant(
        "one-domain-is-served",
        "Forgets all of its domains but one.",
        replace(RIGHT, host_is_served=lambda host, served: host == min(served)),
    ),
    Mutant(
        "dialback-for-everybody",
        "Overlooks what is set for a partner.",
        replace(
            RIGHT,
            dialback_is_ignored=lambda _: False,
            dialback_is_allowed=lambda methods, secured: True,
            negotiation=replace(
                RIGHT.negotiation,
                starttls_is_sent=lambda methods, possible, offered: possible and offered,
                refusal_without_tls=lambda tls, mandatory: None,
            ),
        ),
    ),
    Mutant(
        "unreadable-requests-are-valid",
        "Says valid to a request whose addresses it cannot read.",
        replace(RIGHT, judge_request=_waved_through),
    ),
    Mutant(
        "believes-itself",
        "Vouches for every domain, even when it is itself that asks.",
        replace(
            RIGHT,
            host_is_served=lambda host, served: True,
            sender_is_ours=lambda sender, served: False,
            partner_for=_anybody,
            key_is_valid=lambda *_: True,
        ),
    ),
    Mutant(
        "second-keys-are-refused",
        "Refuses a key that is offered again while it is being verified.",
        replace(RIGHT, judge_request=_once_only),
    ),
    Mutant(
        "senders-and-targets-apart",
        "Keeps verified senders and verified targets in two lists.",
        replace(RIGHT, pair_is_valid=_parts_are_valid),
    ),
    Mutant(
        "pairs-without-number",
        "Verifies as many pairs as a stream asks for.",
        replace(RIGHT, judge_request=_without_number),
    ),
    Mutant(
        "valid-pairs-are-passed-over",
        "Says nothing about a pair that is valid.",
        replace(RIGHT, judge_request=_passed_over),
    ),
    Mutant(
        "questions-stay-open",
        "Keeps a stream on which it has nothing more to ask.",
        replace(RIGHT, closes_after_answer=lambda: False),
    ),
    Mutant(
        "dialback-is-not-offered",
        "Keeps to itself that it knows dialback.",
        replace(RIGHT, answer_header=_header_without_dialback),
    ),
    # The authoritative server
    Mutant("answers-unswapped", "Answers under the name of who asks.", replace(RIGHT, answer_verification=_as_it_came)),
    Mutant("ids-are-words", "Keeps of an id the letters only.", replace(RIGHT, answer_verification=_of_letters)),
    Mutant(
        "incomplete-questions-are-good",
        "Vouches for what it was not told.",
        replace(RIGHT, answer_verification=_trusting),
    ),
    Mutant("answers-are-questions", "Takes what has a type for a request.", replace(RIGHT, is_request=lambda _: True)),
)
