"""The parts of the gateway's configuration, with their defaults. Durations are float seconds.

Knows what can be set. Does not know files, partners or what the settings do.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from simulator.xmpp.address import AddressError, normalize_domain

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
#: 0 means: any free port
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


def normalized(domain: str) -> str:
    """The domain as it is compared, or, if it is none, as it was written: `configuration.faults` reports that."""
    try:
        return normalize_domain(domain)
    except AddressError:
        return domain


class User(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A person inside: `address` is ``user@domain`` in one of the gateway's own domains.

    `site` None is the first site, if there is any. `external_access_policy` is the name of a policy that was granted.
    """

    address: str
    display_name: str = ""
    site: str | None = None
    external_access_policy: str | None = None


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """The fields of `Set-CsXmppGatewayConfiguration`, all of them, with the documented defaults.

    Without a `dialback_passphrase` a random secret is made at every start, one for all edges.
    """

    connection_limit: Positive = 1000
    partner_connection_limit: Positive = 20
    dialback_passphrase: str | None = None
    enable_logging_all_message_bodies: bool = False
    keep_alive_interval: Seconds = 300.0
    stream_establishment_timeout: Seconds = 60.0
    stream_inactivity_timeout: Seconds = 600.0
    subscription_refresh_interval: Seconds = 28800.0


class EdgeSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Where the edge listens (partners on `host`:`port`, the front end on `link_host`:`link_port`) and how it dials.

    `link_host` None means `host`. `connect_timeout` bounds one attempt to reach one address of a partner.
    XEP-0368: on `direct_tls_port` (None: nowhere) partners begin TLS at once, and with `direct_tls` their own such
    hosts are looked for. XEP-0344: with `dialback_without_dialback` a certificate answers a key in place of a call.
    RFC 6120 §13.7.2.3: while a stream rests on a certificate, every `certificate_check_interval` seconds (a day) it is
    asked whether that was revoked. §4.4: `closing_timeout` bounds the wait for a peer's closing tag, in seconds.
    Each end of the link shows every `link_keep_alive` seconds that it lives, and gives the other up after three times
    that without a sign. RFC 6120 §4.6: an established stream that was quiet for `check_interval` (5 minutes) is checked
    by a space, or with `pings` by a ping (XEP-0199), if we opened it; a peer whose TCP acknowledges nothing for
    `check_timeout`, or who does not answer the ping within it, is given up.
    """

    host: str = "127.0.0.1"
    port: Port = 5269
    link_host: str | None = None
    link_port: Port = 23456
    connect_timeout: Seconds = 10.0
    direct_tls_port: Port | None = None
    direct_tls: bool = False
    dialback_without_dialback: bool = False
    certificate_check_interval: Seconds = 86400.0
    closing_timeout: Seconds = 5.0
    link_keep_alive: Seconds = 10.0
    check_interval: Seconds = 300.0
    check_timeout: Seconds = 60.0
    pings: bool = False


class FrontendSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Where SIP users find the front end. A port of None (null) switches that transport off.

    `transaction_timeout` is Timer F of RFC 3261 (32 s): how long an answer to a request is awaited. `contacts` is the
    file with everybody's contact list (SQLite; None: memory, gone with the process). RFC 7573 §5: a session of messages
    that was idle for `session_idle_timeout` (10 minutes) is ended. RFC 6665 §4.2.1.1, RFC 3903 §6: a subscription or a
    publication that asks for less than `shortest_subscription` is answered 423. RFC 6121 §3.1.2: a request to a contact
    that was not answered is sent again after `subscription_resend_interval` (a day); §3.1.3: of requests of contacts
    `most_pending_requests` may wait for one user. RFC 3261 §16.6 (Timer C, 3 minutes): how long a device may let an
    invitation to a session ring is `invitation_timeout`.
    """

    host: str = "127.0.0.1"
    sip_tcp_port: Port | None = 5060
    sip_tls_port: Port | None = 5061
    transaction_timeout: Seconds = 32.0
    contacts: str | None = None
    session_idle_timeout: Seconds = 600.0
    invitation_timeout: Seconds = 180.0
    shortest_subscription: Seconds = 60.0
    subscription_resend_interval: Seconds = 86400.0
    most_pending_requests: Positive = 1_000


class DNSSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """The one name server that is asked; `timeout` bounds one question."""

    server: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 53
    timeout: Seconds = 2.0


class CertificateFiles(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A certificate (PEM, with its chain) and its private key (PEM)."""

    certificate: str
    key: str


class CertificateSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Who the gateway is. `external` faces partners, `internal` is used by both ends of the link, `sip` faces users.

    `authority` (PEM) signed whatever is to be trusted. Both ends of the link demand `internal_name` in each
    other's certificate: partners may well have theirs from the same authority. `by_domain` has what partners are shown
    instead of `external` when they want one of our domains; its domains are normalised when it is made.

    Lists of revoked certificates are read from `revocation_lists` (files, PEM or DER), and with `check_revocation` over
    HTTP, too. A list that is not to be had within `revocation_timeout` is passed over, unless
    `require_revocation_lists`.
    """

    authority: str
    internal: CertificateFiles
    internal_name: str = "link.internal"
    external: CertificateFiles | None = None
    sip: CertificateFiles | None = None
    by_domain: dict[str, CertificateFiles] = msgspec.field(default_factory=dict)
    revocation_lists: tuple[str, ...] = ()
    check_revocation: bool = True
    require_revocation_lists: bool = False
    revocation_timeout: Seconds = 5.0

    def __post_init__(self) -> None:
        by_domain = {normalized(domain): files for domain, files in self.by_domain.items()}
        msgspec.structs.force_setattr(self, "by_domain", by_domain)


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """What a peer may make us hold: sizes of XML and lengths of queues."""

    stanza_bytes: Positive = 262144
    depth: Positive = 64
    attributes: Positive = 64
    #: pairs of domains that one stream may ask for, so that one connection cannot make us dial for ever
    pairs_per_stream: Positive = 100
    #: stanzas that wait for one domain while a stream to it is negotiated
    queued_stanzas: Positive = 1000
    #: bytes that a peer may leave unread before its connection is given up
    unsent_bytes: Positive = 4 * 1024 * 1024
    #: who inside is shown to whom outside, as far as the edge remembers it: 100 bytes or so each
    presences: Positive = 100_000
    #: stanzas on the link whose fate the front end has not told yet, in bytes
    unsettled_bytes: Positive = 16 * 1024 * 1024
    #: largest SIP message
    sip_bytes: Positive = 65536


class RetrySettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Pauses before a failed connection is tried again: they double from the first to the longest.

    RFC 6120 §3.3 asks for a growing, randomised pause before a partner is dialled again (`stream_…`).
    """

    link_first: Seconds = 0.1
    link_longest: Seconds = 10.0
    stream_first: Seconds = 1.0
    stream_longest: Seconds = 60.0
