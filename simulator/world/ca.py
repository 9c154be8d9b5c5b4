"""A throwaway certificate authority: trustme in a folder that nobody else can read, gone with the world.

Knows files, and who has got which certificate. What is wrong with the wrong ones is `certificates`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from simulator.world.certificates.der import pem
from simulator.world.certificates.draft import Issuer
from simulator.world.certificates.keys import private_pem
from simulator.world.certificates.minting import MINTED_ANEW, mint
from simulator.world.certificates.register import Register
from simulator.world.certificates.request import CannotMint, Request
from simulator.xmpp.address import AddressError, dns_name, domain_of

#: trustme's own default is the year 3000, which makes ejabberd's timer overflow.
LIFETIME = timedelta(days=365)
#: trustme's own default of 9 would end the longest chain of the catalogue.
PATH_LENGTH = 32


@dataclass(frozen=True)
class CertificateFiles:
    """A certificate with its chain and its private key, both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Minted(CertificateFiles):
    """A certificate of the catalogue: whatever is shown in the handshake, leaf first, and the key of the leaf."""

    kind: str
    serial: int
    """Of the leaf; for `CertificateAuthority.revoke`."""


class CertificateAuthority:
    """Issues certificates on ECDSA P-256 keys until `close`; `authority` is its own certificate (PEM).

    The folder has mode 0700 and its files 0600. `close` removes it, and so does the end of the interpreter.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="s2sim-ca-"))
        atexit.register(self.close)
        self._authority = trustme.CA(key_type=trustme.KeyType.ECDSA, path_length=PATH_LENGTH)
        self._issued: dict[tuple[str, ...], CertificateFiles] = {}
        self._minted: dict[tuple[str, str, str], Minted] = {}
        self._list_file: Path | None = None
        self._count = 0
        self.authority = self._write("authority.pem", self._authority.cert_pem.bytes())

    def issue(self, *names: str) -> CertificateFiles:
        """A certificate for these DNS names (or IP addresses), good for one year as client and as server.

        The same names get the same certificate: many short worlds share one authority.
        """
        if names not in self._issued:
            self._issued[names] = self._issue(names)

        return self._issued[names]

    def renew(self) -> None:
        """Put new certificates, with new keys, into the files of all that were issued for names; nobody is told.

        Their subject says ``renewed``.
        """
        for names, files in self._issued.items():
            leaf = self._leaf(names, unit="renewed")
            files.certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
            files.key.write_bytes(leaf.private_key_pem.bytes())

    def mint(self, kind: str, domain: str, *, host: str = "", lifetime: timedelta = LIFETIME) -> Minted:
        """A certificate of a kind of the catalogue for a domain; the same again for the same request.

        `host` is the host that serves the domain, for the kind that names it. Raises UnknownKind or CannotMint.
        """
        try:
            request = (kind, dns_name(domain_of(domain)), host)
        except AddressError as error:
            raise CannotMint(str(error)) from None

        if request not in self._minted or kind in MINTED_ANEW:
            self._minted[request] = self._mint(*request, lifetime)

        return self._minted[request]

    @property
    def revocation_list(self) -> Path:
        """The list of revoked certificates (PEM). Those of kind ``revoked`` are on it before they are minted."""
        if self._list_file is None:
            self._list_file = self._write("revocation-list.pem", self._register.file())

        return self._list_file

    def revoke(self, minted: Minted) -> None:
        """Put a certificate on the list in the file and on the one that is served."""
        self._register.revoke(minted.serial)

        if self._list_file is not None:
            # At once: whoever reads it meanwhile finds the old list or the new one.
            os.replace(self._write("next-revocation-list.pem", self._register.file()), self._list_file)

    def revocation_lists_over_http(self, place: Callable[[], str]) -> None:
        """Let certificates say that lists are served below the URL that `place` gives, when it is first needed."""
        self._register.place = place

    def served_list(self, name: str) -> bytes:
        """What is to be served as `name`.crl, DER; raises LookupError for a name that is not of `register.SERVED`."""
        return self._register.served(name)

    def close(self) -> None:
        """Remove every key and certificate; may be called again."""
        atexit.unregister(self.close)
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def _root(self) -> Issuer:
        certificate = x509.load_pem_x509_certificate(self._authority.cert_pem.bytes())
        key = load_pem_private_key(self._authority.private_key_pem.bytes(), password=None)
        assert isinstance(key, EllipticCurvePrivateKey)

        return Issuer(name=certificate.subject, key=key, certificate=certificate.public_bytes(Encoding.DER))

    @cached_property
    def _register(self) -> Register:
        return Register(self._root)

    def _issue(self, names: tuple[str, ...]) -> CertificateFiles:
        leaf = self._leaf(names)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)

        return CertificateFiles(*self._write_pair(chain, leaf.private_key_pem.bytes()))

    def _leaf(self, names: tuple[str, ...], unit: str | None = None) -> trustme.LeafCert:
        until = datetime.now(UTC) + LIFETIME

        return self._authority.issue_cert(
            *names, not_after=until, key_type=trustme.KeyType.ECDSA, organization_unit_name=unit
        )

    def _mint(self, kind: str, domain: str, host: str, lifetime: timedelta) -> Minted:
        shown = mint(
            Request(
                kind=kind,
                domain=domain,
                host=host,
                root=self._root,
                register=self._register,
                now=datetime.now(UTC),
                lifetime=lifetime,
            )
        )
        chain = b"".join(pem(one) for one in shown.chain)

        return Minted(*self._write_pair(chain, private_pem(shown.key)), kind, shown.serial)

    def _write_pair(self, certificate: bytes, key: bytes) -> tuple[Path, Path]:
        self._count += 1

        return self._write(f"{self._count}.pem", certificate), self._write(f"{self._count}.key", key)

    def _write(self, name: str, data: bytes) -> Path:
        path = self.folder / name

        # Opened once and with its mode: opening takes longer than all that comes before it.
        with open(path, "wb", opener=_private) as file:
            file.write(data)

        return path

    def __enter__(self) -> CertificateAuthority:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
