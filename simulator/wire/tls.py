"""TLS without a socket: ciphertext in, plaintext out, over OpenSSL's memory BIOs.

Knows contexts built from PEM and one TLS session. Does not know who reads and writes the bytes, nor what a
peer's certificate entitles it to: it verifies chains, keeps the certificate, and leaves identity to the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

#: a file that holds PEM, or the PEM itself
PEM = Path | str | bytes


#: the X509_V_ERR_… numbers that a federating server meets, in words
VERIFY_FAULTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "ends at an authority that is not trusted",
    20: "its issuer is not known",
    21: "cannot be verified",
    23: "is revoked",
    24: "is no authority",
    26: "is not meant for this purpose",
}


class TLSError(OSError):
    """A handshake or a record failed; the text is OpenSSL's reason."""


class CertificateError(Exception):
    """A certificate, a key or an authority cannot be used; the text names the file."""


@dataclass(frozen=True, kw_only=True)
class TLSInfo:
    """What a finished handshake agreed on, and who the peer says it is."""

    version: str
    cipher: str
    server_name: str | None
    """SNI, as sent by the client."""
    application: str
    """ALPN, or an empty text."""
    certificate: x509.Certificate | None
    """The peer's, whether or not it could be verified."""
    trusted: bool
    """The peer showed a certificate whose chain ends at our authority; says nothing about its names."""
    faults: tuple[str, ...] = ()
    """Why the chain could not be verified."""

    @property
    def names(self) -> frozenset[str]:
        """The DNS names in the peer's certificate, in lower case."""
        return dns_names(self.certificate)


def dns_names(certificate: x509.Certificate | None) -> frozenset[str]:
    """The subject alternative DNS names, in lower case; empty without certificate or extension."""
    if certificate is None:
        return frozenset()

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()

    return frozenset(name.lower() for name in names.get_values_for_type(x509.DNSName))


class TLSContext:
    """Certificate, key, authority and demands of one side; shared by many sessions. Made by the two functions below."""

    def __init__(self, context: SSL.Context, *, server_side: bool, require_peer: bool) -> None:
        self.context = context
        self.server_side = server_side
        self.require_peer = require_peer


def server_context(
    certificate: PEM, key: PEM, authority: PEM | None = None, *, require_peer: bool = False
) -> TLSContext:
    """A context for the side that accepts.

    With `require_peer` a client without a certificate of `authority` is refused in the handshake; otherwise a
    certificate is asked for, and taken as it is: `TLSInfo.trusted` tells. Raises CertificateError.
    """
    return _context(certificate, key, authority, server_side=True, require_peer=require_peer)


def client_context(
    certificate: PEM | None = None, key: PEM | None = None, authority: PEM | None = None, *, require_peer: bool = True
) -> TLSContext:
    """A context for the side that connects.

    With `require_peer` the server's chain must end at `authority`, and its certificate must hold the server name
    that is asked for, if one is. Raises CertificateError.
    """
    return _context(certificate, key, authority, server_side=False, require_peer=require_peer)


class TLSSession:
    """One TLS session between two memory BIOs.

    Whatever it wants to be sent is in `outgoing()` after each call. Raises TLSError when the peer or its
    certificate is not acceptable; the alert that says so is in `outgoing()` then.
    """

    def __init__(self, context: TLSContext, server_name: str | None = None) -> None:
        self._context, self._server_name = context, server_name
        self._faults: list[str] = []
        self._ssl = SSL.Connection(context.context, None)
        self._ssl.set_app_data(self._faults)
        self.info: TLSInfo | None = None
        """Set when the handshake is over."""
        self.ended = False
        """The peer's close_notify has come."""

        if context.server_side:
            self._ssl.set_accept_state()
        else:
            self._ssl.set_connect_state()

            if server_name:
                self._ssl.set_tlsext_host_name(server_name.encode("ascii"))

    def start(self) -> None:
        """Write the ClientHello; on the accepting side nothing happens yet."""
        self._shake()

    def receive(self, ciphertext: bytes) -> bytes:
        """Take ciphertext from the peer and give the plaintext in it."""
        if ciphertext:
            self._ssl.bio_write(ciphertext)

        if self.info is None:
            self._shake()

        return b"" if self.info is None else self._read()

    def send(self, plaintext: bytes) -> None:
        """Encrypt; only once the handshake is over."""
        rest = memoryview(plaintext)

        while rest:
            rest = rest[self._call(self._ssl.send, rest) :]

    def close(self) -> None:
        """Write close_notify (RFC 6120 §4.4 demands it before the connection is closed)."""
        if self.info is not None:
            self._call(self._ssl.shutdown)

    def outgoing(self) -> bytes:
        """The ciphertext that waits to be sent."""
        pieces = []

        while True:
            try:
                pieces.append(self._ssl.bio_read(65536))
            except SSL.WantReadError:
                return b"".join(pieces)

    def _shake(self) -> None:
        try:
            self._call(self._ssl.do_handshake)
        except SSL.WantReadError:
            return

        shown = self._ssl.get_peer_certificate()
        certificate = shown.to_cryptography() if shown is not None else None
        self.info = TLSInfo(
            version=self._ssl.get_protocol_version_name(),
            cipher=self._ssl.get_cipher_name() or "",
            server_name=(self._ssl.get_servername() or b"").decode("ascii", "replace") or self._server_name,
            application=self._ssl.get_alpn_proto_negotiated().decode("ascii", "replace"),
            certificate=certificate,
            trusted=certificate is not None and not self._faults,
            faults=tuple(self._faults),
        )
        self._check_name()

    def _check_name(self) -> None:
        """A server that must be verified must also be the one we asked for (RFC 6125 §6)."""
        assert self.info is not None
        wanted = self._server_name

        if self._context.server_side or not self._context.require_peer or not wanted:
            return

        if wanted.lower() not in self.info.names:
            raise TLSError(f"the certificate is for {', '.join(sorted(self.info.names)) or 'nobody'}, not for {wanted}")

    def _read(self) -> bytes:
        pieces = []

        while True:
            try:
                pieces.append(self._call(self._ssl.recv, 65536))
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self.ended = True
                break

        return b"".join(pieces)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (SSL.WantReadError, SSL.ZeroReturnError):
            raise
        except SSL.Error as error:
            raise TLSError(_reason(error, self._faults)) from None


def _reason(error: SSL.Error, faults: list[str]) -> str:
    """OpenSSL's error queue in one line, with what it disliked in the peer's chain."""
    queue = error.args[0] if error.args and isinstance(error.args[0], (list, tuple)) else []
    reasons = [entry[-1] for entry in queue if isinstance(entry, (list, tuple)) and entry]

    return ": ".join([*reasons, *faults]) or "the TLS connection broke off"


def _context(
    certificate: PEM | None, key: PEM | None, authority: PEM | None, *, server_side: bool, require_peer: bool
) -> TLSContext:
    context = SSL.Context(SSL.TLS_METHOD)
    # RFC 9325 §3.1.1: nothing below TLS 1.2 may be negotiated.
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    # RFC 6120 §5.3.5 and RFC 9325 §3.4-3.5: no compression, no renegotiation; we keep no sessions either.
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)

    if certificate is not None:
        _use(context, certificate, key if key is not None else certificate)

    if authority is not None:
        for trusted in _certificates(authority):
            store = context.get_cert_store()
            assert store is not None
            store.add_cert(crypto.X509.from_cryptography(trusted))

    mode = SSL.VERIFY_PEER | (SSL.VERIFY_FAIL_IF_NO_PEER_CERT if require_peer else 0)
    context.set_verify(mode, _refuse if require_peer else _note)

    return TLSContext(context, server_side=server_side, require_peer=require_peer)


def _refuse(connection: SSL.Connection, _: Any, number: int, depth: int, good: int) -> bool:
    """Verify callback of those who insist: OpenSSL's word stands."""
    _note(connection, _, number, depth, good)

    return bool(good)


def _note(connection: SSL.Connection, _: Any, number: int, depth: int, good: int) -> bool:
    """Verify callback of those who look at the certificate afterwards: note what is wrong, and go on."""
    if not good:
        faults: list[str] = connection.get_app_data()
        faults.append(f"certificate {depth} of the chain: {VERIFY_FAULTS.get(number, f'X509 error {number}')}")

    return True


def _use(context: SSL.Context, certificate: PEM, key: PEM) -> None:
    first, *chain = _certificates(certificate)

    try:
        private = load_pem_private_key(_pem(key), password=None)
        context.use_certificate(first)
        context.use_privatekey(cast("ec.EllipticCurvePrivateKey", private))
        context.check_privatekey()
    except (ValueError, TypeError, SSL.Error) as error:
        raise CertificateError(f"{_name(key)}: is not the key of {_name(certificate)}: {error}") from None

    for intermediate in chain:
        context.add_extra_chain_cert(intermediate)


def _certificates(source: PEM) -> list[x509.Certificate]:
    try:
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
