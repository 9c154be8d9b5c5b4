"""What comes of two servers that meet: by which method a stream is authenticated, or where and how it is refused.

A function of what the system's administrator has set for a partner, of what that partner is able to do, and of who
dials whom. It is written from the documents: Microsoft's table says which methods there are, RFC 6120, XEP-0178,
XEP-0220, RFC 7590 and Microsoft's remarks what a stream meets on its way, decision by decision. Where texts disagree
the others are alternatives, each with the text that allows it.

Knows no gateway and no scenario file.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.scenario.encounter import (
    TLS,
    Abilities,
    Allowed,
    Certificate,
    Direction,
    Expectation,
    Means,
    Point,
    Refusal,
)
from simulator.scenario.negotiation_table import Choice, Method, Settings

__all__ = ["Abilities", "Certificate", "Direction", "Expectation", "Method", "Settings", "expected"]

_Ways = Iterator[Allowed]
_Methods = frozenset[Method]

TERMINATED = "RFC 6120 §13.7.2: a session whose certificate cannot be validated is terminated"
CLOSED = "XEP-0178 §3: a connection whose certificate is unacceptable may be closed"


def expected(settings: Settings, partner: Abilities, direction: Direction) -> Expectation:
    """What comes of it; raises NotValid for settings without any method, ValueError for a partner that cannot be."""
    methods = settings.methods
    reason = partner.impossible

    if partner.tls is TLS.DIRECT and settings.tls is Choice.NOT_SUPPORTED:
        reason = "whose TLS is direct cannot be met without TLS"

    if reason:
        raise ValueError(f"there is no such negotiation: {reason}")

    way = _inbound if direction is Direction.INBOUND else _outbound
    first, *others = way(settings, methods, partner)

    return Expectation(first, tuple(others))


# -- the partner dials


def _inbound(settings: Settings, methods: _Methods, partner: Abilities) -> _Ways:
    """STARTTLS is offered unless it is switched off (RFC 6120 §5.4.1); a partner that is able to, takes it (§13.14)."""
    if partner.tls is TLS.NONE:
        yield from _inbound_in_plain(settings, methods, partner)
    elif settings.tls is not Choice.NOT_SUPPORTED:
        yield from _inbound_over_tls(settings, methods, partner)
    elif partner.tls is TLS.OPTIONAL:
        yield from _inbound_in_plain(settings, methods, partner)
    else:
        # RFC 7590 §3.1: "the initiating entity MUST NOT be deterred from attempting TLS negotiation even if the
        # receiving entity does not advertise support for TLS"; RFC 6120 §5.4.2.2 is what it then gets.
        yield Allowed(
            Refusal(Point.STARTTLS, Means.STARTTLS_FAILURE),
            "RFC 6120 §5.4.2.2: STARTTLS that was not offered fails, and the stream is closed",
        )


def _inbound_in_plain(settings: Settings, methods: _Methods, partner: Abilities) -> _Ways:
    if not partner.dialback:
        yield from _nothing_left()
    elif Method.TCP_DIALBACK in methods:
        yield Allowed(Method.TCP_DIALBACK, "XEP-0220 §2.2.1: the key is verified, and the pair may send")
    else:
        # XEP-0220 §2.5: "a policy mandating usage of TLS before dialback and the Initiating Server sent the dialback
        # request without using TLS".
        yield from _key_refused(settings, "policy-violation", "XEP-0220 §2.5: TLS is mandatory before dialback")


def _inbound_over_tls(settings: Settings, methods: _Methods, partner: Abilities) -> _Ways:
    """RFC 6120 §5.4.3.1: a certificate is asked for, and validated if it comes.

    §6.3.4: EXTERNAL is offered if the certificate is acceptable and matches 'from', where SASL is not switched off.
    """
    offered = Method.EXTERNAL in methods and partner.certificate is Certificate.VALID
    bad = partner.certificate not in (Certificate.VALID, Certificate.NONE)

    if offered and partner.external:
        yield Allowed(Method.EXTERNAL, "XEP-0178 §3: the certificate matches 'from', and EXTERNAL succeeds")
        return

    if Method.TLS_DIALBACK in methods and partner.dialback:
        # RFC 6120 §6.4.5: "if the receiving entity cannot offer the SASL EXTERNAL mechanism […] [it] MAY attempt to
        # complete weak identity verification using the Server Dialback protocol": the settings say that it does.
        yield Allowed(Method.TLS_DIALBACK, "RFC 6120 §6.4.5: weak identity verification in place of EXTERNAL")
    elif Method.TLS_DIALBACK in methods:
        yield from _nothing_left()
    elif offered:
        yield from _certificate_not_used(settings, partner)
    else:
        yield from _certificate_insisted_on(settings, partner)

    if bad:
        yield Allowed(Refusal(Point.TLS), TERMINATED)
        yield Allowed(Refusal(Point.SECURED_FEATURES), CLOSED)

    falls_back = Method.TLS_DIALBACK in methods and partner.dialback

    if Method.EXTERNAL in methods and partner.external and not offered and not falls_back:
        # RFC 6120 §6.3.4: "the receiving entity MAY offer the SASL EXTERNAL mechanism under other circumstances".
        yield Allowed(
            Refusal(Point.SASL, Means.SASL_FAILURE, "not-authorized"),
            "XEP-0178 §3: EXTERNAL without a match fails with not-authorized",
        )


def _certificate_not_used(settings: Settings, partner: Abilities) -> _Ways:
    """EXTERNAL is there for the taking, and nothing else is."""
    if partner.dialback:
        # XEP-0220 §2.5: "a policy requiring either a valid PKIX certificate […] or some other proof of authorization".
        yield from _key_refused(settings, "not-authorized", "XEP-0220 §2.5: a proof by certificate is required")
    else:
        yield from _nothing_left()


def _certificate_insisted_on(settings: Settings, partner: Abilities) -> _Ways:
    """There is neither EXTERNAL, for want of a certificate, nor dialback, for it is not allowed."""
    # RFC 6120 §6.4.5: "if according to local service policies weak identity verification is insufficient then the
    # receiving entity SHOULD instead close the stream with a <policy-violation/> stream error".
    yield Allowed(
        Refusal(Point.SECURED_FEATURES, Means.STREAM_ERROR, "policy-violation"),
        "RFC 6120 §6.4.5: the stream is closed with policy-violation where dialback is not enough",
    )
    yield Allowed(
        Refusal(Point.SECURED_FEATURES, Means.STREAM_ERROR, "not-authorized"),
        "RFC 6120 §4.9.3.12: the peer is not authorized to go on negotiating",
    )

    if partner.certificate is Certificate.NONE:
        yield Allowed(Refusal(Point.TLS), "XEP-0238 §1: trusted federation takes no connection without a certificate")

    if partner.dialback:
        yield from _key_refused(settings, "not-authorized", "XEP-0220 §2.5: a proof by certificate is required")
    else:
        yield from _nothing_left()


def _key_refused(settings: Settings, condition: str, because: str) -> _Ways:
    """A dialback key comes where dialback cannot be had."""
    error = Allowed(Refusal(Point.DIALBACK, Means.DIALBACK_ERROR, condition), because)
    other = {"policy-violation": "not-authorized", "not-authorized": "policy-violation"}[condition]

    if settings.dialback:
        yield error
    else:
        yield Allowed(
            Refusal(Point.DIALBACK, Means.SILENCE),
            "Lync Server 2013, XMPP partner configuration: with dialback off, a request for it is ignored",
        )
        yield error

    if not settings.methods & {Method.TLS_DIALBACK, Method.TCP_DIALBACK}:
        yield Allowed(
            Refusal(Point.DIALBACK, Means.STREAM_ERROR, "unsupported-stanza-type"),
            "RFC 6120 §4.9.3.24: a server without dialback does not understand the request",
        )
        yield Allowed(
            Refusal(Point.DIALBACK, Means.STREAM_ERROR, "not-authorized"),
            "XEP-0238 §4.6: a server that does not accept dialback answers a key with not-authorized",
        )
    else:
        yield Allowed(
            Refusal(Point.DIALBACK, Means.STREAM_ERROR, "not-authorized"),
            "XEP-0238 §4.4: a key where TLS is required is answered with not-authorized",
        )

    yield Allowed(
        Refusal(Point.DIALBACK, Means.DIALBACK_ERROR, other),
        "XEP-0220 §2.5: any stanza error condition can be used",
    )
    yield Allowed(
        Refusal(Point.DIALBACK, Means.STREAM_ERROR, "policy-violation"),
        "RFC 6120 §4.9.3.14: the peer has violated a local service policy",
    )


def _nothing_left() -> _Ways:
    """The partner has no way to prove anything. A stanza that it sends all the same shows what it is allowed."""
    # RFC 6120 §4.9.3.12: "The entity has attempted to send XML stanzas […] before the stream has been authenticated".
    yield Allowed(
        Refusal(Point.STANZA, Means.STREAM_ERROR, "not-authorized"),
        "RFC 6120 §4.9.3.12: no stanza before the stream has been authenticated",
    )
    yield Allowed(
        Refusal(Point.STANZA, Means.STREAM_ERROR, "policy-violation"),
        "RFC 6120 §4.9.3.14: the peer has violated a local service policy",
    )


# -- the system dials


def _outbound(settings: Settings, methods: _Methods, partner: Abilities) -> _Ways:
    """TLS is used wherever both have it: RFC 6120 §13.14: "the parties SHOULD protect the channel using TLS"."""
    if settings.tls is Choice.NOT_SUPPORTED:
        if partner.tls is TLS.REQUIRED:
            # RFC 6120 §5.3.1: "the parties MUST consider TLS as mandatory-to-negotiate": there is no other way.
            yield Allowed(Refusal(Point.FEATURES), "RFC 6120 §5.3.1: TLS is mandatory to negotiate, and not to be had")
            yield Allowed(Refusal(Point.DIALBACK), "XEP-0220 §2.5: a key may be tried, which is then refused")
        else:
            yield from _outbound_in_plain(methods, partner)
    elif partner.tls is not TLS.NONE:
        yield from _outbound_over_tls(methods, partner)
    elif Method.TCP_DIALBACK not in methods:
        # RFC 7590 §3.1: the initiating entity "SHOULD (based on local policy) […] attempt to negotiate TLS"; what it
        # must not do is to go on without.
        yield Allowed(Refusal(Point.STARTTLS), "RFC 7590 §3.1: TLS is attempted though it is not offered")
        yield Allowed(Refusal(Point.FEATURES), "RFC 7590 §3.1: whether TLS is attempted is local policy")
    else:
        yield from _outbound_in_plain(methods, partner)


def _outbound_in_plain(methods: _Methods, partner: Abilities) -> _Ways:
    if Method.TCP_DIALBACK in methods and partner.dialback:
        yield Allowed(Method.TCP_DIALBACK, "XEP-0220 §2.1.1: the key is called valid, and stanzas may leave")
    else:
        # RFC 6120 §6.4.5: the initiating entity "SHOULD simply close the stream […] (instead of waiting for the stream
        # to time out)"; whether with an error (§4.9.3.23: unsupported-feature) is left to it.
        yield Allowed(Refusal(Point.FEATURES), "RFC 6120 §6.4.5: without a mechanism left the stream is closed")
        yield Allowed(Refusal(Point.DIALBACK), "XEP-0220 §2.4.1: a key may be tried, which then comes to nothing")
        yield Allowed(Refusal(Point.STARTTLS), "RFC 7590 §3.1: TLS is attempted though it is not offered")


def _outbound_over_tls(methods: _Methods, partner: Abilities) -> _Ways:
    """RFC 6120 §5.4.3.1: "the initiating entity MUST attempt to validate the receiving entity's certificate"."""
    # §5.4.3.1: "the receiving entity MUST present a certificate": who has none shows one of its own making.
    good = partner.certificate is Certificate.VALID

    if good and Method.EXTERNAL in methods and partner.external:
        # §6.3.4: "the initiating entity SHOULD attempt SASL negotiation using the EXTERNAL mechanism first".
        yield Allowed(Method.EXTERNAL, "RFC 6120 §6.3.4: EXTERNAL comes first")
        return

    if Method.TLS_DIALBACK not in methods:
        if not good:
            yield Allowed(Refusal(Point.TLS), TERMINATED)

        yield Allowed(Refusal(Point.SECURED_FEATURES), "RFC 6120 §6.4.5: without a mechanism left the stream is closed")
        return

    # §13.14: TLS comes first "even if the presented certificates are self-signed or otherwise untrusted".
    if partner.dialback:
        yield Allowed(Method.TLS_DIALBACK, "RFC 6120 §13.14: dialback in a channel that is protected, if not trusted")
    else:
        yield Allowed(Refusal(Point.SECURED_FEATURES), "RFC 6120 §6.4.5: without a mechanism left the stream is closed")
        yield Allowed(Refusal(Point.DIALBACK), "XEP-0220 §2.4.1: a key may be tried, which then comes to nothing")

    if not good:
        yield from _outbound_untrusted(methods, partner)


def _outbound_untrusted(methods: _Methods, partner: Abilities) -> _Ways:
    """What else may come of a peer whose certificate does not prove its domain, where dialback would do."""
    yield Allowed(Refusal(Point.TLS), TERMINATED)

    if partner.dialback:
        yield Allowed(Refusal(Point.SECURED_FEATURES), TERMINATED)

    if Method.EXTERNAL in methods and partner.external:
        # Where the settings are content with DNS as the proof of who the peer is, its certificate adds nothing to it.
        yield Allowed(Method.EXTERNAL, "RFC 7590 §3.4: servers SHOULD authenticate other servers, and need not")

    if Method.TCP_DIALBACK in methods and partner.tls is TLS.OPTIONAL and partner.dialback:
        yield Allowed(Method.TCP_DIALBACK, "RFC 6120 §5.4.3.2: after TLS has failed, another attempt without it")
