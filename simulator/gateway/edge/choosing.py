"""Decisions about how a stream that we opened is secured and authenticated (RFC 6120 §5, §6, RFC 7590). Pure.

Knows the partner's settings and what the peer offers. Does not know connections, nor how a certificate is judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from xml.etree.ElementTree import Element

from simulator.gateway.negotiation import Method, Negotiation
from simulator.gateway.settings import CertificateFiles
from simulator.wire.tls import PEM, TLSOptions
from simulator.xmpp import starttls
from simulator.xmpp.address import AddressError, dns_name, normalize_domain
from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.external import MECHANISM

#: the only name that there is for it (XEP-0368 §7)
APPLICATION = "xmpp-server"


def methods_at_hand(methods: frozenset[Method], has_certificate: bool) -> frozenset[Method]:
    """The methods that the settings allow and that can be carried out: TLS needs a certificate of our own."""
    return methods if has_certificate else methods & {Method.TCP_DIALBACK}


def files_of(domain: str, external: CertificateFiles, by_domain: Mapping[str, CertificateFiles]) -> CertificateFiles:
    """The certificate that speaks for one of our domains: its own, or the one that we have for all others.

    RFC 6120 §5.4.3.1: "The receiving entity SHOULD choose which certificate to present based on the domainpart
    contained in the 'to' attribute of the initial stream header".
    """
    return by_domain.get(domain, external)


def tls_options(direct: bool) -> TLSOptions:
    """How TLS is spoken, in both roles; `direct`: it comes first (XEP-0368).

    RFC 9325: TLS 1.2 and 1.3 (§3.1.1), no compression (§3.3), forward secrecy (§4.2). No session is resumed (§3.4): the
    certificate that decides whose stream it is would not be shown. RFC 6120 §5.4.3.1: "the receiving entity SHOULD
    send a certificate request".
    """
    return TLSOptions(application=(APPLICATION,)) if direct else TLSOptions()


def certificate_is_shown() -> bool:
    """§5.4.3.1: "the initiating entity SHOULD send a certificate to the receiving entity"."""
    return True


def content_of(file: str) -> PEM:
    """What certificates and keys are read from when the edge starts: the file, as it is then.

    Lync has a certificate that was renewed taken up by a restart of the service.
    """
    return file


def tls_is_possible(tls: Negotiation, has_certificate: bool) -> bool:
    """Whether TLS is spoken with a partner whose settings say this."""
    return has_certificate and tls is not Negotiation.NOT_SUPPORTED


def direct_tls_is_looked_for(enabled: bool, possible: bool) -> bool:
    """Whether the hosts of ``_xmpps-server`` count (XEP-0368 §3); they are of no use without TLS."""
    return enabled and possible


def starttls_is_sent(methods: Collection[Method], possible: bool, offered: bool) -> bool:
    """§13.14: "the parties SHOULD protect the channel using TLS", so it is taken wherever it is offered.

    RFC 7590 §3.1: the offer "might be stripped out by an attacker […] Therefore, the initiating entity MUST NOT be
    deterred from attempting TLS negotiation": without TLS there is no other way, and nothing to be lost. Where a plain
    stream would do, an attempt would end it (§5.4.2.2) for all who have no TLS.
    """
    return possible and (offered or Method.TCP_DIALBACK not in methods)


def failure_ends_stream() -> bool:
    """Whether nothing more is said after ``<failure/>``.

    §5.4.2.2: the peer closes the stream after it, and so do we: what was sent to an attacker's liking is not said in
    plain text instead.
    """
    return True


def refusal_without_tls(tls: Negotiation, mandatory: bool) -> RemoteProtocolError | None:
    """Why a stream does not go on in plain text."""
    if tls is Negotiation.REQUIRED:
        return RemoteProtocolError(StreamCondition.POLICY_VIOLATION, "TLS is required with this partner")

    if mandatory:
        # RFC 6120 §4.9.3.23: "a mandatory-to-negotiate stream feature that the initiating entity does not support".
        return RemoteProtocolError(StreamCondition.UNSUPPORTED_FEATURE, "TLS is not spoken with this partner")

    return None


def plaintext_behind_proceed_ends() -> bool:
    """What stands behind ``<proceed/>`` in plain text cannot be the peer's, and the connection is given up.

    RFC 6120 §5.4.2.3: TLS has "begun immediately after receiving the closing '>' character of the <proceed/> element".
    """
    return True


def features_before_tls_count() -> bool:
    """RFC 6120 §5.4.3.3: "MUST discard any information […] obtained from the receiving entity in an insecure manner
    before TLS took effect (e.g., […] the stream ID and stream features […])"."""
    return False


def feature_counts(feature: Element, secured: bool) -> bool:
    """RFC 6120 §5.4.3.3: features over TLS "MUST NOT include the STARTTLS feature"; a peer that offers it again means
    nothing by it."""
    return not (secured and feature.tag == starttls.STARTTLS)


def sni_of(remote: str, host: str) -> str:
    """The server name that is asked for: the domain, never the host that DNS named (XEP-0368 §3, RFC 7590 §3.5)."""
    return dns_name(remote)


def identity_of(remote: str, host: str) -> str:
    """Whose certificate is wanted: §13.7.2.1: "the 'to' address it communicates in the initial stream header"."""
    return remote


def certificate_matters(methods: Collection[Method]) -> bool:
    """Whether a server is left whose certificate is not acceptable.

    §13.7.2: "MUST unilaterally terminate the session"; where the settings are content with dialback over TLS, DNS is
    the proof of who the peer is, and TLS against listeners only (RFC 7590 §3.4).
    """
    return Method.TLS_DIALBACK not in methods


def refusal_of_answer(sender: str | None, proven: str | None) -> RemoteProtocolError | None:
    """Why a header that answers ours is refused after the certificate has proved a domain (None: it has not).

    §13.7.2: "SHOULD also correlate the validated identity with the 'from' address (if any) of the stream header it
    received from the peer. If the two identities do not match, the validating entity SHOULD terminate".
    """
    if sender is None or proven is None or _is_same(sender, proven):
        return None

    return RemoteProtocolError(StreamCondition.INVALID_FROM, f"the certificate is for {proven}")


def _is_same(domain: str, normalized: str) -> bool:
    try:
        return normalize_domain(domain) == normalized
    except AddressError:
        return False


def external_is_chosen(methods: Collection[Method], mechanisms: Collection[str], acceptable: bool) -> bool:
    """RFC 6120 §6.3.4: "SHOULD attempt SASL negotiation using the EXTERNAL mechanism first"; with a peer whose own
    certificate proves nothing it would be one-sided, and anybody could say that it has succeeded."""
    return Method.SASL_OVER_TLS in methods and MECHANISM in mechanisms and acceptable


def authzid_of(local: str) -> str:
    """XEP-0178 §3: "the connecting server SHOULD include the authorization identity for backward compability".

    COMPAT: RFC 6120 §6.3.8 would leave it out where it says no more than 'from'; servers of before want it.
    """
    return local


def dialback_after_failure(methods: Collection[Method], alive: bool) -> bool:
    """XEP-0178 §3: after a failure the peer may "continue with a Server Dialback negotiation" on the same stream."""
    return alive and Method.TLS_DIALBACK in methods


def features_after_success_are_awaited() -> bool:
    """§4.3.4, §6.4.6: a stream is restarted, features and all, before anything else is said on it."""
    return True


def verification_takes_tls() -> bool:
    """The stream on which a key is verified is secured like any other with the partner (XEP-0220 §2.1.2)."""
    return True


def external_authorises_at_once() -> bool:
    """The domain of the header may send without a key; others of ours on the stream need one."""
    return True
