"""The verbs about a ClientHello by hand: a part of the verb table.

Knows what each says and which judge reads what it saw. The bytes are `world.partner.hello`.
"""

from __future__ import annotations

from simulator.scenario.verb import ActorKind, Verb

_PARTNER: tuple[ActorKind, ...] = ("partner",)

HELLO_VERBS = (
    Verb(
        name="sends a ClientHello",
        actors=_PARTNER,
        says="Sends, after <proceed/>, a ClientHello made by hand, and nothing of TLS after it. `version` stands in "
        "it (SSLv2, SSLv3, TLSv1 …), `offers` are those of its extension (null: it has none), `suites` and "
        "`compression` what is offered; `grease: true` adds values that nobody knows, `early: true` early data, `size` "
        "bytes of padding. Versions and suites may be four hexadecimal digits.",
        example="gmail.com sends a ClientHello: {offers: null, suites: [TLS_RSA_WITH_RC4_128_SHA]}",
        argument="optional",
        keys=("version", "offers", "suites", "compression", "alpn", "sni", "grease", "early", "size"),
        stream=True,
    ),
    Verb(
        name="receives a TLS answer",
        actors=_PARTNER,
        says="Waits for what answers a ClientHello by hand, or bytes of *breaks TLS*: `hello`, `refused` (an alert or "
        "the end of TCP, and no word of XMPP), or a mapping: of a ServerHello {version, suite, compression}, or "
        "{alert}. Each may be a list.",
        example="gmail.com receives a TLS answer: {alert: [handshake_failure, insufficient_security]}",
        expects="tls-answer",
        argument="required",
        keys=("version", "suite", "compression", "alert"),
        stream=True,
    ),
)
