"""A throwaway certificate authority: trustme in a folder that nobody else can read, gone with the world.

Knows certificates that are as they should be. Does not know broken ones, nor who uses them.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

#: trustme's own default is the year 3000, which makes ejabberd's timer overflow.
LIFETIME = timedelta(days=365)


@dataclass(frozen=True)
class CertificateFiles:
    """A certificate with its chain and its private key, both PEM."""

    certificate: Path
    key: Path


class CertificateAuthority:
    """Issues certificates on ECDSA P-256 keys until `close`; `authority` is its own certificate (PEM).

    The folder has mode 0700 and its files 0600. `close` removes it, and so does the end of the interpreter.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="s2sim-ca-"))
        atexit.register(self.close)
        self._authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self._issued: dict[tuple[str, ...], CertificateFiles] = {}
        self.authority = self._write("authority.pem", self._authority.cert_pem.bytes())

    def issue(self, *names: str) -> CertificateFiles:
        """A certificate for these DNS names (or IP addresses), good for one year as client and as server.

        The same names get the same certificate: many short worlds share one authority.
        """
        if names not in self._issued:
            self._issued[names] = self._issue(names, len(self._issued) + 1)

        return self._issued[names]

    def _issue(self, names: tuple[str, ...], number: int) -> CertificateFiles:
        leaf = self._authority.issue_cert(
            *names, not_after=datetime.now(UTC) + LIFETIME, key_type=trustme.KeyType.ECDSA
        )
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)

        return CertificateFiles(
            certificate=self._write(f"{number}.pem", chain),
            key=self._write(f"{number}.key", leaf.private_key_pem.bytes()),
        )

    def close(self) -> None:
        """Remove every key and certificate; may be called again."""
        atexit.unregister(self.close)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(data)

        return path

    def __enter__(self) -> CertificateAuthority:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
