"""What one side of TLS brings along: certificates, keys, authorities and demands, as OpenSSL contexts.

Knows PEM and the options of TLS. Does not know sessions, sockets, nor what a peer's certificate entitles it to: chains
are verified, faults are noted, and all else is the caller's judgement.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.utils import CryptographyDeprecationWarning
from OpenSSL import SSL, crypto

from simulator.wire.tls_peer import INVALID_PURPOSE, ChainFault

#: a file that holds PEM, or the PEM itself
PEM = Path | str | bytes

Version = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]

_VERSIONS: Final[dict[Version, int]] = {
    "TLSv1": SSL.TLS1_VERSION,
    "TLSv1.1": SSL.TLS1_1_VERSION,
    "TLSv1.2": SSL.TLS1_2_VERSION,
    "TLSv1.3": SSL.TLS1_3_VERSION,
}

# RFC 9325 §4.2: "implementation and deployment of the following cipher suites is RECOMMENDED", which are four; and the
# two of RFC 7905 for peers without AES in hardware.
RECOMMENDED_CIPHERS: Final = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    )
)

#: the environment variable that names the file of TLS secrets, by the convention of browsers and curl
KEY_LOG: Final = "SSLKEYLOGFILE"

# pyOpenSSL has no name for it: SSL_MODE_NO_AUTO_CHAIN of <openssl/ssl.h>
_NO_AUTO_CHAIN: Final = 0x8
# nor for this: SSL_OP_ALLOW_CLIENT_RENEGOTIATION, without which a server of OpenSSL 3 takes none
_CLIENT_RENEGOTIATION: Final = 0x100


class TLSError(OSError):
    """A handshake or a record failed; the text is OpenSSL's reason."""


class CertificateError(Exception):
    """A certificate, a key or an authority cannot be used; the text names the file."""


@dataclass(frozen=True, kw_only=True)
class TLSOptions:
    """How a side speaks TLS. The defaults are RFC 9325's; a fake may choose worse."""

    # RFC 9325 §3.1.1: "Implementations MUST NOT negotiate TLS version 1.1".
    least: Version = "TLSv1.2"
    most: Version = "TLSv1.3"
    ciphers: str = RECOMMENDED_CIPHERS
    """For TLS 1.2 and below, as OpenSSL writes a list of ciphers."""
    sessions: bool = False
    """Whether sessions may be resumed later, by ticket. A server that allows it sees no certificate then."""
    application: tuple[str, ...] = ()
    """ALPN: what a client offers, the best first; what a server accepts, the best first."""
    asks_for_certificate: bool = True
    """Whether a server sends a CertificateRequest."""
    check_strength: bool = True
    """With False weak keys and digests of our own are used, and TLS 1.0 and 1.1 can be spoken."""
    renegotiates: bool = False
    """Whether sessions of TLS 1.2 and below may be renegotiated, from either side: for a fake that tries it."""


@dataclass
class Noted:
    """What the callbacks of one session saw: its application data in OpenSSL."""

    faults: list[ChainFault] = field(default_factory=list)
    renegotiation: bool = False
    """The peer asked for another handshake."""


class TLSContext:
    """Certificate, key, authority and demands of one side; shared by many sessions. Made by the two functions below."""

    def __init__(
        self,
        context: SSL.Context,
        *,
        server_side: bool,
        require_peer: bool,
        authorities: frozenset[x509.Certificate] = frozenset(),
        by_name: Mapping[str, SSL.Context] | None = None,
    ) -> None:
        self.context = context
        self.server_side = server_side
        self.require_peer = require_peer
        self.authorities = authorities
        self._by_name = by_name or {}

        if self._by_name:
            context.set_tlsext_servername_callback(self._choose)

    def _choose(self, connection: SSL.Connection) -> None:
        """RFC 6066 §3: a server "MAY use the information contained in the extension to guide its selection of an
        appropriate certificate"; a name that there is none for gets the first."""
        name = (connection.get_servername() or b"").decode("ascii", "replace").lower()
        chosen = self._by_name.get(name)

        if chosen is not None:
            connection.set_context(chosen)


def server_context(
    certificate: PEM,
    key: PEM,
    authority: PEM | None = None,
    *,
    require_peer: bool = False,
    by_name: Mapping[str, tuple[PEM, PEM]] | None = None,
    options: TLSOptions = TLSOptions(),
) -> TLSContext:
    """A context for the side that accepts.

    `by_name` gives certificate and key for server names (SNI; A-labels in lower case); all others get `certificate`.
    With `require_peer` a client without a certificate of `authority` is refused in the handshake; otherwise a
    certificate is asked for, and taken as it is: `TLSInfo.faults` tells. Raises CertificateError, and OSError when the
    file that SSLKEYLOGFILE names cannot be written.
    """
    plan = _Plan(authority, server_side=True, require_peer=require_peer, options=options)
    chosen = {name: plan.context(*pair) for name, pair in (by_name or {}).items()}

    return TLSContext(
        plan.context(certificate, key),
        server_side=True,
        require_peer=require_peer,
        authorities=frozenset(plan.authorities),
        by_name=chosen,
    )


def client_context(
    certificate: PEM | None = None,
    key: PEM | None = None,
    authority: PEM | None = None,
    *,
    require_peer: bool = True,
    options: TLSOptions = TLSOptions(),
) -> TLSContext:
    """A context for the side that connects; its certificate, if any, is shown to a server that asks.

    With `require_peer` the server's chain must end at `authority`, and its certificate must hold the server name
    that is asked for, if one is; otherwise any certificate is taken, and `TLSInfo.faults` tells. Raises
    CertificateError, and OSError when the file that SSLKEYLOGFILE names cannot be written.
    """
    plan = _Plan(authority, server_side=False, require_peer=require_peer, options=options)

    return TLSContext(
        plan.context(certificate, key),
        server_side=False,
        require_peer=require_peer,
        authorities=frozenset(plan.authorities),
    )


class _Plan:
    """Makes contexts that differ in their certificate only."""

    def __init__(self, authority: PEM | None, *, server_side: bool, require_peer: bool, options: TLSOptions) -> None:
        self.authorities = _certificates(authority) if authority is not None else []
        self._server_side, self._require_peer, self._options = server_side, require_peer, options
        self._log_keys = _key_log(os.environ.get(KEY_LOG, ""))

    def context(self, certificate: PEM | None, key: PEM | None) -> SSL.Context:
        options = self._options
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(_VERSIONS[options.least])
        context.set_max_proto_version(_VERSIONS[options.most])
        context.set_cipher_list(options.ciphers.encode() + (b"" if options.check_strength else b":@SECLEVEL=0"))
        # RFC 9325 §3.3 and RFC 6120 §5.3.5: no compression; renegotiation is answered by the session. Early data
        # (RFC 8446 §2.3) is off unless somebody turns it on.
        renegotiation = _CLIENT_RENEGOTIATION if options.renegotiates else SSL.OP_NO_RENEGOTIATION
        context.set_options(SSL.OP_NO_COMPRESSION | renegotiation)
        # What stands in the file is sent, nothing is added from the authorities: a chain may be short on purpose.
        context.set_mode(_NO_AUTO_CHAIN)

        if options.sessions:
            context.set_session_id(b"s2sim")
        else:
            context.set_options(SSL.OP_NO_TICKET)
            context.set_session_cache_mode(SSL.SESS_CACHE_OFF)

        if certificate is not None:
            _use(context, certificate, key if key is not None else certificate)

        for trusted in self.authorities:
            store = context.get_cert_store()
            assert store is not None
            store.add_cert(crypto.X509.from_cryptography(trusted))

        if options.application:
            self._negotiate_application(context)

        if self._log_keys is not None:
            context.set_keylog_callback(self._log_keys)

        if not self._server_side or self._require_peer or options.asks_for_certificate:
            mode = SSL.VERIFY_PEER | (SSL.VERIFY_FAIL_IF_NO_PEER_CERT if self._require_peer else 0)
            context.set_verify(mode, _refuse if self._require_peer else _take)

        return context

    def _negotiate_application(self, context: SSL.Context) -> None:
        ours = [name.encode() for name in self._options.application]

        if not self._server_side:
            context.set_alpn_protos(ours)
            return

        def choose(_: SSL.Connection, theirs: Sequence[bytes]) -> bytes:
            for name in ours:
                if name in theirs:
                    return name

            # RFC 7301 §3.2: without a common protocol "the server SHALL respond with a fatal "no_application_protocol"
            # alert"; that is what pyOpenSSL makes of an exception.
            offered = ", ".join(name.decode("ascii", "replace") for name in theirs)
            raise TLSError(f"no application protocol in common with the client, which offers {offered}")

        context.set_alpn_select_callback(choose)


def _refuse(connection: SSL.Connection, _: Any, number: int, depth: int, good: int) -> bool:
    """Verify callback of those who insist: OpenSSL's word stands, but for the purpose."""
    _note(connection, number, depth, good)

    return bool(good) or number == INVALID_PURPOSE


def _take(connection: SSL.Connection, _: Any, number: int, depth: int, good: int) -> bool:
    """Verify callback of those who look at the certificate afterwards: note what is wrong, and go on."""
    _note(connection, number, depth, good)

    return True


def _note(connection: SSL.Connection, number: int, depth: int, good: int) -> None:
    # A server's certificate serves for both roles between servers, and public authorities no longer sign any for
    # clients. So the chain is verified as for any purpose; that of the peer's own certificate is left to the caller.
    if not good and (number != INVALID_PURPOSE or depth == 0):
        noted: Noted = connection.get_app_data()
        noted.faults.append(ChainFault(number, depth))


def _key_log(path: str) -> Callable[[SSL.Connection, bytes], None] | None:
    """Appends lines in the NSS key log format, which Wireshark reads, to the file at `path`; None without one."""
    if not path:
        return None

    # That it cannot be written is said now, by whoever asked for it, and not in the middle of a handshake.
    with open(path, "ab"):
        pass

    def append(_: SSL.Connection, line: bytes) -> None:
        # One write in append mode: lines of several processes do not mix. A disk that is full breaks no handshake.
        with contextlib.suppress(OSError), open(path, "ab", buffering=0) as file:
            file.write(line + b"\n")

    return append


def _use(context: SSL.Context, certificate: PEM, key: PEM) -> None:
    first, *chain = _certificates(certificate)

    try:
        context.use_certificate(first)

        for intermediate in chain:
            context.add_extra_chain_cert(intermediate)
    except SSL.Error as error:
        raise CertificateError(f"{_name(certificate)}: cannot be used: {reason(error)}") from None

    try:
        private = load_pem_private_key(_pem(key), password=None)
        context.use_privatekey(cast("ec.EllipticCurvePrivateKey", private))
        context.check_privatekey()
    except (ValueError, TypeError, SSL.Error) as error:
        why = reason(error) if isinstance(error, SSL.Error) else error
        raise CertificateError(f"{_name(key)}: is not the key of {_name(certificate)}: {why}") from None


def reason(error: SSL.Error) -> str:
    """OpenSSL's error queue in one line; empty when it says nothing."""
    queue = error.args[0] if error.args and isinstance(error.args[0], (list, tuple)) else []

    return ": ".join(entry[-1] for entry in queue if isinstance(entry, (list, tuple)) and entry)


def _certificates(source: PEM) -> list[x509.Certificate]:
    try:
        # RFC 5280 §4.1.2.2: odd serial numbers SHOULD be handled gracefully, and OpenSSL is who judges them here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)

            return x509.load_pem_x509_certificates(_pem(source))
    except ValueError as error:
        raise CertificateError(f"{_name(source)}: holds no certificate in PEM: {error}") from None


def _pem(source: PEM) -> bytes:
    if isinstance(source, bytes):
        return source

    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise CertificateError(f"{source}: cannot be read: {error.strerror}") from None


def _name(source: PEM) -> str:
    return "the given PEM" if isinstance(source, bytes) else str(source)
