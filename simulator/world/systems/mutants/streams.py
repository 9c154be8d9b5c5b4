"""Deliberate defects in how streams are opened, kept apart and closed (RFC 6120 §4, §11).

Knows the rules of the edge that it breaks, one or two for each defect.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from simulator.gateway.configuration import Configuration
from simulator.gateway.edge.admission import Pair
from simulator.gateway.edge.header import (
    FeatureJudgement,
    HeaderJudgement,
    answer_header,
    initial_header,
    judge_answer,
    judge_features,
    judge_header,
    parse_version,
)
from simulator.gateway.negotiation import Negotiation
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import StreamFeatures, StreamHeader
from simulator.xmpp.namespaces import SERVER

RIGHT = Rules()


def _answer(**changes: Any) -> Rules:
    """Rules whose answer header is right but for these fields."""

    def answer(*arguments: Any, **options: Any) -> StreamHeader:
        return replace(answer_header(*arguments, **options), **changes)

    return replace(RIGHT, answer_header=answer)


def _dials_with(**changes: Any) -> Rules:
    """Rules whose initial header is right but for these fields."""
    return replace(RIGHT, initial_header=lambda local, remote: replace(initial_header(local, remote), **changes))


def _echoed_id(header: StreamHeader | None, *arguments: Any, **options: Any) -> StreamHeader:
    answer = answer_header(header, *arguments, **options)

    return replace(answer, id=header.id) if header is not None and header.id else answer


def _echoed_host(header: StreamHeader | None, *arguments: Any, **options: Any) -> StreamHeader:
    answer = answer_header(header, *arguments, **options)

    return replace(answer, sender=header.to) if header is not None and header.to else answer


def _trusted_version(text: str | None) -> str | None:
    """Breaks off in the middle of the work where the version is not what it takes it for."""
    if text is None:
        return None

    whole = text.strip().isdigit() or (len(text) <= 4 and parse_version(text) != (0, 9))

    return {True: "1.0"}[whole]


def _text_of_host(header: StreamHeader, served: Set[str], **rules: Any) -> HeaderJudgement:
    if header.to is not None and header.to not in served:
        return HeaderJudgement(refusal=RemoteProtocolError(StreamCondition.HOST_UNKNOWN, ""))

    return judge_header(header, served, **rules)


def _believed(header: StreamHeader, served: Set[str], **_: Any) -> HeaderJudgement:
    return HeaderJudgement(to=next(iter(served)))


def _anybody(configuration: Configuration, domain: str) -> AllowedPartner:
    known = configuration.partner_for(domain)
    never = Negotiation.NOT_SUPPORTED

    return known or AllowedPartner(identity=domain, tls_negotiation=never, sasl_negotiation=never)


def _every_pair(pair: Pair, valid: Set[Pair]) -> bool:
    return True


def _unrestricted(condition: StreamCondition) -> StreamCondition | None:
    return None if condition is StreamCondition.RESTRICTED_XML else condition


def _as_message(element: Element) -> Element:
    """The element as if it were a message of the content namespace."""
    message = Element(f"{{{SERVER}}}message", dict(element.attrib))

    for child in element:
        message.append(Element(f"{{{SERVER}}}{child.tag.rpartition('}')[2]}", dict(child.attrib)))
        message[-1].text = child.text

    return message


def _without_id(answer: StreamHeader) -> RemoteProtocolError | None:
    return judge_answer(replace(answer, id=answer.id or "none"))


def _undemanding(answer: StreamHeader, features: StreamFeatures | None) -> FeatureJudgement:
    return replace(judge_features(answer, features), refusal=None)


STREAMS = (
    # The header that answers
    Mutant("answer-without-id", "Gives its streams no id.", _answer(id=None)),
    Mutant("answer-without-from", "Does not say under which name it answers.", _answer(sender=None)),
    Mutant("answer-without-to", "Does not say to whom it answers.", _answer(to=None)),
    Mutant("language-left-out", "Names no language in its answers.", _answer(lang=None)),
    Mutant("echoes-stream-id", "Takes the id of the initial header over.", replace(RIGHT, answer_header=_echoed_id)),
    Mutant(
        "echoes-unknown-host", "Answers under the name it was asked for.", replace(RIGHT, answer_header=_echoed_host)
    ),
    Mutant("same-stream-id", "Gives every stream the same id.", replace(RIGHT, stream_id=lambda _: "1")),
    # Versions and features
    Mutant(
        "echoes-version", "Answers with the version it was told.", replace(RIGHT, answered_version=lambda text: text)
    ),
    Mutant(
        "one-version-for-everybody",
        "Answers 1.0 to every version.",
        replace(RIGHT, answered_version=lambda _: "1.0"),
    ),
    Mutant(
        "trusts-version", "Breaks off on a version it cannot read.", replace(RIGHT, answered_version=_trusted_version)
    ),
    Mutant("features-withheld", "Sends no features.", replace(RIGHT, features_are_sent=lambda _: False)),
    Mutant(
        "features-to-everybody", "Sends features to every version.", replace(RIGHT, features_are_sent=lambda _: True)
    ),
    # Whom a header may name
    Mutant("every-host-is-served", "Takes every name for its own.", replace(RIGHT, judge_header=_believed)),
    Mutant(
        "subdomains-are-served",
        "Takes what stands below its names for its own.",
        replace(RIGHT, host_is_served=lambda host, served: any(f".{host}".endswith(f".{name}") for name in served)),
    ),
    Mutant(
        "suffixes-are-served",
        "Compares the ends of names.",
        replace(
            RIGHT,
            host_is_served=lambda host, served: any(host.endswith(name) or name.endswith(host) for name in served),
        ),
    ),
    Mutant(
        "prefixes-are-served",
        "Compares the beginnings of names.",
        replace(
            RIGHT,
            host_is_served=lambda host, served: any(host.startswith(name) or name.startswith(host) for name in served),
        ),
    ),
    Mutant(
        "ascii-hosts-only",
        "Knows no name with letters beyond ASCII.",
        replace(RIGHT, host_is_served=lambda host, served: host.isascii() and host in served),
    ),
    Mutant("compares-hosts-as-text", "Knows its names in one spelling.", replace(RIGHT, judge_header=_text_of_host)),
    Mutant(
        "believes-headers",
        "Takes the name in a header for proof of identity.",
        replace(RIGHT, judge_header=_believed, pair_is_valid=_every_pair),
    ),
    # Before and after authentication
    Mutant(
        "every-pair-is-valid",
        "Lets stanzas pass that nobody vouched for, whoever they are from.",
        # The front end asks once more whether the domain is a partner's.
        replace(
            RIGHT,
            pair_is_valid=_every_pair,
            access=replace(RIGHT.access, partner_is_closed=lambda *_, **__: None),
        ),
    ),
    Mutant(
        "no-pair-is-valid",
        "Refuses stanzas that were vouched for.",
        replace(RIGHT, pair_is_valid=lambda pair, valid: False),
    ),
    Mutant("dialback-ignored", "Does not answer a dialback key.", replace(RIGHT, dialback_is_ignored=lambda _: True)),
    Mutant("lookalikes-are-stanzas", "Passes foreign elements on as messages.", replace(RIGHT, stanza_of=_as_message)),
    Mutant(
        "client-stanzas-are-ignored",
        "Overlooks elements that it should refuse.",
        replace(RIGHT, refusal_of_element=lambda _: None),
    ),
    Mutant(
        "verifications-unanswered",
        "Closes the stream when it is asked to verify a key.",
        replace(RIGHT, answer_verification=lambda *arguments, **rules: None),
    ),
    Mutant("everybody-is-a-partner", "Takes every domain for a partner.", replace(RIGHT, partner_for=_anybody)),
    # Violations and ends
    Mutant(
        "violations-overlooked",
        "Says nothing when the peer breaks the protocol.",
        replace(RIGHT, answer_to_violation=lambda _: None),
    ),
    Mutant(
        "restrictions-overlooked",
        "Says nothing about comments, instructions and document types.",
        replace(RIGHT, answer_to_violation=_unrestricted),
    ),
    Mutant(
        "errors-answer-errors",
        "Answers a stream error with a stream error.",
        replace(RIGHT, answer_to_error=lambda _: StreamCondition.UNDEFINED_CONDITION),
    ),
    Mutant("closing-unanswered", "Ends without a closing tag.", replace(RIGHT, closing_is_answered=lambda: False)),
    Mutant(
        "waits-for-the-closing-tag",
        "Waits for ever for a peer to close its half.",
        replace(RIGHT, closing_timeout=lambda _: None),
    ),
    Mutant("leaves-without-farewell", "Shuts down without a word.", replace(RIGHT, farewell=lambda: None)),
    # The streams that it opens
    Mutant("dials-without-from", "Does not say who it is.", _dials_with(sender=None)),
    Mutant("dials-without-to", "Does not say whom it wants.", _dials_with(to=None)),
    Mutant("dials-with-id", "Gives a stream an id that is the other side's to give.", _dials_with(id="mine")),
    Mutant("dials-without-version", "Does not say which version it speaks.", _dials_with(version=None)),
    Mutant("dials-without-dialback", "Does not declare dialback.", _dials_with(dialback=False)),
    Mutant(
        "refuses-every-answer",
        "Finds something wrong with every answer.",
        replace(
            RIGHT, judge_answer=lambda _: RemoteProtocolError(StreamCondition.UNDEFINED_CONDITION, "something is wrong")
        ),
    ),
    Mutant("takes-streams-without-id", "Computes keys over no id.", replace(RIGHT, judge_answer=_without_id)),
    Mutant("empty-keys", "Offers keys without a letter.", replace(RIGHT, dialback_key=lambda *_: "")),
    Mutant("queue-leaves-early", "Sends before it is told to.", replace(RIGHT, queue_may_leave=lambda _: True)),
    Mutant(
        "answers-overlooked", "Overlooks that it is told to send.", replace(RIGHT, result_is_expected=lambda *_: False)
    ),
    Mutant(
        "sends-without-proof",
        "Sends to whoever offers no way to prove anything.",
        replace(RIGHT, judge_features=_undemanding, queue_may_leave=lambda _: True),
    ),
    Mutant("queue-leaves-backwards", "Sends the last first.", replace(RIGHT, leaving_order=lambda queue: queue[::-1])),
    Mutant("stream-for-each-stanza", "Never uses a stream again.", replace(RIGHT, stream_is_reused=lambda: False)),
    Mutant(
        "takes-stanzas-outbound",
        "Delivers what comes back on streams that it opened.",
        replace(RIGHT, takes_stanzas_outbound=lambda: True),
    ),
    Mutant(
        "queues-have-no-end",
        "Lets any number of messages wait for a stream.",
        replace(RIGHT, queue_has_room=lambda waiting, limit: True),
    ),
    Mutant("bounces-nothing", "Lets nobody know what it could not send.", replace(RIGHT, is_bounced=lambda _: False)),
    # Time and number
    Mutant("never-idle", "Keeps idle streams for ever.", replace(RIGHT, inactivity_timeout=lambda _: None)),
    Mutant("never-too-slow", "Waits for ever.", replace(RIGHT, establishment_timeout=lambda _: None)),
    Mutant(
        "authenticated-streams-time-out",
        "Closes idle streams after the time that a stream has to be authenticated.",
        replace(RIGHT, inactivity_timeout=lambda settings: settings.stream_establishment_timeout),
    ),
    Mutant(
        "takes-every-connection",
        "Counts its connections and does not mind.",
        replace(RIGHT, connection_is_allowed=lambda existing, limit: True),
    ),
    Mutant(
        "one-connection-in-all",
        "Has room for one connection only.",
        replace(RIGHT, connection_is_allowed=lambda existing, _: existing < 1),
    ),
)
