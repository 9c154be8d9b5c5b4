"""The verbs about TLS, certificates and SASL: a part of the verb table.

Knows what each says and which judge reads what it saw. They do what they say whatever the partner's options are; how a
partner negotiates by itself is in those options (`model.PARTNER_KEYS`).
"""

from __future__ import annotations

from simulator.scenario.verb import ActorKind, Verb

_PARTNER: tuple[ActorKind, ...] = ("partner",)

_HEADER = ("to", "from", "version", "id", "xml:lang", "xmlns", "xmlns:stream", "xmlns:db", "raw")
_BOTH_ROLES = ("certificate", "for", "versions", "ciphers", "alpn", "sessions", "renegotiates", "header", "refused")

TRUST_VERBS = (
    Verb(
        name="starts TLS",
        actors=_PARTNER,
        says="Sends <starttls/>, awaits <proceed/>, shakes hands as the client, opens the stream again, awaits header "
        "and features. `certificate` is a kind (none: shows none) `for` a domain; `sni: null` names nobody; `versions` "
        "is one or [least, most]; `inject` is text in the clear in one piece with <starttls/>; `header` overrides the "
        "new header; `restart: false` stops after the handshake; `resume: LABEL` offers the session of another stream "
        "(both need `sessions: true`). `refused: true`, or {condition: null}, demands that no stream comes of it.",
        example="gmail.com starts TLS: {certificate: expired, versions: TLSv1.2, refused: {condition: null}}",
        expects="secured",
        argument="optional",
        keys=(*_BOTH_ROLES, "sni", "inject", "restart", "resume"),
        stream=True,
    ),
    Verb(
        name="opens a TLS connection",
        actors=_PARTNER,
        says="Dials where the system publishes direct TLS (XEP-0368), shakes hands, sends a header and awaits header "
        "and features; the mapping as for *starts TLS*.",
        example="gmail.com opens a TLS connection: {alpn: xmpp-server, sni: contoso.com}",
        expects="secured",
        argument="optional",
        keys=(*_BOTH_ROLES, "sni", "restart", "resume", "domain"),
        opens=True,
    ),
    Verb(
        name="accepts TLS",
        actors=_PARTNER,
        says="Awaits <starttls/> and nothing behind it, says <proceed/>, shakes hands as the server, and answers the "
        "header that comes then, with features. `asks: false` asks for no certificate; `inject` is text in the clear "
        "in one piece with <proceed/>; `header: false` answers nothing; the rest as for *starts TLS* and *accepts a "
        "stream*.",
        example="gmail.com accepts TLS: {certificate: self-signed, refused: true}",
        expects="secured",
        argument="optional",
        keys=(*_BOTH_ROLES, "asks", "inject", "restart", "features"),
        stream=True,
    ),
    Verb(
        name="sees TLS",
        actors=_PARTNER,
        says="Holds what the handshake showed against: version, cipher, sni, alpn (each may be a list, null: none), "
        "`names` that the peer's certificate must hold, `certificate: false` that it showed none, `resumed`. Of the "
        "certificate: `trusted` (whole, in time, from the authority), `authority` (it is one), `digest` (of its "
        "signature), `subject`. Without a label: on the stream that was secured last.",
        example="gmail.com sees TLS: {version: [TLSv1.2, TLSv1.3], sni: gmail.com, names: [contoso.com]}",
        expects="shown",
        argument="required",
        keys=(
            *("version", "cipher", "sni", "alpn", "resumed"),
            *("names", "certificate", "trusted", "authority", "digest", "subject"),
        ),
        stream=True,
    ),
    Verb(
        name="breaks TLS",
        actors=_PARTNER,
        says="Does what no TLS peer may: `truncation` (the end of TCP without close_notify), `plaintext` (XML beside "
        "TLS), `alert` (a fatal alert in the clear), `garbage`, `renegotiation` (needs TLS 1.2 and `renegotiates: "
        "true`; nothing is read after it); or {text}, {base64} or {hex}: bytes (`repeat: n` times) for a record or "
        "for the handshake. What the system answers to those is not read as XMPP: see *receives a TLS answer*.",
        example="gmail.com breaks TLS: renegotiation",
        argument="required",
        keys=("text", "base64", "hex", "repeat"),
        stream=True,
    ),
    Verb(
        name="restarts the stream",
        actors=_PARTNER,
        says="Sends a new header on the same connection and awaits header and features, or the end; the mapping as for "
        "*connects*, `features: false` awaits the header alone.",
        example="gmail.com restarts the stream: {from: elsewhere.example}",
        expects="connection",
        argument="optional",
        keys=(*_HEADER, "features"),
        stream=True,
    ),
    Verb(
        name="accepts a restart",
        actors=_PARTNER,
        says="Awaits the header with which the system begins a new stream, after TLS or <success/>, and answers it; "
        "the mapping as for *accepts a stream*.",
        example='gmail.com accepts a restart: {features: "<stream:features/>"}',
        expects="restarted",
        argument="optional",
        keys=(*_HEADER, "header", "features"),
        stream=True,
    ),
    Verb(
        name="authenticates with EXTERNAL",
        actors=_PARTNER,
        says="Sends <auth/>, answers challenges, and opens the stream again after <success/>. `authzid` is the "
        "identity (left out: =; null: no initial response), `text` is sent as it is, `mechanism` another name; "
        "`refused` is the condition of the failure that must come, some of which one must, or true; `restart: false` "
        "stops there.",
        example="gmail.com authenticates with EXTERNAL: {authzid: other.example, refused: invalid-authzid}",
        expects="external",
        argument="optional",
        keys=("authzid", "text", "mechanism", "header", "restart", "refused"),
        stream=True,
    ),
    Verb(
        name="has its certificate revoked",
        actors=_PARTNER,
        says="The authority puts every certificate that this partner has shown on its list of revoked ones.",
        example="gmail.com has its certificate revoked",
        needs=frozenset({"revocation"}),
    ),
    Verb(
        name="has its certificate renewed",
        actors=("system",),
        says="The files of the system's certificates hold new ones from now on, whose subject says `renewed`.",
        example="the system has its certificate renewed",
    ),
)
