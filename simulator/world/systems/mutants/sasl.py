"""Deliberate defects in SASL EXTERNAL, in restarts, and in following peers elsewhere (RFC 6120 §6, §4.3.3, §4.9.3.19).

Knows the rules of negotiation that it breaks, one or two for each defect.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from simulator.gateway.edge import offering, redirecting
from simulator.gateway.edge.admission import Pair
from simulator.gateway.edge.offering import Standing
from simulator.gateway.edge.redirecting import Place
from simulator.gateway.negotiation import Method
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp import external, sasl
from simulator.xmpp.errors import SASLCondition, StreamCondition
from simulator.xmpp.external import (
    Answer,
    InitiatingState,
    Reaction,
    ReceivingState,
    Request,
    Sends,
    Step,
)
from simulator.xmpp.namespaces import SERVER

RIGHT = Rules()


def _but(**changes: Any) -> Rules:
    """Rules that are right but for these decisions about negotiation."""
    return replace(RIGHT, negotiation=replace(RIGHT.negotiation, **changes))


def _takes(**steps: Step) -> Rules:
    """Rules that take these requests otherwise, in every state but that of success."""
    waiting = (ReceivingState.IDLE, ReceivingState.CHALLENGED)
    wrong = {(state, Request[name.upper()]): step for name, step in steps.items() for state in waiting}

    return _but(external_receiving=lambda: {**external.RECEIVING, **wrong})


def _hears(answer: Answer, state: InitiatingState, sends: Sends = Sends.NOTHING) -> Rules:
    """Rules by which this answer to <auth/> means something else."""
    table = {**external.INITIATING, (InitiatingState.ASKED, answer): (state, sends)}

    return _but(external_initiating=lambda: table)


def _fails(condition: SASLCondition) -> Step:
    return Step(ReceivingState.IDLE, Reaction.FAIL, condition)


def _anybody_secured(standing: Standing) -> bool:
    return standing.secured and Method.SASL_OVER_TLS in standing.methods and not standing.authenticated


def _after_success_too(standing: Standing) -> bool:
    return standing.secured and standing.acceptable and Method.SASL_OVER_TLS in standing.methods


def _in_the_clear_too(standing: Standing) -> bool:
    return not standing.secured or offering.external_is_offered(standing)


def _without_judging(standing: Standing, offered: bool) -> SASLCondition | None:
    return None


def _beside_required(standing: Standing, **rules: Any) -> list[Element]:
    """Everything that could be offered over TLS stands beside a TLS that is required."""
    secured = replace(standing, secured=True, acceptable=True)
    found = offering.features(standing, **rules)

    return found + offering.features(secured, **rules) if not standing.secured else found


def _of_the_content(standing: Standing, **rules: Any) -> list[Element]:
    """The features, each taken out of its own namespace."""
    found = offering.features(standing, **rules)

    for feature in found:
        feature.tag = f"{{{SERVER}}}{feature.tag.rpartition('}')[2]}"

    return found


def _leniently(text: str) -> bytes | None:
    """Takes what is no base 64 for nothing."""
    return sasl.decode(text) or b""


def _made_to_fit(text: str) -> bytes | None:
    """What of the data is text without NUL."""
    data = sasl.decode(text)

    return data and data.decode(errors="ignore").replace("\0", "").encode()


def _from_everywhere(sender: str, to: str, served: Set[str]) -> Set[Pair]:
    return {(sender, domain) for domain in served}


def _whoever_offers(methods: Collection[Method], mechanisms: Collection[str], acceptable: bool) -> bool:
    return bool(mechanisms)


def _always(methods: Collection[Method], mechanisms: Collection[str], acceptable: bool) -> bool:
    return Method.SASL_OVER_TLS in methods


def _home(condition: str, content: str) -> Place | None:
    found = redirecting.place_of(condition, content)

    return found or (Place("partner.example") if condition == StreamCondition.SEE_OTHER_HOST else None)


SASL = (
    # What is offered
    Mutant("external-never-offered", "Offers EXTERNAL to nobody.", _but(external_is_offered=lambda _: False)),
    Mutant(
        "external-for-any-certificate",
        "Offers EXTERNAL whatever the peer has shown, and takes it.",
        _but(external_is_offered=_anybody_secured),
    ),
    Mutant(
        "external-after-success", "Offers EXTERNAL again after success.", _but(external_is_offered=_after_success_too)
    ),
    Mutant("external-in-the-clear", "Offers EXTERNAL without TLS, too.", _but(external_is_offered=_in_the_clear_too)),
    Mutant(
        "everything-beside-starttls",
        "Offers everything beside a TLS that is required.",
        _but(features=_beside_required),
    ),
    Mutant("features-without-namespace", "Takes its features out of their namespaces.", _but(features=_of_the_content)),
    # What is taken
    Mutant("auth-without-offer", "Takes <auth/> that nobody offered.", _but(refusal_of_auth=_without_judging)),
    Mutant(
        "every-mechanism-is-external", "Takes every mechanism for EXTERNAL.", _but(mechanism_is_ours=lambda _: True)
    ),
    Mutant("lenient-base64", "Takes what is no base 64 for nothing.", _but(decode=_leniently)),
    Mutant(
        "auth-of-any-shape",
        "Takes whatever belongs to SASL for a request.",
        _takes(malformed=Step(ReceivingState.IDLE, Reaction.JUDGE)),
    ),
    Mutant("identities-made-to-fit", "Leaves out of an identity what it does not like.", _but(decode=_made_to_fit)),
    Mutant("identities-overlooked", "Does not look at authorization identities.", _but(judge_authzid=lambda *_: None)),
    Mutant(
        "identities-unwanted",
        "Takes no authorization identity but the empty one.",
        _but(judge_authzid=lambda authzid, _: SASLCondition.NOT_AUTHORIZED if authzid else None),
    ),
    Mutant(
        "empty-identity-unwanted",
        "Wants an authorization identity.",
        _but(judge_authzid=lambda authzid, _: None if authzid else SASLCondition.NOT_AUTHORIZED),
    ),
    Mutant(
        "unknown-elements-are-no-obstacle",
        "Passes over what it does not know, and lets stanzas pass that nobody vouched for.",
        replace(RIGHT, refusal_of_element=lambda _: None, pair_is_valid=lambda pair, valid: True),
    ),
    # The order of an exchange
    Mutant(
        "initial-response-demanded",
        "Takes no <auth/> without an initial response.",
        _takes(bare_auth=_fails(SASLCondition.MALFORMED_REQUEST)),
    ),
    Mutant(
        "aborts-fail-otherwise",
        "Does not say that an exchange was aborted.",
        _takes(abort=_fails(SASLCondition.NOT_AUTHORIZED)),
    ),
    Mutant(
        "responses-unasked-count",
        "Takes a response that nobody asked for.",
        _takes(response=Step(ReceivingState.IDLE, Reaction.JUDGE)),
    ),
    Mutant(
        "exchange-cannot-begin-anew",
        "Takes no second <auth/> in an exchange.",
        _but(
            external_receiving=lambda: {
                **external.RECEIVING,
                (ReceivingState.CHALLENGED, Request.AUTH): _fails(SASLCondition.MALFORMED_REQUEST),
            }
        ),
    ),
    Mutant("attempts-without-end", "Lets a peer try as often as it wants.", _but(attempt_is_allowed=lambda _: True)),
    Mutant("one-attempt-only", "Lets a peer try once.", _but(attempt_is_allowed=lambda failures: failures < 1)),
    Mutant(
        "data-before-success-stays",
        "Does not mind what comes behind the <auth/> that succeeds.",
        _but(data_before_success_ends=lambda: False),
    ),
    # Restarts
    Mutant(
        "restart-moves-the-pair",
        "Believes whatever a header says, once anything was authenticated.",
        replace(_but(refusal_of_restart=lambda *_: None), pair_is_valid=lambda pair, valid: bool(valid)),
    ),
    Mutant("restart-changes-the-pair", "Lets a new header name others.", _but(refusal_of_restart=lambda *_: None)),
    Mutant(
        "external-for-every-host",
        "Lets EXTERNAL authorise for all that it serves.",
        replace(
            _but(pairs_of_external=_from_everywhere, refusal_of_restart=lambda *_: None),
        ),
    ),
    Mutant("remembers-before-tls", "Believes after TLS what was said before.", _but(forgets_before_tls=lambda: False)),
    # The initiating entity
    Mutant("external-not-chosen", "Never asks for EXTERNAL.", _but(external_is_chosen=lambda *_: False)),
    Mutant("external-without-offer", "Asks for EXTERNAL wherever it might.", _but(external_is_chosen=_always)),
    Mutant(
        "external-whatever-is-offered",
        "Asks for EXTERNAL as soon as there is any SASL.",
        _but(external_is_chosen=_whoever_offers),
    ),
    Mutant("acts-as-somebody-else", "Asks to act as another.", _but(authzid_of=lambda _: "another.example")),
    Mutant(
        "challenges-are-failures",
        "Gives up at a challenge.",
        _hears(Answer.CHALLENGE, InitiatingState.ABORTING, Sends.ABORT),
    ),
    Mutant("success-is-failure", "Takes success for a failure.", _hears(Answer.SUCCESS, InitiatingState.FAILED)),
    Mutant("failure-is-success", "Takes a failure for success.", _hears(Answer.FAILURE, InitiatingState.SUCCEEDED)),
    Mutant(
        "dialback-after-every-failure",
        "Tries dialback when EXTERNAL has failed, whatever the settings say.",
        replace(
            _but(dialback_after_failure=lambda *_: True),
            dialback_is_allowed=lambda methods, secured: True,
        ),
    ),
    Mutant(
        "no-dialback-after-failure", "Gives up when EXTERNAL has failed.", _but(dialback_after_failure=lambda *_: False)
    ),
    Mutant(
        "stanzas-before-features",
        "Does not wait for the features that follow success.",
        _but(features_after_success_are_awaited=lambda: False),
    ),
    Mutant(
        "every-server-is-believed",
        "Takes every certificate of a server.",
        _but(certificate_matters=lambda _: False, external_is_chosen=_always),
    ),
    # Peers that send us elsewhere
    Mutant("redirects-overlooked", "Does not go where it is sent.", _but(place_of=lambda *_: None)),
    Mutant(
        "redirects-change-sni",
        "Names the host that it was sent to in TLS.",
        _but(sni_of=lambda remote, host: host),
    ),
    Mutant("redirects-lead-home", "Goes back where it came from when it is sent nowhere.", _but(place_of=_home)),
    Mutant("one-redirect-only", "Goes elsewhere once.", _but(redirect_is_followed=lambda followed: followed < 1)),
    Mutant("redirects-without-end", "Goes wherever it is sent, for ever.", _but(redirect_is_followed=lambda _: True)),
    Mutant(
        "redirects-change-the-identity",
        "Wants the certificate of the host that it was sent to.",
        _but(identity_of=lambda remote, host: host),
    ),
    Mutant(
        "plain-text-after-all",
        "Goes on in plain text where TLS is required.",
        replace(
            _but(refusal_without_tls=lambda *_: None, starttls_is_sent=lambda methods, possible, offered: offered),
            dialback_is_allowed=lambda methods, secured: True,
        ),
    ),
)
