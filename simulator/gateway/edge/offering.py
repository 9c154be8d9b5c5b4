"""Decisions about what a stream that reached us may negotiate, and what its restarts mean (RFC 6120 §5, §6). Pure.

Knows the partners' settings and how far a stream has come. Does not know connections, nor how a certificate is judged:
that it is acceptable is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from simulator.gateway.edge.admission import Pair
from simulator.gateway.edge.header import dialback_feature
from simulator.gateway.negotiation import Method, Negotiation
from simulator.gateway.partner import AllowedPartner
from simulator.xmpp import external, sasl, starttls
from simulator.xmpp.errors import RemoteProtocolError, SASLCondition, StreamCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an inbound stream has come. Without `partner` nobody has said yet whose stream it is."""

    partner: AllowedPartner | None
    has_certificate: bool
    """We have one to show: without it there is no TLS."""
    secured: bool
    acceptable: bool = False
    """The peer's certificate is good for the domain in the 'from' of its header."""
    authenticated: bool = False
    """SASL EXTERNAL has succeeded."""

    @property
    def methods(self) -> Collection[Method]:
        return self.partner.methods if self.partner is not None else ()


# -- TLS


def starttls_is_offered(standing: Standing) -> bool:
    """§5.4.1: "If the receiving entity supports TLS, the stream features MUST include an advertisement"; §5.4.3.3: not
    again once it is there. To a stranger, too: what it says of itself before TLS is forgotten after it."""
    allowed = standing.partner is None or standing.partner.tls_negotiation is not Negotiation.NOT_SUPPORTED

    return standing.has_certificate and allowed and not standing.secured


def starttls_is_required(standing: Standing) -> bool:
    """§5.4.1: "If the receiving entity considers STARTTLS negotiation to be mandatory-to-negotiate, the <starttls/>
    element MUST contain an empty <required/> child element"."""
    return standing.partner is not None and standing.partner.tls_negotiation is Negotiation.REQUIRED


def is_command(element: Element) -> bool:
    """§5.4.2.1: the command is "a <starttls/> element qualified by the 'urn:ietf:params:xml:ns:xmpp-tls' namespace"."""
    return element.tag == starttls.STARTTLS


def command_is_followed(command: Element, offered: bool) -> bool:
    """Whether ``<starttls/>`` is answered by ``<proceed/>``: §5.4.2.2 has it fail when it is malformed, or was not
    offered. It need not wait for the features: they say what they would have said."""
    return offered and starttls.is_well_formed(command)


def plaintext_behind_starttls_ends() -> bool:
    """What a peer, or somebody between, sends behind ``<starttls/>`` without waiting for TLS ends the connection.

    §5.4.3.3: "MUST discard any information […] obtained […] in an insecure manner before TLS took effect". A peer
    that goes on in plain text has nothing to say that could be told from what an attacker put there (CVE-2011-0411).
    """
    return True


def forgets_before_tls() -> bool:
    """§5.4.3.3: "MUST discard […] (e.g., the initiating entity's 'from' address)", and the pairs that dialback had
    authorised on the stream that is replaced."""
    return True


def id_after_restart(before: str, fresh: str) -> str:
    """§5.4.3.3, §6.4.6: a restarted stream MUST have "a new stream ID instead of reusing the old"."""
    return fresh


# -- SASL


def external_is_offered(standing: Standing) -> bool:
    """§6.3.4: with a certificate that "is acceptable […] for purposes of strong identity verification" and "matches
    the domain referenced in the 'from' attribute"; §6.3.4, §6.4.1: never before TLS, nor after success."""
    allowed = Method.SASL_OVER_TLS in standing.methods

    return standing.secured and standing.acceptable and allowed and not standing.authenticated


def refusal_of_auth(standing: Standing, offered: bool) -> SASLCondition | None:
    """Why ``<auth/>`` fails before anything of it is read; None when EXTERNAL was offered."""
    if offered:
        return None

    if not standing.secured and starttls_is_offered(standing):
        return SASLCondition.ENCRYPTION_REQUIRED

    allowed = standing.partner is None or Method.SASL_OVER_TLS in standing.methods
    possible = allowed and (standing.secured or standing.has_certificate)

    # §6.5.7: what "is not supported by the receiving entity"; §6.5.10: without "proper credentials", or once more.
    return SASLCondition.NOT_AUTHORIZED if possible or standing.authenticated else SASLCondition.INVALID_MECHANISM


def data_before_success_ends() -> bool:
    """§6.3.2: "After SASL negotiation, the parties MUST restart the stream": what stands behind the ``<auth/>`` that
    succeeds would belong to neither stream."""
    return True


def pairs_of_external(sender: str, to: str, served: Set[str]) -> Set[Pair]:
    """What EXTERNAL authorises: the domains of the header on which it was negotiated, and no other.

    RFC 6120 §8.1.1.2, §8.1.2.2: both addresses of a stanza must be those "communicated via SASL negotiation"; further
    pairs are added by dialback (XEP-0220 §2.6).
    """
    return {(sender, to)}


def refusal_of_restart(identity: Pair | None, sender: str | None, to: str | None) -> RemoteProtocolError | None:
    """Why the header that follows SASL is refused: the stream belongs to the pair that was authenticated.

    §4.9.3.9: invalid-from where it "does not match an authorized JID or validated domain as negotiated […] using
    SASL"; another host behind the same header was CVE-2018-10847.
    """
    if identity is None:
        return None

    if sender is not None and sender != identity[0]:
        return RemoteProtocolError(StreamCondition.INVALID_FROM, f"the stream was authenticated for {identity[0]}")

    if to is not None and to != identity[1]:
        return RemoteProtocolError(StreamCondition.NOT_AUTHORIZED, f"the stream was authenticated for {identity[1]}")

    return None


# -- features


def dialback_is_offered(standing: Standing, dialback_is_allowed: Callable[[Collection[Method], bool], bool]) -> bool:
    """Dialback where the settings allow it on a stream like this one; strangers may say by dialback who they are."""
    return standing.partner is None or dialback_is_allowed(standing.methods, standing.secured)


def order_features(features: list[Element]) -> list[Element]:
    """The features as they are sent: what is mandatory, or preferred, comes first."""
    return features


def features(
    standing: Standing,
    *,
    starttls_is_offered: Callable[[Standing], bool] = starttls_is_offered,
    starttls_is_required: Callable[[Standing], bool] = starttls_is_required,
    external_is_offered: Callable[[Standing], bool] = external_is_offered,
    dialback_is_offered: Callable[[Standing], bool],
) -> list[Element]:
    """What can be negotiated now; after SASL only what is voluntary (§6.4.6)."""
    found = []

    if starttls_is_offered(standing):
        required = starttls_is_required(standing)
        found.append(starttls.feature(required))

        if required:
            # §5.3.1: "the receiving entity SHOULD NOT advertise support for any stream feature except STARTTLS".
            return found

    if external_is_offered(standing):
        found.append(sasl.mechanisms(external.MECHANISM))

    if dialback_is_offered(standing):
        found.append(dialback_feature())

    return found


def refusal_of_powerless(standing: Standing, offered: Collection[Element]) -> RemoteProtocolError | None:
    """Why a stream with nothing left to negotiate is closed; None where the peer may still ask for something.

    §6.4.5: "if according to local service policies weak identity verification is insufficient then the receiving
    entity SHOULD instead close the stream with a <policy-violation/> stream error". Where dialback is only inoperative
    its request is waited for, and told that a certificate is wanted (XEP-0220 §2.5).
    """
    partner = standing.partner

    if offered or not standing.secured or standing.authenticated:
        return None

    if partner is None or partner.support_dialback_negotiation:
        return None

    return RemoteProtocolError(StreamCondition.POLICY_VIOLATION, "the settings want a certificate that is acceptable")


# -- dialback


def certificate_may_vouch(allowed: bool, secured: bool) -> bool:
    """Whether the certificate of the stream is looked at before a key is verified (XEP-0344 §2.4)."""
    return allowed and secured


def certificate_vouches(acceptable: bool) -> bool:
    """XEP-0344 §2.5: the pair is valid at once if the certificate is trustworthy and for the sender domain; else the
    domain is dialled, as ever."""
    return acceptable
