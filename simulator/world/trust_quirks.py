"""The misbehaviours of a partner that concern TLS and SASL.

Knows names, sentences and what each changes of `behaviour`. Most need a partner whose `tls` is not none.
"""

from __future__ import annotations

from simulator.world.behaviour import Quirk

_SASL_CONDITION = "a condition of RFC 6120 §6.5"

TRUST_QUIRKS: dict[str, Quirk] = {
    # Offering TLS (RFC 6120 §5.4.1)
    "hides-starttls": Quirk("is able to do TLS and does not offer it", {"offers_starttls": False}),
    "offers-starttls-again": Quirk("offers STARTTLS over TLS, too", {"offers_starttls_again": True}),
    "direct-tls": Quirk(
        "begins with TLS at this host (XEP-0368), and in the clear at others",
        {"door": "direct", "door_host": "{}"},
        "the host",
    ),
    # Answering <starttls/> (§5.4.2)
    "refuses-starttls": Quirk("answers <starttls/> with <failure/>, and ends", {"starttls": "failure"}),
    "ignores-starttls": Quirk("answers <starttls/> with nothing", {"starttls": "never"}),
    "injects-behind-proceed": Quirk(
        "sends a header and features in the clear behind <proceed/>, in one piece with it", {"starttls": "injected"}
    ),
    "proceeds-in-plaintext": Quirk("says <proceed/> and goes on without TLS", {"starttls": "plaintext"}),
    "closes-after-proceed": Quirk("says <proceed/> and ends the connection", {"starttls": "close"}),
    "silent-after-proceed": Quirk("says <proceed/> and never another word", {"starttls": "silence"}),
    "resets-on-client-hello": Quirk("resets the connection when the handshake begins", {"starttls": "reset"}),
    "alerts-on-client-hello": Quirk("answers the ClientHello with a fatal alert", {"starttls": "alert"}),
    "garbage-on-client-hello": Quirk("answers the ClientHello with what is no TLS", {"starttls": "garbage"}),
    # TLS itself
    "old-tls": Quirk("speaks TLS 1.0 and 1.1 only", {"least_tls": "TLSv1", "most_tls": "TLSv1.1"}),
    "tls-version": Quirk(
        "speaks this version of TLS only", {"least_tls": "{}", "most_tls": "{}"}, "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"
    ),
    "ciphers": Quirk(
        "speaks TLS 1.2 with these ciphers only",
        {"most_tls": "TLSv1.2", "ciphers": "{}"},
        "ciphers, as OpenSSL writes them",
    ),
    "asks-for-no-certificate": Quirk("does not ask TLS clients for a certificate", {"asks_for_certificate": False}),
    "keeps-sessions": Quirk("lets TLS sessions be resumed", {"keeps_sessions": True}),
    "no-sni": Quirk("does not say in its ClientHello whom it looks for", {"sends_sni": False}),
    "no-close-notify": Quirk("ends TLS connections without close_notify", {"says_close_notify": False}),
    # Offering SASL (RFC 6120 §6.4.1)
    "no-mechanisms": Quirk("offers no SASL over TLS", {"mechanisms": "stripped"}),
    "empty-mechanisms": Quirk("offers SASL without any mechanism", {"mechanisms": "empty"}),
    "mechanisms": Quirk("offers these mechanisms, whoever asks", {"mechanisms": "{}"}, "names, with spaces between"),
    "external-before-tls": Quirk("offers EXTERNAL in the clear", {"mechanisms_before_tls": True}),
    # Answering <auth/> (RFC 6120 §6.4)
    "accepts-every-auth": Quirk("answers <auth/> with <success/>, unseen", {"sasl": "success"}),
    "success-with-data": Quirk("answers <auth/> with a <success/> that holds data", {"sasl": "data"}),
    "success-with-equals": Quirk("answers <auth/> with a <success/> that holds =", {"sasl": "equals"}),
    "challenges": Quirk("answers <auth/> with an empty <challenge/> first", {"sasl": "challenge"}),
    "fails-auth": Quirk("answers <auth/> with this failure", {"sasl": "failure {}"}, _SASL_CONDITION),
    "fails-auth-and-closes": Quirk(
        "answers <auth/> with this failure, and ends", {"sasl": "closing {}"}, _SASL_CONDITION
    ),
    "never-answers-auth": Quirk("answers <auth/> with nothing", {"sasl": "never"}),
    "closes-on-auth": Quirk("closes the stream when it gets <auth/>", {"sasl": "close"}),
    "resets-on-auth": Quirk("resets the connection when it gets <auth/>", {"sasl": "reset"}),
    "no-features-after-success": Quirk(
        "answers the header after <success/> without features", {"after_success": "no-features"}
    ),
    "silent-after-success": Quirk("does not answer the header after <success/>", {"after_success": "silence"}),
}
