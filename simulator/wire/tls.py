"""TLS without a socket: ciphertext in, plaintext out, over OpenSSL's memory BIOs.

Knows one TLS session. Does not know who reads and writes the bytes, nor what a peer's certificate entitles it to: it
keeps what `tls_context` noted of the chain, and leaves identity to the caller. The door to the other two TLS files.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, cast

from cryptography import x509
from OpenSSL import SSL, crypto

from simulator.wire.tls_context import (
    PEM,
    CertificateError,
    Noted,
    TLSContext,
    TLSError,
    TLSOptions,
    client_context,
    reason,
    server_context,
)
from simulator.wire.tls_peer import UNSPECIFIED, ChainFault, TLSInfo, dns_names, readable

__all__ = [
    "PEM",
    "CertificateError",
    "ChainFault",
    "ResumableSession",
    "TLSContext",
    "TLSError",
    "TLSInfo",
    "TLSOptions",
    "TLSSession",
    "client_context",
    "dns_names",
    "server_context",
]

# pyOpenSSL has no name for it: SSL_AD_NO_RENEGOTIATION of RFC 5246 §7.2
_NO_RENEGOTIATION = 100


class ResumableSession:
    """What a client needs to go on with a session in another connection; opaque. Made by `TLSSession.resumable`."""

    def __init__(self, session: SSL.Session) -> None:
        self.session = session


class TLSSession:
    """One TLS session between two memory BIOs.

    Whatever it wants to be sent is in `outgoing()` after each call. Raises TLSError when the peer or its
    certificate is not acceptable; the alert that says so is in `outgoing()` then.
    """

    def __init__(
        self, context: TLSContext, server_name: str | None = None, *, resume: ResumableSession | None = None
    ) -> None:
        self._context, self._server_name = context, server_name
        self._noted = Noted()
        self._ssl = SSL.Connection(context.context, None)
        self._ssl.set_app_data(self._noted)
        self.info: TLSInfo | None = None
        """Set when the handshake is over."""
        self.ended = False
        """The peer's close_notify has come."""
        self._failure: TLSError | None = None

        if context.server_side:
            self._ssl.set_accept_state()
            return

        self._ssl.set_connect_state()

        # RFC 6066 §3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
        if server_name and not _is_address(server_name):
            self._ssl.set_tlsext_host_name(server_name.encode("ascii"))

        if resume is not None:
            self._offer(resume)

    def _offer(self, resume: ResumableSession) -> None:
        # pyOpenSSL wants the context that the session came from. OpenSSL wants one like it only, and a client that
        # offers the session of one name as another comes with another context.
        cast("Any", resume.session)._context = self._ssl.get_context()
        self._ssl.set_session(resume.session)

    @property
    def resumable(self) -> ResumableSession | None:
        """This session for another connection to go on with, for clients. TLS 1.3 servers hand it out after the
        handshake: it is there once something was received."""
        session = self._ssl.get_session() if self.info is not None else None

        return ResumableSession(session) if session is not None else None

    def start(self) -> None:
        """Write the ClientHello; on the accepting side nothing happens yet."""
        self._shake()

    def receive(self, ciphertext: bytes) -> bytes:
        """Take ciphertext from the peer and give the plaintext in it.

        What came in order before a fault is given first; then the next call raises TLSError, or `check`.
        """
        self.check()

        if ciphertext:
            self._ssl.bio_write(ciphertext)

        if self.info is None:
            self._shake()

        return b"" if self.info is None else self._read()

    def check(self) -> None:
        """Raise the TLSError that stood behind the plaintext that `receive` gave last, if one did."""
        if self._failure is not None:
            raise self._failure

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
        except SSL.ZeroReturnError:
            raise TLSError("the peer ended the TLS connection during the handshake") from None

        self.info = self._seen()

        # TLS 1.3 has no renegotiation (RFC 8446 §1.2).
        if self.info.version != "TLSv1.3":
            self._ssl.set_info_callback(_watch)

        self._check_name()

    def _seen(self) -> TLSInfo:
        shown = self._ssl.get_peer_certificate()
        certificate = readable(shown) if shown is not None else None
        # pyOpenSSL has no method for it.
        resumed = bool(cast("Any", SSL)._lib.SSL_session_reused(self._ssl._ssl))
        faults = list(dict.fromkeys(self._noted.faults))

        # OpenSSL verifies a chain once; when the session goes on, its findings are not ours to repeat.
        if shown is not None and (certificate is None or resumed):
            faults.append(ChainFault(UNSPECIFIED, 0))

        return TLSInfo(
            version=self._ssl.get_protocol_version_name(),
            cipher=self._ssl.get_cipher_name() or "",
            server_name=(self._ssl.get_servername() or b"").decode("ascii", "replace") or self._server_name,
            application=self._ssl.get_alpn_proto_negotiated().decode("ascii", "replace"),
            certificate=certificate,
            chain=self._chain(certificate),
            path=self._path(),
            faults=tuple(faults),
            resumed=resumed,
        )

    def _chain(self, certificate: x509.Certificate | None) -> tuple[x509.Certificate, ...]:
        chain = _all_readable(self._ssl.get_peer_cert_chain())

        # OpenSSL leaves out the peer's own on the accepting side.
        if certificate is not None and certificate not in chain[:1]:
            chain.insert(0, certificate)

        return tuple(chain)

    def _path(self) -> tuple[x509.Certificate, ...]:
        path = _all_readable(self._ssl.get_verified_chain())

        return tuple(path) if path and path[-1] in self._context.authorities else ()

    def _check_name(self) -> None:
        """A server that must be verified must also be the one we asked for (RFC 6125 §6)."""
        assert self.info is not None
        wanted = self._server_name

        if self._context.server_side or not self._context.require_peer or not wanted:
            return

        if wanted.lower() not in self.info.names:
            raise TLSError(f"the certificate is for {', '.join(sorted(self.info.names)) or 'nobody'}, not for {wanted}")

    def _read(self) -> bytes:
        pieces: list[bytes] = []

        try:
            while True:
                pieces.append(self._call(self._ssl.recv, 65536))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.ended = True
        except TLSError as error:
            self._failure = error

        if self._noted.renegotiation and self._failure is None:
            # RFC 6120 §5.3.5: "If an entity that does not support TLS renegotiation detects a renegotiation attempt,
            # then it MUST immediately close the underlying TCP connection without returning a stream error".
            self._failure = TLSError("the peer asks for renegotiation, which is not supported")

        if not pieces:
            self.check()

        return b"".join(pieces)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (SSL.WantReadError, SSL.ZeroReturnError):
            raise
        except SSL.Error as error:
            reasons = [reason(error), *(fault.text for fault in self._noted.faults)]
            raise TLSError(": ".join(filter(None, reasons)) or "the TLS connection broke off") from None


def _watch(connection: SSL.Connection, where: int, number: int) -> None:
    # OpenSSL answers a peer that wants to renegotiate with a warning, and would go on.
    if where == SSL.SSL_CB_WRITE_ALERT and number & 0xFF == _NO_RENEGOTIATION:
        noted: Noted = connection.get_app_data()
        noted.renegotiation = True


def _all_readable(certificates: list[crypto.X509] | None) -> list[x509.Certificate]:
    found = (readable(certificate) for certificate in certificates or [])

    return [certificate for certificate in found if certificate is not None]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False

    return True
