"""Decisions about stream headers and features, ours and the peer's (RFC 6120 §4.2, §4.7, §4.9.3). Pure.

Knows what a header may say and what is answered. Does not know connections or the order of things on a stream.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.xmpp.address import AddressError, normalize_domain
from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import StreamFeatures, StreamHeader
from simulator.xmpp.namespaces import DIALBACK_FEATURE, SERVER

_VERSION = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")

#: what we write texts of errors in
LANGUAGE = "en"


def parse_version(text: str | None) -> tuple[int, int]:
    """Major and minor version; what is absent, or is no version at all, counts as 0.9.

    RFC 6120 §4.7.5: "leading zeros […] MUST be ignored", and without the attribute "the entity MUST consider the
    version supported by the other entity to be "0.9"".
    """
    found = _VERSION.fullmatch(text or "")

    return (int(found[1]), int(found[2])) if found else (0, 9)


def answered_version(text: str | None) -> str | None:
    """The version in our answer to a header with this version: the lower of the two; none when it has none.

    §4.7.5: "either the value supplied by the initiating entity or the highest version number supported by the
    receiving entity, whichever is lower", compared as numbers; to a header without one we "SHOULD NOT include" it.
    """
    if not _VERSION.fullmatch(text or ""):
        return None

    return "{}.{}".format(*min(parse_version(text), (1, 0)))


def features_are_sent(text: str | None) -> bool:
    """§4.3.2: features follow the answer header when the version is at least 1.0; a 0.9 peer does not know them."""
    return parse_version(text) >= (1, 0)


@dataclass(frozen=True, slots=True)
class HeaderJudgement:
    """What a header from a peer amounts to: normalised domains where given, and why it is refused, if it is."""

    to: str | None = None
    sender: str | None = None
    refusal: RemoteProtocolError | None = None


def judge_header(
    header: StreamHeader,
    served: Set[str],
    *,
    host_is_served: Callable[[str, Set[str]], bool],
    sender_is_ours: Callable[[str, Set[str]], bool],
    sender_is_allowed: Callable[[str], bool],
    unknown_host: Callable[[str], StreamCondition] = lambda _: StreamCondition.HOST_UNKNOWN,
) -> HeaderJudgement:
    """Judge the header that opens an inbound stream.

    §4.7.1 and §4.7.2 ask to be liberal towards headers without 'from' and 'to': the pair comes with the dialback
    request then. COMPAT: Google Talk and jabberd 1.4 leave them out.
    """
    if header.content_namespace != SERVER:
        return _refused(StreamCondition.INVALID_NAMESPACE, "streams between servers carry jabber:server")

    try:
        to = None if header.to is None else normalize_domain(header.to)
        sender = None if header.sender is None else normalize_domain(header.sender)
    except AddressError as error:
        # §4.9.3.7: "the value violates the rules for XMPP addresses".
        return _refused(StreamCondition.IMPROPER_ADDRESSING, str(error))

    if to is not None and not host_is_served(to, served):
        # §4.9.3.6: "the value of the 'to' attribute […] does not correspond to an FQDN that is serviced".
        return _refused(unknown_host(to), sender=sender)

    if sender is not None and sender_is_ours(sender, served):
        return _refused(StreamCondition.INVALID_FROM, "that domain is served here", to=to)

    if sender is not None and not sender_is_allowed(sender):
        # §13.14 leaves who may federate to local policy.
        return _refused(StreamCondition.POLICY_VIOLATION, "this domain is not an allowed partner", to=to, sender=sender)

    return HeaderJudgement(to=to, sender=sender)


def unknown_host(domain: str, former: Set[str]) -> StreamCondition:
    """The stream error for a domain that is not served.

    §4.9.3.5: host-gone for one that "is no longer serviced by the receiving entity"; §4.9.3.6: else host-unknown.
    """
    return StreamCondition.HOST_GONE if domain in former else StreamCondition.HOST_UNKNOWN


def _refused(
    condition: StreamCondition, text: str = "", *, to: str | None = None, sender: str | None = None
) -> HeaderJudgement:
    return HeaderJudgement(to=to, sender=sender, refusal=RemoteProtocolError(condition, text))


def answer_header(
    header: StreamHeader | None,
    judgement: HeaderJudgement,
    own: str,
    stream_id: str,
    *,
    answered_version: Callable[[str | None], str | None] = answered_version,
) -> StreamHeader:
    """The header we answer with; `own` is our name where the peer asked for none of ours.

    §4.9.1.3: "the value of the 'from' attribute […] MUST be either an authoritative FQDN […] or the empty string";
    a name that we do not serve is never echoed.
    """
    return StreamHeader(
        sender=judgement.to or own,
        to=judgement.sender,
        id=stream_id,
        version=answered_version(header.version) if header is not None else "1.0",
        # §4.7.4: "the receiving entity MUST include the 'xml:lang' attribute", its default language where it does
        # not speak the one that was asked for.
        lang=LANGUAGE,
    )


def stream_id(fresh: str) -> str:
    """The id of a stream that reached us: `fresh` is random text, used for nothing else (§4.7.3)."""
    return fresh


def initial_header(local: str, remote: str) -> StreamHeader:
    """The header that opens a stream from one of our domains to a partner's (§4.7): 'from', 'to', 1.0, no id."""
    return StreamHeader(sender=local, to=remote, lang=LANGUAGE)


def dialback_feature() -> Element:
    """``<dialback><errors/></dialback>``: we handle dialback errors (XEP-0220 §2.4.2)."""
    feature = Element(f"{{{DIALBACK_FEATURE}}}dialback")
    feature.append(Element(f"{{{DIALBACK_FEATURE}}}errors"))

    return feature


def judge_answer(header: StreamHeader) -> RemoteProtocolError | None:
    """Judge the header that answers ours on an outbound stream.

    Its 'from' and 'to' prove nothing and are not compared (§4.7.1, §4.7.2 ask to be liberal): dialback decides.
    """
    if header.content_namespace != SERVER:
        return RemoteProtocolError(StreamCondition.INVALID_NAMESPACE)

    if not header.id:
        # §4.7.3: the answer MUST have an id; a dialback key over an empty one would fit other streams.
        return RemoteProtocolError(StreamCondition.BAD_FORMAT, "the answer header has no id")

    if parse_version(header.version)[0] > 1:
        # §4.7.5: the answer is never higher than what was asked for, which was 1.0.
        return RemoteProtocolError(StreamCondition.UNSUPPORTED_VERSION)

    return None


@dataclass(frozen=True, slots=True)
class FeatureJudgement:
    """What the features of a peer mean for dialback; both False before they came."""

    dialback: bool = False
    errors: bool = False
    refusal: RemoteProtocolError | None = None


def judge_features(header: StreamHeader, features: StreamFeatures | None) -> FeatureJudgement:
    """What can be done on an outbound stream whose peer sent this header and these features (None: a 0.9 peer).

    XEP-0220 §2.4.1: the namespace in the header advertises dialback; §2.4.2: the feature advertises its errors.
    """
    dialback, errors = header.dialback, False

    for feature in features.features if features is not None else ():
        if feature.tag == f"{{{DIALBACK_FEATURE}}}dialback":
            dialback = True
            errors = feature.find(f"{{{DIALBACK_FEATURE}}}errors") is not None
        elif any(child.tag.endswith("}required") for child in feature):
            # §4.9.3.23: "the receiving entity has advertised a mandatory-to-negotiate stream feature that the
            # initiating entity does not support".
            return FeatureJudgement(refusal=RemoteProtocolError(StreamCondition.UNSUPPORTED_FEATURE, feature.tag))

    if not dialback:
        refusal = RemoteProtocolError(StreamCondition.UNSUPPORTED_FEATURE, "the peer does not offer dialback")
        return FeatureJudgement(refusal=refusal)

    return FeatureJudgement(dialback, errors)
